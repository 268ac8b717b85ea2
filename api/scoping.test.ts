// Another project's objects do not exist: every operation on them answers exactly as on ids that never were.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startTestApp } from "../test/support/app.ts";
import type { Answer, ErrorBody, TestApp } from "../test/support/app.ts";
import { FORM_TYPE, formOf } from "../test/support/forms.ts";

interface Ids {
  assistant: string;
  thread: string;
  message: string;
  run: string;
  step: string;
  file: string;
  upload: string;
  store: string;
  batch: string;
}

const NEVER: Ids = {
  assistant: "asst_000000000000000000000000",
  thread: "thread_000000000000000000000000",
  message: "msg_000000000000000000000000",
  run: "run_000000000000000000000000",
  step: "step_000000000000000000000000",
  file: "file-000000000000000000000000",
  upload: "upload_000000000000000000000000",
  store: "vs_000000000000000000000000",
  batch: "vsfb_000000000000000000000000",
};

const newMessage = { role: "user", content: "Hi" };

/** Every operation that names an object. */
const OPERATIONS: [method: "GET" | "POST" | "DELETE", path: (ids: Ids) => string, body?: (ids: Ids) => object][] = [
  ["GET", (ids) => `/assistants/${ids.assistant}`],
  ["POST", (ids) => `/assistants/${ids.assistant}`, () => ({ name: "stolen" })],
  ["DELETE", (ids) => `/assistants/${ids.assistant}`],
  ["GET", (ids) => `/assistants?after=${ids.assistant}`],
  ["GET", (ids) => `/assistants?before=${ids.assistant}`],
  ["GET", (ids) => `/threads/${ids.thread}`],
  ["POST", (ids) => `/threads/${ids.thread}`, () => ({ metadata: { stolen: "yes" } })],
  ["DELETE", (ids) => `/threads/${ids.thread}`],
  ["GET", (ids) => `/threads/${ids.thread}/messages`],
  ["POST", (ids) => `/threads/${ids.thread}/messages`, () => newMessage],
  ["GET", (ids) => `/threads/${ids.thread}/messages/${ids.message}`],
  ["POST", (ids) => `/threads/${ids.thread}/messages/${ids.message}`, () => ({ metadata: { stolen: "yes" } })],
  ["DELETE", (ids) => `/threads/${ids.thread}/messages/${ids.message}`],
  ["POST", () => "/threads/runs", (ids) => ({ assistant_id: ids.assistant })],
  ["GET", (ids) => `/threads/${ids.thread}/runs`],
  ["POST", (ids) => `/threads/${ids.thread}/runs`, (ids) => ({ assistant_id: ids.assistant })],
  ["GET", (ids) => `/threads/${ids.thread}/runs/${ids.run}`],
  ["POST", (ids) => `/threads/${ids.thread}/runs/${ids.run}`, () => ({ metadata: { stolen: "yes" } })],
  ["POST", (ids) => `/threads/${ids.thread}/runs/${ids.run}/cancel`],
  ["POST", (ids) => `/threads/${ids.thread}/runs/${ids.run}/submit_tool_outputs`, () => ({ tool_outputs: [] })],
  ["GET", (ids) => `/threads/${ids.thread}/runs/${ids.run}/steps`],
  ["GET", (ids) => `/threads/${ids.thread}/runs/${ids.run}/steps/${ids.step}`],
  ["GET", (ids) => `/files/${ids.file}`],
  ["GET", (ids) => `/files/${ids.file}/content`],
  ["GET", (ids) => `/files?after=${ids.file}`],
  ["DELETE", (ids) => `/files/${ids.file}`],
  ["POST", () => "/threads", (ids) => ({ tool_resources: { code_interpreter: { file_ids: [ids.file] } } })],
  ["POST", (ids) => `/uploads/${ids.upload}/complete`, () => ({ part_ids: ["part_A"] })],
  ["POST", (ids) => `/uploads/${ids.upload}/cancel`],
  ["POST", () => "/threads", (ids) => ({ tool_resources: { file_search: { vector_store_ids: [ids.store] } } })],
  ["POST", () => "/vector_stores", (ids) => ({ file_ids: [ids.file] })],
  ["GET", (ids) => `/vector_stores?after=${ids.store}`],
  ["GET", (ids) => `/vector_stores/${ids.store}`],
  ["POST", (ids) => `/vector_stores/${ids.store}`, () => ({ name: "stolen" })],
  ["DELETE", (ids) => `/vector_stores/${ids.store}`],
  ["POST", (ids) => `/vector_stores/${ids.store}/search`, () => ({ query: "secret" })],
  ["GET", (ids) => `/vector_stores/${ids.store}/files`],
  ["POST", (ids) => `/vector_stores/${ids.store}/files`, (ids) => ({ file_id: ids.file })],
  ["GET", (ids) => `/vector_stores/${ids.store}/files/${ids.file}`],
  ["POST", (ids) => `/vector_stores/${ids.store}/files/${ids.file}`, () => ({ attributes: { stolen: true } })],
  ["DELETE", (ids) => `/vector_stores/${ids.store}/files/${ids.file}`],
  ["GET", (ids) => `/vector_stores/${ids.store}/files/${ids.file}/content`],
  ["POST", (ids) => `/vector_stores/${ids.store}/file_batches`, (ids) => ({ file_ids: [ids.file] })],
  ["GET", (ids) => `/vector_stores/${ids.store}/file_batches/${ids.batch}`],
  ["POST", (ids) => `/vector_stores/${ids.store}/file_batches/${ids.batch}/cancel`],
  ["GET", (ids) => `/vector_stores/${ids.store}/file_batches/${ids.batch}/files`],
];

