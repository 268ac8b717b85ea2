// `Idempotency-Key`, an extension: a POST that is repeated under its key is carried out once and answered alike.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { newId } from "../contract/ids.ts";
import { IDEMPOTENCY_KEY_SECONDS } from "../contract/limits.ts";
import type { Run } from "../contract/run.ts";
import { dropOldKeys } from "../db/idempotency-keys.ts";
import { NO_USAGE } from "../db/open-work.ts";
import { beginTurn, openToolCalls, requireAction } from "../db/run-turns.ts";
import type { TurnRun } from "../db/run-turns.ts";
import { FORM_TYPE, fileForm, formOf } from "../test/support/forms.ts";
import { startTestApp } from "../test/support/app.ts";
import type { Answer, Call, ErrorBody, TestApp } from "../test/support/app.ts";

type Version = "v1" | "v2";

let app: TestApp;
before(async () => {
  app = await startTestApp();
  await app.putFiles("file-A", "file-B", "file-C");
  await app.call("GET", "/healthz"); // from here on it knows its routes
});
after(() => app.stop());

interface Post extends Call {
  key?: string;
  version?: Version;
}

function post<Body = ErrorBody>(path: string, { key, version = "v2", headers, ...call }: Post = {}) {
  const all = {
    "openai-beta": `assistants=${version}`,
    ...(key === undefined ? {} : { "idempotency-key": key }),
    ...headers,
  };
  return app.call<Body>("POST", path, { ...call, headers: all });
}

