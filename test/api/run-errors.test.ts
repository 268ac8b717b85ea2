// What the routes of runs answer to requests that are wrong: in a word, in type, in place, or on purpose.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { ensureApiKey } from "../../db/api-keys.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { askWeather, startConversation } from "./conversation.ts";
import type { Conversation } from "./conversation.ts";
import { send } from "./raw.ts";
import type { RawRequest } from "./raw.ts";
import { badRequest, notFound } from "./refusal.ts";
import type { Refusal } from "./refusal.ts";
import { QUICK } from "./sdk.ts";

let stack: Stack;
/** A run that waits for outputs, in the stack's project. */
let ours: Conversation & { run_id: string; step_id: string; call_id: string };
/** The key of another project. */
let otherKey: string;
before(async () => {
  stack = await startStack();
  otherKey = `sk-other-${"x".repeat(24)}`;
  await ensureApiKey(stack.db, { key: otherKey, name: "other", projectName: "other" });
  const conversation = await startConversation(stack, [askWeather("Paris")]);
  const { assistant_id, thread_id } = conversation;
  const { runs } = stack.openai.beta.threads;
  const run = await runs.createAndPoll(thread_id, { assistant_id }, QUICK);
  const [step] = (await runs.steps.list(run.id, { thread_id })).data;
  const [call] = run.required_action?.submit_tool_outputs.tool_calls ?? [];
  ours = { ...conversation, run_id: run.id, step_id: step?.id ?? "", call_id: call?.id ?? "" };
});
after(() => stack.stop());

/** Sends a request that is to be refused, and checks that the refusal has its usual form. */
async function refuse(path: string, request: RawRequest = {}): Promise<Refusal> {
  const { status, headers, body } = await send(stack, path, request);
  assert.ok(status >= 400 && status < 500, `${status} ${JSON.stringify(body)}`);
  assert.match(headers.get("content-type") ?? "", /^application\/json/);
  assert.match(headers.get("x-request-id") ?? "", /^req_[0-9a-f]{32}$/);
  assert.deepEqual(Object.keys(body as object), ["error"]);
  const { error } = body as { error: Omit<Refusal, "status"> };
  assert.deepEqual(Object.keys(error), ["message", "type", "param", "code"]);
  return { status, ...error };
}

const post = (body: unknown): RawRequest => ({ method: "POST", body });

/** Every route of a run, with a request that would be taken if the run were there. */
const routes = ({ thread_id, run_id, step_id }: { thread_id: string; run_id: string; step_id: string }) => {
  const run = `/threads/${thread_id}/runs/${run_id}`;
  return [
    [run, {}],
    [run, post({ metadata: { a: "b" } })],
    [`${run}/cancel`, { method: "POST" }],
    [`${run}/submit_tool_outputs`, post({ tool_outputs: [] })],
    [`${run}/submit_tool_outputs`, post({ tool_outputs: [], stream: true })],
    [`${run}/steps`, {}],
    [`${run}/steps?limit=5&order=asc`, {}],
    [`${run}/steps/${step_id}`, {}],
    [`${run}/events`, {}],
    [`${run}/events?after=3`, {}],
  ] as [string, RawRequest][];
};

