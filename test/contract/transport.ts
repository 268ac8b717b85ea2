// What holds for every request: keys, headers, bodies, URLs, and what browsers need.
import assert from "node:assert/strict";
import type { Call } from "../support/app.ts";
import { assertRefused, badRequest, notFound, unauthorized } from "./refusals.ts";
import { rule } from "./row.ts";
import type { Row } from "./row.ts";
import { newMessage, newRun, newThread, quietAssistant, quietThread } from "./world.ts";
import type { Made, World } from "./world.ts";

const REQUEST_ID = /^req_[0-9a-f]{32}$/;

const withHeaders = (headers: Record<string, string | undefined>): Call => ({ headers });

const MISSING_KEY =
  "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're accessing the API from your browser and are prompted for a username and password. You can obtain an API key from https://platform.openai.com/account/api-keys.";

const MISSING_BETA = badRequest(
  "You must provide the 'OpenAI-Beta' header to access the Assistants API. Please try again by setting the header 'OpenAI-Beta: assistants=v2'.",
  null,
  "invalid_beta",
);

const BROKEN_JSON = badRequest(
  "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble figuring out how to fix this, please contact us through our help center at help.openai.com.)",
);

/** Every path that wants the beta header. */
const BETA_PATHS = [
  ["GET", "/assistants"],
  ["POST", "/assistants"],
  ["GET", "/assistants/asst_abc"],
  ["POST", "/assistants/asst_abc"],
  ["DELETE", "/assistants/asst_abc"],
  ["POST", "/threads"],
  ["GET", "/threads/thread_abc"],
  ["POST", "/threads/thread_abc"],
  ["DELETE", "/threads/thread_abc"],
  ["GET", "/threads/thread_abc/messages"],
  ["POST", "/threads/thread_abc/messages"],
  ["GET", "/threads/thread_abc/messages/msg_abc"],
  ["POST", "/threads/thread_abc/messages/msg_abc"],
  ["DELETE", "/threads/thread_abc/messages/msg_abc"],
  ["POST", "/threads/runs"],
  ["GET", "/threads/thread_abc/runs"],
  ["POST", "/threads/thread_abc/runs"],
  ["GET", "/threads/thread_abc/runs/run_abc"],
  ["POST", "/threads/thread_abc/runs/run_abc"],
  ["POST", "/threads/thread_abc/runs/run_abc/cancel"],
  ["POST", "/threads/thread_abc/runs/run_abc/submit_tool_outputs"],
  ["GET", "/threads/thread_abc/runs/run_abc/steps"],
  ["GET", "/threads/thread_abc/runs/run_abc/steps/step_abc"],
] as const;

/** Answers of all kinds, with the status that each has. */
async function answers(world: World) {
  const assistant = (await quietAssistant(world)).id;
  return Promise.all(
    (
      [
        ["GET", `/assistants/${assistant}`, {}, 200],
        ["GET", "/assistants", {}, 200],
        ["POST", "/threads", { body: {} }, 200],
        ["DELETE", `/threads/${(await newThread(world)).id}`, {}, 200],
        ["GET", "/models", {}, 200],
        ["GET", "/assistants?limit=0", {}, 400],
        ["POST", "/assistants", { body: "{" }, 400],
        ["GET", "/models", withHeaders({ authorization: undefined }), 401],
        ["GET", "/threads/thread_abc", {}, 404],
        ["GET", "/nothing", {}, 404],
        ["GET", "/threads/thread_abc", withHeaders({ "openai-beta": undefined }), 400],
      ] as const
    ).map(async ([method, path, call, expected]) => {
      const answer = await world.call<unknown>(method, path, call);
      assert.equal(answer.status, expected, `${method} ${path}`);
      return answer;
    }),
  );
}

