// Whatever a client sends, the server says what is wrong with it: never 500, and never a body in another shape.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import type { Assistant } from "../contract/assistant.ts";
import type { Thread } from "../contract/thread.ts";
import { startTestApp } from "../test/support/app.ts";
import type { Answer, Call, TestApp } from "../test/support/app.ts";

let app: TestApp;
let thread: string;
let assistant: string;

before(async () => {
  app = await startTestApp();
  thread = (await app.call<Thread>("POST", "/v1/threads")).body.id;
  assistant = (await app.call<Assistant>("POST", "/v1/assistants", { body: { model: "gpt-4o" } })).body.id;
});
after(() => app.stop());

function assertRefused(answer: Answer<unknown>): void {
  assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} ${JSON.stringify(answer.body)}`);
  const { error } = answer.body as { error: Record<string, unknown> };
  assert.deepEqual(Object.keys(error), ["message", "type", "param", "code"]);
  assert.equal(error["type"], "invalid_request_error");
}

const refused = async (...call: Parameters<TestApp["call"]>) => assertRefused(await app.call(...call));

async function assertNever500(method: "GET" | "POST", path: string, call: Call): Promise<void> {
  const answer = await app.call<unknown>(method, path, call);
  if (answer.status !== 200) assertRefused(answer);
}

const POSTS = (): string[] => [
  "/v1/assistants",
  `/v1/assistants/${assistant}`,
  "/v1/threads",
  `/v1/threads/${thread}`,
  `/v1/threads/${thread}/messages`,
  `/v1/threads/${thread}/messages/msg_A`,
  "/v1/threads/runs",
  `/v1/threads/${thread}/runs`,
  `/v1/threads/${thread}/runs/run_A`,
  `/v1/threads/${thread}/runs/run_A/submit_tool_outputs`,
];

describe("ids", () => {
  const strange = [
    "%00",
    "a%00b",
    "%F0%9F%98%80",
    "..%2F..",
    "'%3B--",
    "%22",
    " ",
    "%20",
    "x".repeat(3000),
    "%EF%BF%BF",
  ];

  test("of objects that cannot exist are not found", async () => {
    for (const id of strange) {
      for (const path of [
        `/v1/assistants/asst_${id}`,
        `/v1/threads/thread_${id}`,
        `/v1/threads/${thread}/messages/${id}`,
        `/v1/threads/${thread}/runs/${id}`,
        `/v1/threads/${thread}/runs/${id}/steps/${id}`,
        `/v1/models/${id}`,
      ]) {
        const { status } = await app.call("GET", encodeURI(decodeURI(path)).replaceAll("%25", "%"));
        assert.equal(status, 404, path);
      }
    }
  });

  test("that are no UTF-8 are not found", async () => {
    for (const id of ["%ff", "%c3%28", "%ed%a0%80", "%", "%u0000"]) await refused("GET", `/v1/threads/thread_${id}`);
  });

  test("in queries are refused as cursors", async () => {
    for (const id of [...strange.filter((text) => text !== " "), "%ff", "%ed%a0%80", "%"]) {
      for (const path of ["/v1/assistants", `/v1/threads/${thread}/messages`, `/v1/threads/${thread}/runs`]) {
        await refused("GET", `${path}?after=${id}`);
      }
      await assertNever500("GET", `/v1/threads/${thread}/messages?run_id=${id}`, {});
    }
  });

  test("in bodies are refused or not found", async () => {
    for (const id of ["asst_\u0000", "asst_\ud800", "asst_'", `asst_${"x".repeat(100_000)}`]) {
      await refused("POST", `/v1/threads/${thread}/runs`, { body: { assistant_id: id } });
    }
  });
});

describe("numbers", () => {
  test("that no column holds are refused", async () => {
    for (const number of ["1e400", "-1e400", "9007199254740993", "2147483648", "1e12", "-1", "0.5", "NaN"]) {
      const body = (field: string) => `{"assistant_id": "${assistant}", "model": "m", "${field}": ${number}}`;
      await refused("POST", `/v1/threads/${thread}/runs`, { body: body("max_prompt_tokens") });
      await refused("POST", `/v1/threads/${thread}/runs`, { body: body("expires_after_seconds") });
    }
    for (const limit of ["1e3", "99999999999999999999", "0x10", "-1", "1.5", "١", "%00"]) {
      await refused("GET", `/v1/assistants?limit=${limit}`);
    }
  });

  test("inside a function's schema are kept as well as JSON can", async () => {
    const body = `{"model": "m", "tools": [{"type": "function", "function": {"name": "f", "parameters": {"maximum": 1e999, "minimum": 1e-999, "x": 12345678901234567890}}}]}`;
    assert.equal((await app.call("POST", "/v1/assistants", { body })).status, 200);
  });
});

describe("text", () => {
  test("with a NUL character is refused and its place named", async () => {
    for (const [path, body, param] of [
      ["/v1/assistants", { model: "a\0" }, "model"],
      ["/v1/assistants", { model: "m", metadata: { "k\0": "v" } }, "metadata.k\\u0000"],
      [
        "/v1/assistants",
        { model: "m", tools: [{ type: "function", function: { name: "f", parameters: { a: ["\0"] } } }] },
        "tools[0].function.parameters.a[0]",
      ],
      [`/v1/threads/${thread}/messages`, { role: "user", content: [{ type: "text", text: "\0" }] }, "content[0].text"],
    ] as const) {
      const { status, body: answer } = await app.call("POST", path, { body });
      assert.equal(status, 400);
      assert.equal(answer.error.message, `Invalid '${param}': the NUL character (U+0000) cannot be stored.`);
      assert.equal(answer.error.param, param);
    }
  });

  test("with half a surrogate pair is stored with the replacement character", async () => {
    const body = '{"model": "m", "name": "\\ud83d", "metadata": {"\\udc00": "x\\ud800y"}}';
    const answer = await app.call<Assistant>("POST", "/v1/assistants", { body });
    assert.deepEqual([answer.body.name, answer.body.metadata], ["\ufffd", { "\ufffd": "x\ufffdy" }]);
  });
});

describe("JSON", () => {
  test("that is cut off or no JSON at all is refused", async () => {
    for (const path of POSTS()) {
      for (const body of ["{", '{"model": ', "[1,", "nope", "'{}'", "{}{}", '{"a":1,}'])
        await refused("POST", path, { body });
    }
  });

  test("that is no object is refused", async () => {
    for (const path of POSTS()) {
      for (const body of ["[]", '""', "5", "true", "[[[]]]"]) await refused("POST", path, { body });
    }
  });

  test("that is nested very deeply is refused, where it is stored and where it is not", async () => {
    const deep = `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`;
    const deepArray = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    for (const value of [deep, deepArray]) {
      for (const path of POSTS()) {
        for (const field of ["metadata", "tools", "content", "messages", "thread", "tool_resources", "x"]) {
          await refused("POST", path, { body: `{"model": "m", "role": "user", "${field}": ${value}}` });
        }
      }
      const tool = `{"type": "function", "function": {"name": "f", "parameters": {"a": ${value}}}}`;
      await refused("POST", "/v1/assistants", { body: `{"model": "m", "tools": [${tool}]}` });
    }
  });

  test("with keys that mean something to JavaScript changes nothing but the object it is in", async () => {
    for (const key of ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"]) {
      const unknown = await app.call("POST", "/v1/assistants", { body: `{"model": "m", "${key}": {"x": "y"}}` });
      assert.equal(unknown.body.error.message, `Unknown parameter: '${key}'.`);
      await assertNever500("POST", "/v1/assistants", { body: `{"model": "m", "metadata": {"${key}": "v"}}` });
    }
    assert.equal(({} as Record<string, unknown>)["x"], undefined);
  });

  test("with a key twice takes the last", async () => {
    const { body } = await app.call<Assistant>("POST", "/v1/assistants", { body: '{"model": "a", "model": "b"}' });
    assert.equal(body.model, "b");
  });

  test("of any kind never makes the server fail", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.jsonValue({ stringUnit: "binary" }), async (choice, body) => {
        const paths = POSTS();
        await assertNever500("POST", paths[choice % paths.length] as string, { body: JSON.stringify(body) });
      }),
      { numRuns: 300 },
    );
  });

  test("with the right fields and any values never makes the server fail", async () => {
    const fields =
      "model name instructions tools tool_resources metadata temperature top_p response_format reasoning_effort role content attachments messages assistant_id thread additional_messages max_prompt_tokens truncation_strategy tool_choice tool_outputs parallel_tool_calls expires_after_seconds".split(
        " ",
      );
    const anyBody = fc.dictionary(fc.constantFrom(...fields), fc.jsonValue({ stringUnit: "binary" }), { maxKeys: 4 });
    await fc.assert(
      fc.asyncProperty(fc.nat(), anyBody, async (choice, body) => {
        const paths = POSTS();
        const required = { model: "m", role: "user", content: "x", assistant_id: assistant };
        const known = Object.entries(required).filter(([field]) => choice % 3 > 0 || field in body);
        await assertNever500("POST", paths[choice % paths.length] as string, {
          body: JSON.stringify({ ...Object.fromEntries(known), ...body }),
        });
      }),
      { numRuns: 300 },
    );
  });
});

test("any query never makes the server fail", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom("limit", "order", "after", "before", "run_id", "x[]"), fc.string()), {
        maxLength: 6,
      }),
      async (pairs) => {
        const query = pairs.map(([key, value]) => `${key}=${encodeURIComponent(value.toWellFormed())}`).join("&");
        await assertNever500("GET", `/v1/threads/${thread}/messages?${query}`, {});
        await assertNever500("GET", `/v1/assistants?${query}`, {});
      },
    ),
    { numRuns: 100 },
  );
});