suite("ids that lead nowhere", { concurrency: 4 }, () => {
  test("an unknown thread is named on every route of runs", async () => {
    const unknown = { ...ours, thread_id: "thread_unknown" };
    const { assistant_id } = ours;
    const all: [string, RawRequest][] = [
      ...routes(unknown),
      ["/threads/thread_unknown/runs", {}],
      ["/threads/thread_unknown/runs", post({ assistant_id })],
      ["/threads/thread_unknown/runs", post({ assistant_id, stream: true })],
    ];
    for (const [path, request] of all) {
      assert.deepEqual(await refuse(path, request), notFound("No thread found with id 'thread_unknown'."), path);
    }
  });

  test("an unknown run is named on every route of a run", async () => {
    for (const [path, request] of routes({ ...ours, run_id: "run_unknown" })) {
      assert.deepEqual(await refuse(path, request), notFound("No run found with id 'run_unknown'."), path);
    }
  });

  test("a run that exists under another thread answers like one that does not exist", async () => {
    const { thread_id } = await startConversation(stack, [{ text: "x" }]);
    for (const [path, request] of routes({ ...ours, thread_id })) {
      assert.deepEqual(await refuse(path, request), notFound(`No run found with id '${ours.run_id}'.`), path);
    }
  });

  test("an unknown step, and a step of another run, are named", async () => {
    const { runs } = stack.openai.beta.threads;
    const other = await startConversation(stack, [askWeather("Rome")]);
    const run = await runs.createAndPoll(other.thread_id, { assistant_id: other.assistant_id }, QUICK);
    for (const step_id of ["step_unknown", ours.step_id]) {
      assert.deepEqual(
        await refuse(`/threads/${other.thread_id}/runs/${run.id}/steps/${step_id}`),
        notFound(`No run step found with id '${step_id}'.`),
      );
    }
  });

  test("another project's ids answer exactly like ids that never existed, on every route", async () => {
    const headers = { authorization: `Bearer ${otherKey}` };
    const made = (await send(stack, "/threads", { method: "POST", headers })).body as { id: string };
    const { assistant_id, thread_id } = ours;
    const as = (request: RawRequest): RawRequest => ({ ...request, headers });
    const gone = notFound(`No thread found with id '${thread_id}'.`);
    const foreign: [string, RawRequest][] = [
      ...routes(ours),
      [`/threads/${thread_id}/runs`, {}],
      [`/threads/${thread_id}/runs`, post({ assistant_id })],
      [`/threads/${thread_id}/messages`, post({ role: "user", content: "x" })],
      [`/threads/${thread_id}/messages?run_id=${ours.run_id}`, {}],
      [`/threads/${thread_id}`, { method: "DELETE" }],
    ];
    for (const [path, request] of foreign) assert.deepEqual(await refuse(path, as(request)), gone, path);
    // Under a thread of one's own, the other project's run is as unknown as its assistant.
    for (const [path, request] of routes({ ...ours, thread_id: made.id })) {
      assert.deepEqual(await refuse(path, as(request)), notFound(`No run found with id '${ours.run_id}'.`), path);
    }
    const noAssistant = notFound(`No assistant found with id '${assistant_id}'.`);
    assert.deepEqual(await refuse(`/threads/${made.id}/runs`, as(post({ assistant_id }))), noAssistant);
    assert.deepEqual(await refuse("/threads/runs", as(post({ assistant_id, stream: true }))), noAssistant);
    const cursor = await refuse(`/threads/${made.id}/runs?after=${ours.run_id}`, as({}));
    assert.partialDeepStrictEqual(cursor, { status: 400, param: "after", code: "invalid_value" });

    const { runs } = stack.openai.beta.threads;
    assert.equal((await runs.retrieve(ours.run_id, { thread_id })).status, "requires_action", "nothing has changed");
    const listed = (await send(stack, `/threads/${made.id}/runs`, { headers })).body;
    assert.partialDeepStrictEqual(listed, { data: [] });
  });

  test("an unknown assistant is named, and one with another prefix is no assistant at all", async () => {
    const path = `/threads/${(await startConversation(stack, [{ text: "x" }])).thread_id}/runs`;
    for (const where of [path, "/threads/runs"]) {
      assert.deepEqual(
        await refuse(where, post({ assistant_id: "asst_unknown" })),
        notFound("No assistant found with id 'asst_unknown'."),
      );
      assert.deepEqual(
        await refuse(where, post({ assistant_id: "abc" })),
        badRequest(
          "Invalid 'assistant_id': 'abc'. Expected an ID that begins with 'asst'.",
          "assistant_id",
          "invalid_value",
        ),
      );
    }
    assert.deepEqual(
      await refuse("/threads/abc/runs", post({ assistant_id: ours.assistant_id })),
      badRequest("Invalid 'thread_id': 'abc'. Expected an ID that begins with 'thread'.", "thread_id", "invalid_value"),
    );
    const { body } = await send(stack, `${path}`);
    assert.partialDeepStrictEqual(body, { data: [] });
  });

  test("a refused run that would make its own thread leaves no thread behind", async () => {
    const marked = "select 1 from threads where metadata ->> 'mark' = 'refused'";
    const thread = { messages: [{ role: "user", content: "x" }], metadata: { mark: "refused" } };
    await refuse("/threads/runs", post({ assistant_id: "asst_unknown", thread }));
    assert.equal((await stack.db.query(marked)).rowCount, 0);
    await send(stack, "/threads/runs", post({ assistant_id: ours.assistant_id, thread }));
    assert.equal((await stack.db.query(marked)).rowCount, 1);
  });
});