async function make<Body = { id: string }>(path: string, call: Post = {}): Promise<Body> {
  const answer = await post<Body>(path, call);
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

const HELLO = { role: "user", content: "Hello" };

/** The id of an assistant that has files in version 1, as have its runs. */
async function makeAssistant(): Promise<string> {
  return (await make("/v1/assistants", { body: { model: "gpt-4", file_ids: ["file-A"] }, version: "v1" })).id;
}

const makeThread = async (): Promise<string> => (await make("/v1/threads", { body: { messages: [HELLO] } })).id;

/** The path of a queued run. */
async function makeRun(): Promise<string> {
  const body = { assistant_id: await makeAssistant() };
  const { thread_id, id } = await make<Run>("/v1/threads/runs", { body });
  return `/v1/threads/${thread_id}/runs/${id}`;
}

/** The path of a run that waits for the output of `call_a`. */
async function parkRun(): Promise<string> {
  const path = await makeRun();
  const id = path.split("/").at(-1) ?? "";
  const { rows } = await app.db.query<{ project_id: string }>("select project_id from runs where id = $1", [id]);
  const start = await beginTurn(app.db, { id, project_id: rows[0]?.project_id ?? "" });
  const turn = (start as { run: TurnRun }).run;
  const step = newId("step_");
  const call = { id: "call_a", type: "function" as const, function: { name: "f", arguments: "{}" } };
  await openToolCalls(app.db, turn, step);
  await requireAction(app.db, turn, step, [call], NO_USAGE);
  return path;
}

const outputs = (output: string) => ({ tool_outputs: [{ tool_call_id: "call_a", output }] });

const TABLES = [
  "files",
  "uploads",
  "upload_parts",
  "assistants",
  "threads",
  "messages",
  "runs",
  "run_steps",
  "run_events",
  "vector_stores",
  "vector_store_files",
  "vector_store_file_batches",
  "idempotency_keys",
];

/** Every row of every table that a client's request can reach. */
async function contents(): Promise<unknown> {
  const tables = TABLES.map((table) => `select '${table}', json_agg(t order by t::text)::text from ${table} t`);
  return (await app.db.query({ text: tables.join(" union all "), rowMode: "array" })).rows;
}

async function count(table: string): Promise<number> {
  return (await app.db.query<{ count: number }>(`select count(*) from ${table}`)).rows[0]?.count ?? -1;
}

function assertReused(answer: Answer<ErrorBody>): void {
  assert.equal(answer.status, 400, answer.text);
  const { type, param, code } = answer.body.error;
  assert.deepEqual(
    { type, param, code },
    { type: "invalid_request_error", param: null, code: "idempotency_key_reused" },
  );
}

/** A request, and another body that the same address takes. */
interface Attempt {
  path: string;
  body?: unknown;
  other: unknown;
  headers?: Record<string, string>;
}

const FORM = { "content-type": FORM_TYPE };
const NEW_UPLOAD = { purpose: "assistants", filename: "a.txt", bytes: 5, mime_type: "text/plain" };
const partForm = (content: string) => formOf([{ name: "data", filename: "blob", content }]);

/** The path of a pending upload. */
const makeUpload = async (): Promise<string> => `/v1/uploads/${(await make("/v1/uploads", { body: NEW_UPLOAD })).id}`;

/** The path of a store with these files. */
const makeStore = async (...file_ids: string[]): Promise<string> =>
  `/v1/vector_stores/${(await make("/v1/vector_stores", { body: { file_ids } })).id}`;

/** How to ask for each route that takes a POST. */
const ATTEMPTS: Record<string, (version: Version) => Promise<Attempt>> = {
  "/v1/assistants": async (version) => ({
    path: "/v1/assistants",
    body: { model: "gpt-4o", ...(version === "v1" ? { file_ids: ["file-A"] } : { temperature: 0.3 }) },
    other: { model: "gpt-4" },
  }),
  "/v1/assistants/:assistant_id": async (version) => ({
    path: `/v1/assistants/${await makeAssistant()}`,
    body: { name: "one", ...(version === "v1" ? { file_ids: ["file-B"] } : {}) },
    other: { name: "two" },
  }),
  "/v1/assistants/:assistant_id/files": async () => ({
    path: `/v1/assistants/${await makeAssistant()}/files`,
    body: { file_id: "file-B" },
    other: { file_id: "file-C" },
  }),
  "/v1/threads": async (version) => ({
    path: "/v1/threads",
    body: { messages: [{ ...HELLO, ...(version === "v1" ? { file_ids: ["file-A"] } : {}) }] },
    other: {},
  }),
  "/v1/threads/:thread_id": async () => ({
    path: `/v1/threads/${await makeThread()}`,
    body: { metadata: { a: "1" } },
    other: { metadata: { a: "2" } },
  }),
  "/v1/threads/:thread_id/messages": async (version) => ({
    path: `/v1/threads/${await makeThread()}/messages`,
    body: { ...HELLO, ...(version === "v1" ? { file_ids: ["file-A"] } : {}) },
    other: { role: "user", content: "Good-bye" },
  }),
  "/v1/threads/:thread_id/messages/:message_id": async (version) => {
    const messages = `/v1/threads/${await makeThread()}/messages`;
    const body = { ...HELLO, ...(version === "v1" ? { file_ids: ["file-A"] } : {}) };
    const { id } = await make(messages, { body, version });
    return { path: `${messages}/${id}`, body: { metadata: { a: "1" } }, other: { metadata: { a: "2" } } };
  },
  "/v1/threads/runs": async () => {
    const assistant_id = await makeAssistant();
    return { path: "/v1/threads/runs", body: { assistant_id }, other: { assistant_id, instructions: "Be brief." } };
  },
  "/v1/threads/:thread_id/runs": async () => {
    const [thread, assistant_id] = [await makeThread(), await makeAssistant()];
    return {
      path: `/v1/threads/${thread}/runs`,
      body: { assistant_id, additional_messages: [HELLO] },
      other: { assistant_id, additional_messages: [] },
    };
  },
  "/v1/threads/:thread_id/runs/:run_id": async () => ({
    path: await makeRun(),
    body: { metadata: { a: "1" } },
    other: { metadata: { a: "2" } },
  }),
  "/v1/files": async () => ({
    path: "/v1/files",
    body: fileForm("some words"),
    other: fileForm("other words"),
    headers: FORM,
  }),
  "/v1/uploads": async () => ({ path: "/v1/uploads", body: NEW_UPLOAD, other: { ...NEW_UPLOAD, bytes: 6 } }),
  "/v1/uploads/:upload_id/parts": async () => ({
    path: `${await makeUpload()}/parts`,
    body: partForm("words"),
    other: partForm("other"),
    headers: FORM,
  }),
  "/v1/uploads/:upload_id/complete": async () => {
    const path = await makeUpload();
    const { id } = await make(`${path}/parts`, { body: partForm("words"), headers: FORM });
    return { path: `${path}/complete`, body: { part_ids: [id] }, other: { part_ids: [id], md5: "0" } };
  },
  "/v1/uploads/:upload_id/cancel": async () => ({ path: `${await makeUpload()}/cancel`, other: { a: 1 } }),
  "/v1/vector_stores": async () => ({ path: "/v1/vector_stores", body: { file_ids: ["file-A"] }, other: {} }),
  "/v1/vector_stores/:vector_store_id": async () => ({
    path: await makeStore(),
    body: { name: "one" },
    other: { name: "two" },
  }),
  "/v1/vector_stores/:vector_store_id/files": async () => ({
    path: `${await makeStore()}/files`,
    body: { file_id: "file-A" },
    other: { file_id: "file-B" },
  }),
  "/v1/vector_stores/:vector_store_id/files/:file_id": async () => ({
    path: `${await makeStore("file-A")}/files/file-A`,
    body: { attributes: { a: 1 } },
    other: { attributes: { a: 2 } },
  }),
  "/v1/vector_stores/:vector_store_id/file_batches": async () => ({
    path: `${await makeStore()}/file_batches`,
    body: { file_ids: ["file-A"] },
    other: { file_ids: ["file-B"] },
  }),
  "/v1/vector_stores/:vector_store_id/file_batches/:batch_id/cancel": async () => {
    const batches = `${await makeStore()}/file_batches`;
    const { id } = await make(batches, { body: { file_ids: ["file-A"] } });
    return { path: `${batches}/${id}/cancel`, other: { a: 1 } };
  },
  "/v1/vector_stores/:vector_store_id/search": async () => ({
    path: `${await makeStore("file-A")}/search`,
    body: { query: "words" },
    other: { query: "other words" },
  }),
  "/v1/threads/:thread_id/runs/:run_id/cancel": async () => ({ path: `${await makeRun()}/cancel`, other: { a: 1 } }),
  "/v1/threads/:thread_id/runs/:run_id/submit_tool_outputs": async () => ({
    path: `${await parkRun()}/submit_tool_outputs`,
    body: outputs("one"),
    other: outputs("two"),
  }),
};

describe("a key", () => {
  test("is taken by every route with a POST, of both versions: what is repeated changes no row and is answered alike", async (t) => {
    const routes = app.routes.filter(({ method, url }) => method === "POST" && url.startsWith("/v1/"));
    assert.deepEqual([...new Set(routes.map(({ url }) => url))].toSorted(), Object.keys(ATTEMPTS).toSorted());
    for (const { url, version } of routes) {
      for (const name of version === undefined ? (["v1", "v2"] as const) : [version as Version]) {
        await t.test(`POST ${url}, ${name}`, async () => {
          const attempt = await ATTEMPTS[url]?.(name);
          assert.ok(attempt, "this test does not know the route");
          const { path, body, other, headers = {} } = attempt;
          const sent = { key: randomUUID(), version: name, body, headers };
          const first = await post(path, sent);
          assert.equal(first.status, 200, first.text);
          const rows = await contents();
          assert.deepEqual(await post(path, sent).then(({ status, text }) => [status, text]), [200, first.text]);
          assertReused(await post(path, { ...sent, body: other }));
          assert.deepEqual(await contents(), rows);

          await app.db.query("delete from threads");
          await app.db.query("delete from assistants");
          await app.db.query("delete from vector_stores");
          const again = await post(path, sent);
          assert.deepEqual([again.status, again.text], [200, first.text], "what is gone meanwhile");
        });
      }
    }
  });

  test("stands for what was asked for first: another address or version is refused, and changes nothing", async () => {
    const key = randomUUID();
    const [one, two] = [await makeThread(), await makeThread()];
    await make(`/v1/threads/${one}/messages`, { key, body: HELLO });
    const rows = await contents();
    assertReused(await post(`/v1/threads/${two}/messages`, { key, body: HELLO }));
    assertReused(await post(`/v1/threads/${one}/messages`, { key, body: HELLO, version: "v1" }));
    assertReused(await post("/v1/threads", { key }));
    assert.deepEqual(await contents(), rows);
  });

  test("knows a request again when a retry counts itself, names more betas, or spells out what is the default", async () => {
    const key = randomUUID();
    const assistant_id = await makeAssistant();
    const first = await post("/v1/threads/runs", { key, body: { assistant_id } });
    const retry = {
      "x-stainless-retry-count": "1",
      "openai-beta": "realtime=v1, assistants=v2",
      "x-request-id": "something else",
    };
    const again = await post("/v1/threads/runs", { key, body: { assistant_id }, headers: retry });
    assert.deepEqual([again.status, again.text], [200, first.text]);
    const spaced = `{ "assistant_id" : "${assistant_id}" }`;
    assert.equal((await post("/v1/threads/runs", { key, body: spaced })).text, first.text);
  });

  test("belongs to a project: another one uses the same key for itself", async () => {
    const key = randomUUID();
    const alice = await make("/v1/threads", { key });
    const bob = await make("/v1/threads", { key, as: "bob" });
    assert.notEqual(bob.id, alice.id);
    assert.equal((await make("/v1/threads", { key, as: "bob" })).id, bob.id);
    assert.equal((await app.call("GET", `/v1/threads/${bob.id}`)).status, 404);
  });

  test("has 1 to 255 characters, whichever they are", async () => {
    const threads = await count("threads");
    for (const key of ["", "k".repeat(256)]) {
      const { status, body } = await post("/v1/threads", { key });
      assert.deepEqual([status, body.error.code, body.error.param], [400, "invalid_idempotency_key", null]);
    }
    assert.equal(await count("threads"), threads);
    for (const key of ["k".repeat(255), "é".repeat(255), `' or 1=1 --${randomUUID()}`, "$1", "\u0001\u007f\u00ff"]) {
      assert.equal((await make("/v1/threads", { key })).id, (await make("/v1/threads", { key })).id);
    }
  });

  test("means nothing to GET and DELETE, even one that could not be a key", async () => {
    const thread = await makeThread();
    for (const key of ["", "k".repeat(256), randomUUID()]) {
      const headers = { "idempotency-key": key };
      assert.equal((await app.call("GET", `/v1/threads/${thread}`, { headers })).status, 200);
    }
    const key = randomUUID();
    const { id } = await make("/v1/threads", { key });
    const deletion = () => app.call("DELETE", `/v1/threads/${id}`, { headers: { "idempotency-key": key } });
    assert.deepEqual([(await deletion()).status, (await deletion()).status], [200, 404]);
  });
});

describe("a request that was refused", () => {
  test("leaves its key free, whatever was wrong with it", async () => {
    const key = randomUUID();
    const run = await parkRun();
    const thread = run.split("/runs/")[0];
    assert.equal((await post("/v1/assistants", { key, body: {} })).status, 400);
    assert.equal((await post("/v1/threads/thread_A/messages", { key, body: HELLO })).status, 404);
    const locked = await post(`${thread}/messages`, { key, body: HELLO });
    assert.match(locked.body.error.message, /^Can't add messages to /);
    const lost = await post(`${thread}/runs`, { key, body: { assistant_id: "asst_A" } });
    assert.equal(lost.status, 404);
    assert.equal((await post(`${run}/submit_tool_outputs`, { key, body: { tool_outputs: [] } })).status, 400);
    assert.equal((await app.db.query("select 1 from idempotency_keys where key = $1", [key])).rowCount, 0);

    await make(`${run}/cancel`);
    const first = await post(`${thread}/messages`, { key, body: HELLO });
    assert.equal(first.status, 200);
    assert.equal((await post(`${thread}/messages`, { key, body: HELLO })).text, first.text);
  });

  test("is refused alike when it comes ten times at once, and then carried out once", async () => {
    const key = randomUUID();
    const run = await makeRun();
    const thread = run.split("/runs/")[0] ?? "";
    const messages = await count("messages");
    const ask = () => Promise.all(Array.from({ length: 10 }, () => post(`${thread}/messages`, { key, body: HELLO })));
    assert.deepEqual([...new Set((await ask()).map(({ status }) => status))], [400]);
    await make(`${run}/cancel`);
    const answers = await ask();
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
    assert.equal(await count("messages"), messages + 1);
  });

  test("because its run had expired is refused again, and the run expires once", async () => {
    const run = await parkRun();
    const id = run.split("/").at(-1);
    await app.db.query("update runs set expires_at = now() where id = $1", [id]);
    const submit = { key: randomUUID(), body: outputs("late") };
    const first = await post(`${run}/submit_tool_outputs`, submit);
    assert.deepEqual(
      [first.status, first.body.error.message],
      [400, 'Runs in status "expired" do not accept tool outputs.'],
    );
    const rows = await contents();
    const again = await post(`${run}/submit_tool_outputs`, submit);
    assert.deepEqual([again.status, again.text], [400, first.text]);
    assert.deepEqual(await contents(), rows);
  });
});

describe("ten requests at once", () => {
  const cases: [what: string, table: string, attempt: () => Promise<Omit<Attempt, "other">>][] = [
    ["make one thread and one run", "runs", () => attemptOf("/v1/threads/runs")],
    ["make one run", "runs", () => attemptOf("/v1/threads/:thread_id/runs")],
    ["add one message", "messages", () => attemptOf("/v1/threads/:thread_id/messages")],
    ["make one assistant", "assistants", () => attemptOf("/v1/assistants")],
    ["submit outputs once", "run_events", () => attemptOf("/v1/threads/:thread_id/runs/:run_id/submit_tool_outputs")],
  ];
  const attemptOf = async (route: string) => (await ATTEMPTS[route]?.("v2")) as Attempt;
  /** Rows that one request adds. */
  const ADDED: Record<string, number> = { run_events: 2 };

  for (const [what, table, attempt] of cases) {
    test(`${what}, and are answered alike`, async () => {
      const { path, body } = await attempt();
      const rows = await count(table);
      const key = randomUUID();
      const answers = await Promise.all(Array.from({ length: 10 }, () => post(path, { key, body })));
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]), answers[0]?.text);
      assert.equal(new Set(answers.map(({ text }) => text)).size, 1);
      assert.equal(await count(table), rows + (ADDED[table] ?? 1));
    });
  }

  test("that differ under one key are carried out once, and the others told so", async () => {
    const threads = await count("threads");
    const key = randomUUID();
    const ask = (index: number) => post("/v1/threads", { key, body: { metadata: { index: String(index) } } });
    const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => ask(index)));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    for (const answer of answers.filter(({ status }) => status !== 200)) assertReused(answer);
    assert.equal(await count("threads"), threads + 1);
  });
});

