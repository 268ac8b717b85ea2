// What every request meets before its route: headers, keys, unknown URLs, the beta header, bodies that cannot be read.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { text as readAll } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { pino } from "pino";
import { DiskBlobs } from "../blobs/disk-blobs.ts";
import { listApiKeys, revokeApiKey } from "../db/api-keys.ts";
import { EventReader } from "../db/event-reader.ts";
import { createPool } from "../db/pool.ts";
import { startTestApp } from "../test/support/app.ts";
import type { ErrorBody, TestApp } from "../test/support/app.ts";
import { createApp } from "./app.ts";

let app: TestApp;
before(async () => {
  app = await startTestApp();
});
after(() => app.stop());

const MISSING_KEY =
  "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're accessing the API from your browser and are prompted for a username and password. You can obtain an API key from https://platform.openai.com/account/api-keys.";
const BROKEN_JSON =
  "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble figuring out how to fix this, please contact us through our help center at help.openai.com.)";

function refusal(message: string, details: Partial<ErrorBody["error"]> = {}): ErrorBody {
  return { error: { message, type: "invalid_request_error", param: null, code: null, ...details } };
}

describe("keys", () => {
  test("a request without a key is told how to send one", async () => {
    for (const authorization of [undefined, "", "Token abc", "sk-test-alice-0123456789"]) {
      const { status, body } = await app.call("GET", "/v1/models", { headers: { authorization } });
      assert.equal(status, 401);
      assert.deepEqual(body, refusal(MISSING_KEY));
    }
  });

  test("an unknown key is shown masked", async () => {
    const attempts = { "Bearer sk-abcdefghijklmnopqrstuvwxyz": "sk-ab***yz", Bearer: "''", "bearer short": "***" };
    for (const [authorization, shown] of Object.entries(attempts)) {
      const { status, body } = await app.call("GET", "/v1/models", { headers: { authorization } });
      assert.equal(status, 401);
      const message = `Incorrect API key provided: ${shown}. You can find your API key at https://platform.openai.com/account/api-keys.`;
      assert.deepEqual(body, refusal(message, { code: "invalid_api_key" }));
    }
  });

  test("the key may come as the password of basic authentication", async () => {
    const authorization = `Basic ${Buffer.from(":sk-test-alice-0123456789").toString("base64")}`;
    const { status } = await app.call("GET", "/v1/models", { headers: { authorization } });
    assert.equal(status, 200);
  });

  test("a key that is revoked is refused by processes that have not just seen it", async () => {
    const key = (await listApiKeys(app.db)).find((item) => item.name === "bob");
    await revokeApiKey(app.db, key?.id ?? "");
    assert.equal((await app.call("GET", "/v1/models", { as: "bob" })).status, 401);
  });
});

describe("the order of checks", () => {
  const authorization = undefined;
  const beta = { "openai-beta": undefined };

  test("is key before URL, URL before beta header and body, beta header before body, body before path object", async () => {
    const wrongBody = { body: "{" };
    const unknown = await app.call("POST", "/v1/assistantz", { ...wrongBody, headers: { authorization, ...beta } });
    assert.equal(unknown.status, 401);
    const noBeta = await app.call("POST", "/v1/assistantz", { ...wrongBody, headers: beta });
    assert.deepEqual([noBeta.status, noBeta.body], [404, refusal("Invalid URL (POST /v1/assistantz)")]);
    const noJson = await app.call("POST", "/v1/threads/thread_A", { ...wrongBody, headers: beta });
    assert.equal(noJson.body.error.code, "invalid_beta");
    const noThread = await app.call("POST", "/v1/threads/thread_A", wrongBody);
    assert.deepEqual([noThread.status, noThread.body], [400, refusal(BROKEN_JSON)]);
    const invalid = await app.call("POST", "/v1/threads/thread_A/messages", { body: { role: "user" } });
    assert.equal(invalid.body.error.code, "missing_required_parameter");
    const fine = await app.call("POST", "/v1/threads/thread_A/messages", { body: { role: "user", content: "Hi" } });
    assert.deepEqual([fine.status, fine.body], [404, refusal("No thread found with id 'thread_A'.")]);
  });
});