suite("requests that are not allowed", { concurrency: 4 }, () => {
  test("a missing or wrong key comes before everything else", async () => {
    for (const [path, request] of routes({ ...ours, run_id: "run_unknown" })) {
      const nobody = await refuse(path, { ...request, headers: { authorization: null, "openai-beta": null } });
      assert.equal(nobody.status, 401);
      assert.equal(nobody.code, null);
      assert.match(String(nobody.message), /^You didn't provide an API key\. /);
      const wrong = await refuse(path, { ...request, headers: { authorization: "Bearer sk-wrongwrongwrong" } });
      assert.equal(wrong.status, 401);
      assert.equal(wrong.code, "invalid_api_key");
      assert.match(String(wrong.message), /^Incorrect API key provided: sk-wr\*+ng\. /);
    }
  });

  test("a missing beta header is asked for on every route of a run, before the body is looked at", async () => {
    for (const [path, request] of [...routes(ours), ["/threads/runs", post("{")] as [string, RawRequest]]) {
      assert.deepEqual(
        await refuse(path, { ...request, headers: { "openai-beta": null } }),
        badRequest(
          "You must provide the 'OpenAI-Beta' header to access the Assistants API. Please try again by setting the header 'OpenAI-Beta: assistants=v2'.",
          null,
          "invalid_beta",
        ),
      );
    }
  });

  test("the beta header may name other betas as well, and the key may come as a password", async () => {
    const path = `/threads/${ours.thread_id}/runs/${ours.run_id}`;
    const basic = Buffer.from(`:${stack.apiKey}`).toString("base64");
    const { status } = await send(stack, path, {
      headers: { authorization: `Basic ${basic}`, "openai-beta": "realtime=v1, assistants=v2" },
    });
    assert.equal(status, 200);
  });

  test("URLs and methods that do not exist are named", async () => {
    const run = `/threads/${ours.thread_id}/runs/${ours.run_id}`;
    const unknown: [string, string][] = [
      ["DELETE", run],
      ["PUT", run],
      ["PATCH", run],
      ["GET", `${run}/cancel`],
      ["GET", `${run}/submit_tool_outputs`],
      ["POST", `${run}/steps`],
      ["POST", `${run}/events`],
      ["GET", `${run}/step`],
      ["POST", `${run}/cancel/now`],
      ["DELETE", "/threads/runs"],
    ];
    for (const [method, path] of unknown) {
      const expected = method === "DELETE" && path === "/threads/runs" ? 400 : 404;
      const refusal = await refuse(path, { method });
      assert.equal(refusal.status, expected, `${method} ${path}`);
      if (expected === 404) assert.deepEqual(refusal, notFound(`Invalid URL (${method} /v1${path})`));
    }
  });
});

suite("bodies that do not fit", { concurrency: 4 }, () => {
  const creates = (body: object) =>
    Promise.all([refuse(`/threads/${ours.thread_id}/runs`, post(body)), refuse("/threads/runs", post(body))]);

  const wrong = (what: string, field: object, refusal: Refusal): void =>
    void test(`a run with ${what} is refused`, async () => {
      const { assistant_id } = ours;
      const [onThread, withThread] = await creates({ assistant_id, ...field });
      assert.deepEqual(onThread, refusal);
      assert.deepEqual(withThread, refusal);
    });

  const type = (param: string, expected: string, got: string) =>
    badRequest(`Invalid type for '${param}': expected ${expected}, but got ${got} instead.`, param, "invalid_type");
  const range = (param: string, problem: string, code: string) =>
    badRequest(`Invalid '${param}': ${problem}`, param, code);

  wrong("a number for a model", { model: 4 }, type("model", "a string", "an integer"));
  wrong("a text for tools", { tools: "all" }, type("tools", "an array of objects", "a string"));
  wrong("a text for a flag", { stream: "true" }, type("stream", "a boolean", "a string"));
  wrong("a list for instructions", { instructions: [] }, type("instructions", "a string", "an array"));
  wrong("a text for metadata", { metadata: "a" }, type("metadata", "an object", "a string"));
  wrong("a number in metadata", { metadata: { a: 1 } }, type("metadata.a", "a string", "an integer"));
  wrong("a fraction for a budget", { max_prompt_tokens: 300.5 }, type("max_prompt_tokens", "an integer", "a decimal"));
  wrong(
    "a budget below the least",
    { max_completion_tokens: 255 },
    range(
      "max_completion_tokens",
      "integer below minimum value. Expected a value >= 256, but got 255 instead.",
      "integer_below_min_value",
    ),
  );
  wrong(
    "too high a temperature",
    { temperature: 2.5 },
    range(
      "temperature",
      "decimal above maximum value. Expected a value <= 2, but got 2.5 instead.",
      "decimal_above_max_value",
    ),
  );
  wrong(
    "a tool of another kind",
    { tools: [{ type: "retrieval" }] },
    badRequest(
      "Invalid value: 'retrieval'. Supported values are: 'code_interpreter', 'function', and 'file_search'.",
      "tools[0].type",
      "invalid_value",
    ),
  );
  wrong(
    "a function without a name",
    { tools: [{ type: "function", function: {} }] },
    badRequest(
      "Missing required parameter: 'tools[0].function.name'.",
      "tools[0].function.name",
      "missing_required_parameter",
    ),
  );
  wrong("an unknown field", { seed: 3 }, badRequest("Unknown parameter: 'seed'.", "seed", "unknown_parameter"));
  wrong(
    "an unknown field inside of a known one",
    { truncation_strategy: { type: "auto", first: 3 } },
    badRequest("Unknown parameter: 'truncation_strategy.first'.", "truncation_strategy.first", "unknown_parameter"),
  );
  wrong(
    "too many tools",
    { tools: Array.from({ length: 129 }, () => ({ type: "code_interpreter" })) },
    range(
      "tools",
      "array too long. Expected an array with maximum length 128, but got an array with length 129 instead.",
      "array_above_max_length",
    ),
  );
  wrong(
    "instructions that are too long",
    { instructions: "x".repeat(256_001) },
    range(
      "instructions",
      "string too long. Expected a string with maximum length 256000, but got a string with length 256001 instead.",
      "string_above_max_length",
    ),
  );
  wrong(
    "a NUL in its instructions",
    { instructions: "a\u0000b" },
    range("instructions", "the NUL character (U+0000) cannot be stored.", "invalid_value"),
  );

  test("fields that belong to the other way of creating a run are unknown", async () => {
    const { assistant_id, thread_id } = ours;
    const path = `/threads/${thread_id}/runs`;
    for (const name of ["thread", "tool_resources"]) {
      const refusal = await refuse(path, post({ assistant_id, [name]: {} }));
      assert.deepEqual(refusal, badRequest(`Unknown parameter: '${name}'.`, name, "unknown_parameter"));
    }
    for (const name of ["additional_instructions", "additional_messages"]) {
      const refusal = await refuse("/threads/runs", post({ assistant_id, [name]: [] }));
      assert.deepEqual(refusal, badRequest(`Unknown parameter: '${name}'.`, name, "unknown_parameter"));
    }
  });

  test("a problem inside of messages is named by its whole path", async () => {
    const { assistant_id, thread_id } = ours;
    const messages = [
      { role: "user", content: "x" },
      { role: "human", content: "x" },
    ];
    const onThread = await refuse(`/threads/${thread_id}/runs`, post({ assistant_id, additional_messages: messages }));
    const withThread = await refuse("/threads/runs", post({ assistant_id, thread: { messages } }));
    const message = "Invalid value: 'human'. Supported values are: 'user' and 'assistant'.";
    assert.deepEqual(onThread, badRequest(message, "additional_messages[1].role", "invalid_value"));
    assert.deepEqual(withThread, badRequest(message, "thread.messages[1].role", "invalid_value"));
  });

  test("without an assistant there is no run", async () => {
    for (const body of [{}, { assistant_id: undefined, stream: true }, undefined]) {
      for (const path of [`/threads/${ours.thread_id}/runs`, "/threads/runs"]) {
        assert.deepEqual(
          await refuse(path, { method: "POST", body }),
          badRequest("Missing required parameter: 'assistant_id'.", "assistant_id", "missing_required_parameter"),
        );
      }
    }
  });

  test("outputs that do not fit are named", async () => {
    const path = `/threads/${ours.thread_id}/runs/${ours.run_id}/submit_tool_outputs`;
    const missing = badRequest(
      "Missing required parameter: 'tool_outputs'.",
      "tool_outputs",
      "missing_required_parameter",
    );
    assert.deepEqual(await refuse(path, post({})), missing);
    assert.deepEqual(await refuse(path, { method: "POST" }), missing);
    assert.deepEqual(
      await refuse(path, post({ tool_outputs: {} })),
      type("tool_outputs", "an array of objects", "an object"),
    );
    assert.deepEqual(
      await refuse(path, post({ tool_outputs: ["x"] })),
      type("tool_outputs[0]", "an object", "a string"),
    );
    assert.deepEqual(
      await refuse(path, post({ tool_outputs: [{ tool_call_id: ours.call_id, output: 4 }] })),
      type("tool_outputs[0].output", "a string", "an integer"),
    );
    assert.deepEqual(
      await refuse(path, post({ tool_outputs: [{ tool_call_id: ours.call_id, result: "x" }] })),
      badRequest("Unknown parameter: 'tool_outputs[0].result'.", "tool_outputs[0].result", "unknown_parameter"),
    );
    const { runs } = stack.openai.beta.threads;
    const run = await runs.retrieve(ours.run_id, { thread_id: ours.thread_id });
    assert.equal(run.status, "requires_action", "the run still waits");
  });

  test("a run takes metadata only when it is changed", async () => {
    const path = `/threads/${ours.thread_id}/runs/${ours.run_id}`;
    assert.deepEqual(
      await refuse(path, post({ status: "completed" })),
      badRequest("Unknown parameter: 'status'.", "status", "unknown_parameter"),
    );
    const tooMany = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, "v"]));
    for (const metadata of [tooMany, { k: "v".repeat(513) }, { ["k".repeat(65)]: "v" }, { "a\u0000": "v" }]) {
      assert.equal((await refuse(path, post({ metadata }))).status, 400);
    }
  });

  test("bodies that are no JSON, or no object, are refused on every route that takes one", async () => {
    const bodies = ["{", '{"assistant_id":', "\u0000", "nul", '{"a":1}}', "﻿{}x", "<xml/>", '{"a":"\u0001"}'];
    const paths = [
      `/threads/${ours.thread_id}/runs`,
      "/threads/runs",
      `/threads/${ours.thread_id}/runs/${ours.run_id}`,
      `/threads/${ours.thread_id}/runs/${ours.run_id}/submit_tool_outputs`,
    ];
    for (const path of paths) {
      for (const body of bodies) {
        const refusal = await refuse(path, post(body));
        assert.equal(refusal.status, 400, body);
        assert.match(String(refusal.message), /^We could not parse the JSON body of your request\. /);
      }
      for (const body of ["[]", "null", "4", '"x"', "true"]) {
        const refusal = await send(stack, path, post(body));
        assert.ok(refusal.status === 400 || (body === "null" && refusal.status === 200), `${path} ${body}`);
      }
    }
  });

  test("a body of another type, and one that is too large, are refused", async () => {
    const path = "/threads/runs";
    const form = await refuse(path, {
      method: "POST",
      body: "assistant_id=asst_1",
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
    assert.equal(form.status, 415);
    // Again and again: a server that hangs up while the client is still sending is not understood every time.
    for (let attempt = 0; attempt < 5; attempt++) {
      const huge = await refuse(path, post({ assistant_id: ours.assistant_id, instructions: "x".repeat(17_000_000) }));
      assert.equal(huge.status, 413);
    }
  });

  test("a body that is nested a thousand times, or names a prototype, breaks nothing", async () => {
    const path = `/threads/${ours.thread_id}/runs`;
    const deep = `${'{"a":'.repeat(1000)}1${"}".repeat(1000)}`;
    const { assistant_id } = ours;
    const tools = `[{"type":"function","function":{"name":"f","parameters":${deep}}}]`;
    const tooDeep = await refuse(path, post(`{"assistant_id":"${assistant_id}","tools":${tools}}`));
    assert.equal(tooDeep.param, "tools[0].function.parameters");
    const polluted = await refuse(path, post('{"__proto__":{"assistant_id":"asst_1"},"constructor":1}'));
    assert.equal(polluted.status, 400);
    assert.equal(({} as { assistant_id?: string }).assistant_id, undefined);
  });

  test("an include that is not in the contract is refused", async () => {
    const { thread_id, run_id, step_id, assistant_id } = ours;
    const legal = "step_details.tool_calls[*].file_search.results[*].content";
    const query = (value: string) => `?include[]=${encodeURIComponent(value)}`;
    const run = `/threads/${thread_id}/runs/${run_id}`;
    for (const path of [`${run}/steps`, `${run}/steps/${step_id}`]) {
      assert.equal((await send(stack, path + query(legal))).status, 200);
      assert.partialDeepStrictEqual(await refuse(path + query("all")), { status: 400, code: "invalid_value" });
    }
    const create = await refuse(`/threads/${thread_id}/runs${query("all")}`, post({ assistant_id }));
    assert.equal(create.code, "invalid_value");
  });

  test("ids of every kind of nonsense are 400 or 404 and never an error of the server", async () => {
    const nonsense = [
      "%00",
      "%F0%9F%98%80",
      "%ED%A0%80",
      "%",
      "..%2F..%2Fetc",
      "'; drop table runs; --",
      "x".repeat(5000),
      "run_%0Aset-cookie:a",
      "null",
      "%20",
    ];
    for (const id of nonsense) {
      for (const [path, request] of [
        ...routes({ ...ours, run_id: id }),
        ...routes({ ...ours, thread_id: `thread_${id}` }),
        ...routes({ ...ours, step_id: id }).slice(7, 8),
      ]) {
        const refusal = await refuse(path, request);
        assert.ok(refusal.status === 404 || refusal.status === 400, `${path} ${refusal.status}`);
      }
    }
  });
});