let app: TestApp;
let alices: Ids;
let bobs: Ids;

before(async () => {
  app = await startTestApp();
  alices = await makeObjects("alice");
  bobs = await makeObjects("bob");
});
after(() => app.stop());

async function makeObjects(as: "alice" | "bob"): Promise<Ids> {
  const make = async (path: string, body: object) =>
    (await app.call<{ id: string }>("POST", `/v1${path}`, { as, body })).body.id;
  const assistant = await make("/assistants", { model: "gpt-4o", name: "secret" });
  const thread = await make("/threads", {});
  const message = await make(`/threads/${thread}/messages`, newMessage);
  const run = await make(`/threads/${thread}/runs`, { assistant_id: assistant });
  const step = `step_${as}`;
  await app.db.query(
    `insert into run_steps (id, project_id, run_id, thread_id, assistant_id, turn, type, status, step_details)
     select $1, project_id, id, thread_id, assistant_id, 1, 'message_creation', 'completed', $3 from runs where id = $2`,
    [step, run, JSON.stringify({ type: "message_creation", message_creation: { message_id: message } })],
  );
  const file = await app.addFile({ as, purpose: "vision" });
  const upload = await make("/uploads", { purpose: "vision", filename: "a.png", bytes: 1, mime_type: "image/png" });
  const store = await make("/vector_stores", {});
  const batch = await make(`/vector_stores/${store}/file_batches`, { file_ids: [file] });
  return { assistant, thread, message, run, step, file, upload, store, batch };
}

/** What Alice's project holds, down to the last column. */
async function readEverything(): Promise<unknown[]> {
  const tables = [
    "assistants",
    "threads",
    "messages",
    "runs",
    "run_steps",
    "files",
    "uploads",
    "vector_stores",
    "vector_store_files",
    "vector_store_file_batches",
  ];
  const texts = tables.map(
    async (table) =>
      (
        await app.db.query(
          `select t::text from ${table} t where project_id = (select project_id from threads where id = $1) order by 1`,
          [alices.thread],
        )
      ).rows,
  );
  return Promise.all(texts);
}

/** The answer with the ids taken out, so that answers about different objects can be compared. */
function withoutIds(answer: Answer<ErrorBody>, ids: Ids): string {
  const text = JSON.stringify([answer.status, answer.body]);
  return Object.entries(ids).reduce((rest, [kind, id]) => rest.replaceAll(id, kind), text);
}

describe("Bob, who knows an id of Alice's, is told what he would be told if it never was", () => {
  for (const [method, path, body] of OPERATIONS) {
    const ask = (as: "alice" | "bob", ids: Ids) => app.call(method, `/v1${path(ids)}`, { as, body: body?.(ids) });

    test(`${method} ${path(shortIds())}`, async () => {
      const before = await readEverything();
      const answer = await ask("bob", alices);
      assert.ok(answer.status === 404 || answer.status === 400);
      assert.equal(withoutIds(answer, alices), withoutIds(await ask("bob", NEVER), NEVER));
      assert.deepEqual(await readEverything(), before);
    });
  }

  // A thread of his own and an object of hers, and the other way round.
  for (const [method, path, body] of OPERATIONS.filter(([, path]) => /\/(M|R|S|F|B)\b/.test(path(shortIds())))) {
    test(`${method} ${path(shortIds())}, with his own thread and store`, async () => {
      const mixed = { ...alices, thread: bobs.thread, store: bobs.store };
      const never = { ...NEVER, thread: bobs.thread, store: bobs.store };
      const ask = (ids: Ids) => app.call(method, `/v1${path(ids)}`, { as: "bob", body: body?.(ids) });
      assert.equal(withoutIds(await ask(mixed), mixed), withoutIds(await ask(never), never));
    });
  }
});

test("the owner is answered", async () => {
  for (const [method, path] of OPERATIONS.filter(([method]) => method === "GET")) {
    assert.equal((await app.call(method, `/v1${path(alices)}`)).status, 200, path(alices));
  }
});

test("Bob cannot add a part to Alice's upload", async () => {
  const body = formOf([{ name: "data", filename: "a", content: "x" }]);
  const call = { as: "bob" as const, body, headers: { "content-type": FORM_TYPE } };
  const { status, body: answer } = await app.call("POST", `/v1/uploads/${alices.upload}/parts`, call);
  assert.deepEqual([status, answer.error.message], [404, `No upload found with id '${alices.upload}'.`]);
});

test("lists hold one's own objects only", async () => {
  const files = await app.call<{ data: { id: string }[] }>("GET", "/v1/files", { as: "bob" });
  assert.deepEqual(
    files.body.data.map((item) => item.id),
    [bobs.file],
  );
  const { body } = await app.call<{ data: { id: string }[] }>("GET", "/v1/assistants?limit=100", { as: "bob" });
  assert.deepEqual(
    body.data.map((item) => item.id),
    [bobs.assistant],
  );
});

function shortIds(): Ids {
  return {
    assistant: "A",
    thread: "T",
    message: "M",
    run: "R",
    step: "S",
    file: "F",
    upload: "U",
    store: "V",
    batch: "B",
  };
}