const keys: Row<World>[] = [
  rule("transport.key.bearer", "0.2", "a key comes as Authorization: Bearer KEY", async (world) => {
    const authorization = "Bearer sk-test-alice-0123456789";
    assert.equal((await world.call("GET", "/models", withHeaders({ authorization }))).status, 200);
  }),
  rule("transport.key.basic", "0.2", "a key may come as the password of Basic, with an empty user", async (world) => {
    const authorization = `Basic ${Buffer.from(":sk-test-alice-0123456789").toString("base64")}`;
    assert.equal((await world.call("GET", "/models", withHeaders({ authorization }))).status, 200);
    const wrong = `Basic ${Buffer.from(":sk-test-nobody-0123456789").toString("base64")}`;
    assert.equal((await world.call("GET", "/models", withHeaders({ authorization: wrong }))).status, 401);
  }),
  rule(
    "transport.key.missing",
    "5.4",
    "without a key the answer says how to send one",
    async (world) => {
      for (const authorization of [undefined, "", "Token sk-test-alice-0123456789"]) {
        assertRefused(
          await world.call("GET", "/models", withHeaders({ authorization })),
          unauthorized(MISSING_KEY, null),
        );
      }
    },
    { kind: "error" },
  ),
  rule(
    "transport.key.incorrect",
    "5.4",
    "a wrong key is shown masked",
    async (world) => {
      const wrong = (shown: string) =>
        unauthorized(
          `Incorrect API key provided: ${shown}. You can find your API key at https://platform.openai.com/account/api-keys.`,
          "invalid_api_key",
        );
      const tried = (authorization: string) => world.call("GET", "/models", withHeaders({ authorization }));
      assertRefused(await tried("Bearer "), wrong("''"));
      assertRefused(await tried("Bearer sk-abcdefghijklmnopqrstuvwxyz"), wrong("sk-ab***yz"));
    },
    { kind: "error" },
  ),
];

const beta: Row<World>[] = [
  rule("transport.beta.tokens", "0.2", "the beta header may list several betas", async (world) => {
    for (const value of ["assistants=v2", "realtime=v1,assistants=v2", "assistants=v2, other=v9"]) {
      assert.equal((await world.call("GET", "/assistants", withHeaders({ "openai-beta": value }))).status, 200);
    }
  }),
  rule(
    "transport.beta.missing",
    "5.4",
    "the beta header is wanted on every path under /assistants and /threads",
    async (world) => {
      for (const value of [undefined, "", "realtime=v1", "assistants"]) {
        for (const [method, path] of BETA_PATHS) {
          assertRefused(await world.call(method, path, withHeaders({ "openai-beta": value })), MISSING_BETA);
        }
      }
    },
    { kind: "error" },
  ),
  rule("transport.beta.models", "0.2", "the beta header is not wanted for models", async (world) => {
    for (const value of [undefined, "assistants=v2"]) {
      assert.equal((await world.call("GET", "/models", withHeaders({ "openai-beta": value }))).status, 200);
    }
  }),
];