describe("unknown URLs", () => {
  test("name the method and the path, without the query", async () => {
    for (const [method, path] of [
      ["GET", "/v1/threads"],
      ["GET", "/v1/"],
      ["GET", "/v1"],
      ["DELETE", "/v1/assistants"],
      ["GET", "/v1/threads/thread_A/nothing"],
      ["GET", "/v1/threads/%zz"],
      ["GET", "/elsewhere"],
    ] as const) {
      const { status, body } = await app.call(method, `${path}?a=b`);
      assert.deepEqual([status, body], [404, refusal(`Invalid URL (${method} ${path})`)]);
    }
  });
});

describe("the beta header", () => {
  test("is wanted under /assistants and /threads", async () => {
    for (const path of ["/v1/assistants", "/v1/threads/thread_A", "/v1/threads/thread_A/runs"]) {
      for (const value of [undefined, "", "assistants", "assistants=v3", "realtime=v1"]) {
        const { status, body } = await app.call("GET", path, { headers: { "openai-beta": value } });
        const message =
          "You must provide the 'OpenAI-Beta' header to access the Assistants API. Please try again by setting the header 'OpenAI-Beta: assistants=v2'.";
        assert.deepEqual([status, body], [400, refusal(message, { code: "invalid_beta" })]);
      }
    }
  });

  test("may list several betas", async () => {
    for (const value of ["assistants=v2", "realtime=v1, assistants=v2", "assistants=v1,assistants=v2"]) {
      assert.equal((await app.call("GET", "/v1/assistants", { headers: { "openai-beta": value } })).status, 200);
    }
  });

  test("decides which version answers", async () => {
    const ask = async (beta: string) => {
      const headers = { "openai-beta": beta };
      const body = { model: "gpt-4o" };
      return Object.keys((await app.call<object>("POST", "/v1/assistants", { body, headers })).body);
    };
    assert.ok((await ask("assistants=v1")).includes("file_ids"));
    assert.ok((await ask("assistants=v2")).includes("tool_resources"));
    assert.ok((await ask("assistants=v1, assistants=v2")).includes("tool_resources"), "of both, the newer");
  });

  test("hides the addresses of the other version", async () => {
    const files = { headers: { "openai-beta": "assistants=v2" } };
    const { status, body } = await app.call("GET", "/v1/assistants/asst_A/files", files);
    assert.deepEqual([status, body], [404, refusal("Invalid URL (GET /v1/assistants/asst_A/files)")]);
    const deletion = { headers: { "openai-beta": "assistants=v1" } };
    assert.equal((await app.call("DELETE", "/v1/threads/thread_A/messages/msg_A", deletion)).status, 404);
  });

  test("is not wanted for models", async () => {
    assert.equal((await app.call("GET", "/v1/models", { headers: { "openai-beta": undefined } })).status, 200);
  });
});

describe("bodies", () => {
  test("of another type are refused, unless they are empty", async () => {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const { status, body } = await app.call("POST", "/v1/assistants", { body: "model=gpt-4o", headers });
    assert.equal(status, 415);
    assert.match(body.error.message, /^Unsupported content type: 'application\/x-www-form-urlencoded'/);
    assert.equal((await app.call("POST", "/v1/threads", { body: "", headers })).status, 200);
  });

  test("of JSON are read whatever the character set is called, and without any stated type", async () => {
    for (const type of ["application/json; charset=utf-8", "Application/JSON", undefined]) {
      const call = { body: { metadata: { a: "b" } }, headers: { "content-type": type } };
      assert.equal((await app.call("POST", "/v1/threads", call)).status, 200, type);
    }
  });

  test("that are missing leave out what is required", async () => {
    const { body } = await app.call("POST", "/v1/assistants");
    assert.equal(body.error.message, "Missing required parameter: 'model'.");
  });

  test("of more than 16 MiB are refused", async () => {
    const { status, body } = await app.call("POST", "/v1/threads", { body: `"${"x".repeat(16 * 1024 * 1024)}"` });
    assert.deepEqual(
      [status, body],
      [413, refusal("The request body is too large. The maximum size is 16777216 bytes.")],
    );
  });
});