describe("the answer that is given again", () => {
  test("is the first one, though the object has changed since", async () => {
    const key = randomUUID();
    const body = { model: "gpt-4", tools: [{ type: "code_interpreter" }], file_ids: ["file-A", "file-B"] };
    const first = await post<{ id: string }>("/v1/assistants", { key, body, version: "v1" });
    const path = `/v1/assistants/${first.body.id}`;
    await make(path, { body: { name: "another", file_ids: ["file-C"] }, version: "v1" });
    assert.equal((await post("/v1/assistants", { key, body, version: "v1" })).text, first.text);
    const now = await app.call<{ name: string; file_ids: string[] }>("GET", path, {
      headers: { "openai-beta": "assistants=v1" },
    });
    assert.deepEqual([now.body.name, now.body.file_ids], ["another", ["file-C"]]);
  });

  test("may have many megabytes", async () => {
    const key = randomUUID();
    const schema = { type: "object", properties: { a: { type: "string", description: "ä€😀".repeat(100_000) } } };
    const tools = Array.from({ length: 5 }, (_, index) => ({
      type: "function",
      function: { name: `f${index}`, parameters: schema },
    }));
    const body = { model: "gpt-4o", tools };
    const first = await post("/v1/assistants", { key, body });
    assert.equal(first.status, 200);
    assert.ok(Buffer.byteLength(first.text) > 4_000_000);
    assert.equal((await post("/v1/assistants", { key, body })).text, first.text);
  });

  test("has the text of the client as it was sent, character by character", async () => {
    const key = randomUUID();
    const metadata = { __proto__x: "1", z: "\u2028\u{1F600}\\u0041", "2": "numeric", "1": "names", é: "\ufffd" };
    const body = { metadata, messages: [{ role: "user", content: "\ud83d\ude00 \u0001 ' \" \\" }] };
    const first = await post("/v1/threads", { key, body });
    assert.equal(first.status, 200);
    assert.equal((await post("/v1/threads", { key, body })).text, first.text);
  });
});