const headers: Row<World>[] = [
  rule(
    "transport.headers.ignored",
    "0.2",
    "headers of organizations, projects and SDKs change nothing",
    async (world) => {
      const sent = {
        "openai-organization": "org-abc",
        "openai-project": "proj_abc",
        "user-agent": "OpenAI/Python 1.109.1",
        "x-stainless-lang": "js",
        "x-stainless-retry-count": "2",
        "x-stainless-helper-method": "stream",
        "x-stainless-poll-helper": "true",
        "x-stainless-raw-response": "true",
      };
      const { id } = await quietAssistant(world);
      assert.deepEqual(await world.get(`/assistants/${id}`, withHeaders(sent)), await world.get(`/assistants/${id}`));
    },
  ),
  rule("transport.accept", "0.2", "what a client accepts never decides whether it is sent a stream", async (world) => {
    for (const accept of ["application/json", "text/event-stream", "application/json, text/event-stream", "*/*"]) {
      const run = await newRun(world);
      const path = `/threads/${run.thread_id}/runs`;
      const answer = await world.call<Made>("GET", `${path}/${run.id}`, withHeaders({ accept }));
      assert.match(String(answer.headers["content-type"]), /^application\/json/);
      const body = { assistant_id: (await quietAssistant(world)).id };
      const made = await world.call<Made>("POST", "/threads/runs", { body, ...withHeaders({ accept }) });
      assert.deepEqual([made.status, made.body["object"]], [200, "thread.run"]);
    }
  }),
  rule("transport.answers.json", "0.2", "every answer is application/json", async (world) => {
    for (const answer of await answers(world))
      assert.match(String(answer.headers["content-type"]), /^application\/json\b/);
  }),
  rule("transport.answers.request-id", "5.5", "every answer has an x-request-id of its own", async (world) => {
    const seen = (await answers(world)).map((answer) => String(answer.headers["x-request-id"]));
    for (const id of seen) assert.match(id, REQUEST_ID);
    assert.equal(new Set(seen).size, seen.length);
  }),
  rule(
    "transport.answers.version",
    "5.5",
    "every answer has openai-version and openai-processing-ms",
    async (world) => {
      for (const { headers: sent } of await answers(world)) {
        assert.equal(sent["openai-version"], "2020-10-01");
        assert.match(String(sent["openai-processing-ms"]), /^\d+$/);
      }
    },
  ),
  rule("transport.answers.poll-after", "8 #45", "reading a run tells pollers to wait half a second", async (world) => {
    const run = await newRun(world);
    const { headers: sent } = await world.call("GET", `/threads/${run.thread_id}/runs/${run.id}`);
    assert.equal(String(sent["openai-poll-after-ms"]), "500");
  }),
  rule("transport.answers.rate-limits", "8 #44", "no answer has rate-limit headers", async (world) => {
    for (const { headers: sent } of await answers(world)) {
      assert.ok(!Object.keys(sent).some((name) => name.startsWith("x-ratelimit")));
    }
  }),
  rule("transport.answers.no-retry", "5.6", "a refusal does not ask to be tried again", async (world) => {
    for (const { headers: sent } of await answers(world)) assert.notEqual(sent["x-should-retry"], "true");
  }),
];

const bodies: Row<World>[] = [
  rule("transport.body.none", "0.2", "making a thread and cancelling a run need no body", async (world) => {
    assert.equal((await world.call("POST", "/threads")).status, 200);
    assert.equal((await world.call("POST", "/threads", { body: "" })).status, 200);
    for (const body of [undefined, "", {}]) {
      const run = await newRun(world);
      const path = `/threads/${run.thread_id}/runs/${run.id}/cancel`;
      assert.equal((await world.call("POST", path, { body })).status, 200);
    }
  }),
  rule("transport.body.spaces", "0.2", "JSON may be laid out as one likes", async (world) => {
    const body = `\n{\n  "model" :\t"gpt-4o",\r\n  "metadata": { }\n}\n`;
    assert.equal((await world.call("POST", "/assistants", { body })).status, 200);
  }),
  rule("transport.body.type", "0.2", "the content type may name a character set", async (world) => {
    const type = withHeaders({ "content-type": "application/json; charset=utf-8" });
    const { body } = await world.call<Made>("POST", "/assistants", { body: { model: "m", name: "Zoë" }, ...type });
    assert.equal(body["name"], "Zoë");
  }),
  rule(
    "transport.body.broken",
    "5.3",
    "what is not JSON is refused, whatever is asked for",
    async (world) => {
      for (const [method, path] of BETA_PATHS) {
        if (method !== "POST" || path.endsWith("/cancel")) continue;
        for (const body of ["{", '{"model": ', "nope", '{"a": 1,}', "{}{}", "model=gpt-4o", "{'a': 1}"]) {
          assertRefused(await world.call(method, path, { body }), BROKEN_JSON);
        }
      }
    },
    { kind: "error" },
  ),
  rule(
    "transport.status",
    "0.2",
    "what succeeds is answered with 200, also what makes and what deletes",
    async (world) => {
      const message = await newMessage(world);
      const thread = message.thread_id;
      const assistant = await world.call<Made>("POST", "/assistants", { body: { model: "m" } });
      const run = await world.call<Made>("POST", "/threads/runs", { body: { assistant_id: assistant.body.id } });
      const statuses = [assistant, run];
      for (const [method, path] of [
        ["POST", `/threads/${thread}/messages`],
        ["DELETE", `/threads/${thread}/messages/${message.id}`],
        ["DELETE", `/threads/${thread}`],
        ["DELETE", `/assistants/${assistant.body.id}`],
      ] as const) {
        const body = method === "POST" ? { role: "user", content: "x" } : undefined;
        statuses.push(await world.call<Made>(method, path, { body }));
      }
      assert.deepEqual(new Set(statuses.map(({ status }) => status)), new Set([200]));
    },
  ),
];