describe("headers", () => {
  test("identify every answer, whatever its status, and let browsers read it", async () => {
    const seen = new Set();
    for (const [path, status] of [
      ["/v1/models", 200],
      ["/v1/nothing", 404],
      ["/v1/threads/%zz", 404],
      ["/healthz", 200],
      ["/v1/threads/thread_A", 404],
      ["/v1/assistants?limit=0", 400],
    ] as const) {
      const answer = await app.call("GET", path);
      assert.equal(answer.status, status);
      assert.match(String(answer.headers["x-request-id"]), /^req_[0-9a-f]{32}$/);
      assert.match(String(answer.headers["openai-processing-ms"]), /^\d+$/);
      assert.equal(answer.headers["openai-version"], "2020-10-01");
      assert.equal(answer.headers["access-control-allow-origin"], "*");
      assert.match(String(answer.headers["content-type"]), /^application\/json/);
      seen.add(answer.headers["x-request-id"]);
    }
    assert.equal(seen.size, 6);
  });

  test("of a preflight allow what the browser wants to send, without a key", async () => {
    const wanted = "authorization,content-type,openai-beta,x-stainless-lang";
    const headers = { authorization: undefined, "access-control-request-headers": wanted };
    const answer = await app.call("OPTIONS", "/v1/threads/runs", { headers });
    assert.equal(answer.status, 204);
    assert.equal(answer.headers["access-control-allow-headers"], wanted);
    assert.equal(answer.headers["access-control-allow-methods"], "GET, POST, DELETE");
    assert.equal(answer.headers["access-control-allow-origin"], "*");
  });
});

test("health is answered without a key", async () => {
  for (const path of ["/healthz", "/readyz"]) {
    assert.equal((await app.call("GET", path, { headers: { authorization: undefined } })).status, 200);
  }
});

test("without its database the process is up but not ready, and says so to clients in a way that makes them try again", async () => {
  const url = "postgres://nobody@127.0.0.1:1/nothing";
  const db = createPool({ url, max: 1, name: "test", onError: () => undefined });
  const orphan = createApp({
    blobs: new DiskBlobs("never-made"),
    files: { allowDownloads: false },
    db,
    log: pino({ level: "silent" }),
    runs: { expiresAfterSeconds: 600 },
    workflows: { start: () => undefined, wake: () => undefined, cancel: () => undefined },
    ingests: { look: () => undefined, cancel: () => undefined },
    findPassages: async () => [],
    rewriteQueries: async (queries) => [...queries],
    events: new EventReader({ url, pool: db, onError: () => undefined }),
  });
  assert.equal((await orphan.inject("/healthz")).statusCode, 200);
  assert.equal((await orphan.inject("/readyz")).statusCode, 503);
  const answer = await orphan.inject({ url: "/v1/models", headers: { authorization: "Bearer x" } });
  assert.equal(answer.statusCode, 503);
  assert.equal(answer.json<ErrorBody>().error.type, "server_error");
  await orphan.close();
  await db.end();
});

test("what is not HTTP is answered in the same shape, and the connection closed", async () => {
  const listening = createApp({
    blobs: new DiskBlobs("never-made"),
    files: { allowDownloads: false },
    db: app.db,
    log: pino({ level: "silent" }),
    runs: { expiresAfterSeconds: 600 },
    workflows: { start: () => undefined, wake: () => undefined, cancel: () => undefined },
    ingests: { look: () => undefined, cancel: () => undefined },
    findPassages: async () => [],
    rewriteQueries: async (queries) => [...queries],
    events: new EventReader({ url: "", pool: app.db, onError: () => undefined }),
  });
  const { port } = new URL(await listening.listen({ host: "127.0.0.1", port: 0 }));
  const say = async (bytes: string): Promise<string> => {
    const socket = connect(Number(port), "127.0.0.1");
    socket.write(bytes);
    return readAll(socket);
  };
  assert.match(await say("GARBAGE\r\n\r\n"), /^HTTP\/1\.1 400 .*x-request-id: req_.*"type":"invalid_request_error"/s);
  assert.match(await say(`GET / HTTP/1.1\r\nHost: x\r\nA: ${"a".repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /);
  await listening.close();
});