describe("a key counts for 24 hours", () => {
  async function age(key: string, seconds: number): Promise<void> {
    await app.db.query("update idempotency_keys set created_at = now() - $2 * interval '1 second' where key = $1", [
      key,
      seconds,
    ]);
  }

  test("and then stands for whatever is asked for next", async () => {
    const key = randomUUID();
    const first = await make("/v1/threads", { key });
    await age(key, IDEMPOTENCY_KEY_SECONDS - 60);
    assert.equal((await make("/v1/threads", { key })).id, first.id);
    await age(key, IDEMPOTENCY_KEY_SECONDS + 1);
    const body = { metadata: { another: "request" } };
    const second = await make("/v1/threads", { key, body });
    assert.notEqual(second.id, first.id);
    assert.equal((await make("/v1/threads", { key, body })).id, second.id);
    assertReused(await post("/v1/threads", { key }));
  });

  test("and is taken by one of ten requests that come when it is old", async () => {
    const key = randomUUID();
    await make("/v1/threads", { key });
    await age(key, IDEMPOTENCY_KEY_SECONDS + 1);
    const threads = await count("threads");
    const answers = await Promise.all(Array.from({ length: 10 }, () => make("/v1/threads", { key })));
    assert.equal(new Set(answers.map(({ id }) => id)).size, 1);
    assert.equal(await count("threads"), threads + 1);
  });

  test("and is kept when a request that would have taken it over is refused", async () => {
    const key = randomUUID();
    await make("/v1/threads", { key });
    await age(key, IDEMPOTENCY_KEY_SECONDS + 1);
    assert.equal((await post("/v1/threads/thread_A/messages", { key, body: HELLO })).status, 404);
    assert.equal((await app.db.query("select 1 from idempotency_keys where key = $1", [key])).rowCount, 1);
  });

  test("and old ones are dropped in batches of a given size", async () => {
    await dropOldKeys(app.db, 1000);
    const keys = Array.from({ length: 5 }, () => randomUUID());
    for (const key of keys) {
      await make("/v1/threads", { key });
      await age(key, IDEMPOTENCY_KEY_SECONDS + 1);
    }
    const dropped = [await dropOldKeys(app.db, 3), await dropOldKeys(app.db, 3), await dropOldKeys(app.db, 3)];
    assert.deepEqual(dropped, [3, 2, 0]);
  });
});