const urls: Row<World>[] = [
  rule(
    "transport.url.unknown",
    "5.4",
    "an unknown URL is named with its method, and without its query",
    async (world) => {
      const { id } = await quietThread(world);
      for (const [method, path] of [
        ["POST", "/assistantz"],
        ["GET", "/threads"],
        ["GET", `/threads/${id}/nothing`],
        ["GET", "/"],
        ["POST", "/threads/thread_abc/runs/run_abc/cancel/now"],
      ] as const) {
        assertRefused(await world.call(method, `${path}?a=b`), notFound(`Invalid URL (${method} /v1${path})`));
      }
    },
    { kind: "error" },
  ),
  rule(
    "transport.url.first-version",
    "8 #49",
    "paths that only the first version had are unknown",
    async (world) => {
      for (const path of ["/assistants/asst_abc/files", "/threads/thread_abc/messages/msg_abc/files"]) {
        assertRefused(await world.call("GET", path), notFound(`Invalid URL (GET /v1${path})`));
      }
    },
    { kind: "error" },
  ),
  rule("transport.query.unknown", "9", "unknown query parameters are ignored", async (world) => {
    const { id } = await quietAssistant(world);
    for (const path of [`/assistants/${id}`, "/models", `/threads/${(await quietThread(world)).id}`]) {
      assert.deepEqual(await world.get(`${path}?api-version=2024-05-01-preview&x[]=1`), await world.get(path));
    }
    assert.equal((await world.call("POST", "/threads?api-version=2024", { body: {} })).status, 200);
  }),
  rule("transport.ids", "2", "an id is its prefix and 24 characters of [A-Za-z0-9]", async (world) => {
    const run = await newRun(world);
    const message = await newMessage(world);
    for (const [id, prefix] of [
      [(await quietAssistant(world)).id, "asst_"],
      [(await quietThread(world)).id, "thread_"],
      [message.id, "msg_"],
      [run.id, "run_"],
    ] as const) {
      assert.match(id, new RegExp(`^${prefix}[A-Za-z0-9]{24}$`));
    }
  }),
];

const browsers: Row<World>[] = [
  rule("transport.cors.answers", "5.5", "pages of any origin may read the answers and their headers", async (world) => {
    for (const { headers: sent } of await answers(world)) {
      assert.equal(sent["access-control-allow-origin"], "*");
      assert.ok(sent["access-control-expose-headers"]);
    }
  }),
  rule(
    "transport.cors.preflight",
    "5.5",
    "a preflight is answered without a key and allows the SDK's headers",
    async (world) => {
      const wanted = "authorization,content-type,openai-beta,x-stainless-lang,x-stainless-os";
      for (const path of ["/v1/assistants", "/v1/threads/runs", "/v1/threads/thread_abc/runs/run_abc"]) {
        for (const method of ["GET", "POST", "DELETE"]) {
          const { status, headers: sent } = await world.app.call("OPTIONS", path, {
            headers: {
              authorization: undefined,
              "openai-beta": undefined,
              origin: "https://example.com",
              "access-control-request-method": method,
              "access-control-request-headers": wanted,
            },
          });
          assert.ok(status === 200 || status === 204, `${status}`);
          assert.equal(sent["access-control-allow-origin"], "*");
          const allowed = String(sent["access-control-allow-headers"]).toLowerCase().split(/, */);
          for (const header of wanted.split(",")) assert.ok(allowed.includes(header), header);
          assert.ok(String(sent["access-control-allow-methods"]).split(/, */).includes(method));
        }
      }
    },
  ),
];

export const transportRows: Row<World>[] = [...keys, ...beta, ...headers, ...bodies, ...urls, ...browsers];
