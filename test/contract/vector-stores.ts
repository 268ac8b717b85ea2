// Vector stores, their files and batches, and searches: what a client sends, and what follows from it.
import assert from "node:assert/strict";
import type { Call, List } from "../support/app.ts";
import { makeNamed } from "../support/named-objects.ts";
import { ANY, arrayTooLong, assertRefused, badRequest, invalid, missing, notFound, stringTooLong } from "./refusals.ts";
import { requestRows } from "./request-rows.ts";
import type { Endpoint } from "./request-rows.ts";
import { deletion, rule } from "./row.ts";
import type { Row } from "./row.ts";
import { walkSchema } from "./schema-fields.ts";
import { REQUESTS } from "./schemas.ts";
import { chunking } from "./tool-fields.ts";
import {
  choice,
  decimal,
  flag,
  integer,
  list,
  metadata,
  object,
  reference,
  references,
  required,
  text,
  unseen,
  unseenList,
} from "./values.ts";
import type { Fields, Spec } from "./values.ts";
import { fileIds, newStore, newThread, quietStore, storeIds } from "./world.ts";
import type { Made, World } from "./world.ts";

const FILE = fileIds(1)[0] as string;
const AUTO = { type: "static", static: { max_chunk_size_tokens: 800, chunk_overlap_tokens: 400 } };

/** Up to 16 pairs with texts, numbers and truth values. */
function attributes(): Spec {
  const pairs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`key${index}`, 1]));
  const same = (value: unknown, what?: string) => ({ value, echo: value, ...(what === undefined ? {} : { what }) });
  return {
    words: "up to 16 pairs of a key of at most 64 characters and a text of at most 512, a number or a truth value",
    expected: "an object",
    types: ["object"],
    sample: { year: 2024 },
    sampleEcho: { year: 2024 },
    fallback: {},
    accepts: [
      same({}),
      same({ team: "blue", year: 2024, share: 0.25, draft: false }),
      same(pairs(16), "16 pairs"),
      same({ ["k".repeat(64)]: "v".repeat(512) }, "a key of 64 characters and a value of 512"),
    ],
    refuses: [
      { what: "17 pairs", value: pairs(17), refusal: invalid },
      { what: "a key of 65 characters", value: { ["k".repeat(65)]: 1 }, refusal: invalid },
      {
        what: "a value of 513 characters",
        value: { key: "v".repeat(513) },
        refusal: (param) => stringTooLong(`${param}.key`, 512, 513),
      },
      ...[null, [], {}].map((value) => ({
        value: { key: value },
        refusal: (param: string) => badRequest(/^Invalid type for /, `${param}.key`, "invalid_type"),
      })),
    ],
  };
}

const expiresAfter = object(
  {
    anchor: required(choice(["last_active_at"])),
    days: required(integer({ min: 1, max: 365 })),
  },
  { fallback: null },
);

const settings: Fields = { name: text({ max: 256 }), expires_after: expiresAfter, metadata: metadata() };

const create: Endpoint = {
  id: "vector-stores.create",
  source: "1.8",
  schema: "CreateVectorStore",
  base: async () => ({}),
  target: async () => "/vector_stores",
  refusedAt: async () => "/vector_stores",
};

const BEFORE = {
  name: "old",
  metadata: { team: "red" },
  expires_after: { anchor: "last_active_at", days: 30 },
};
const modify: Endpoint = {
  id: "vector-stores.modify",
  source: "1.8",
  schema: "ModifyVectorStore",
  base: async () => ({}),
  target: async (world) => `/vector_stores/${(await newStore(world, BEFORE)).id}`,
  refusedAt: async (world) => `/vector_stores/${(await quietStore(world)).id}`,
  before: BEFORE,
};

const search: Endpoint = {
  id: "vector-stores.search",
  source: "1.8",
  schema: "SearchVectorStore",
  base: async () => ({ query: "anything" }),
  target: async (world) => `/vector_stores/${(await quietStore(world)).id}/search`,
  refusedAt: async (world) => `/vector_stores/${(await quietStore(world)).id}/search`,
};
const searchFields: Fields = {
  rewrite_query: unseen(flag(false)),
  max_num_results: unseen(integer({ min: 1, max: 50 })),
  ranking_options: unseen(
    object({
      ranker: unseen(choice(["auto", "none", "default-2024-11-15"])),
      score_threshold: unseen(decimal({ min: 0, max: 1, fallback: 0 })),
    }),
  ),
};

const addFile: Endpoint = {
  id: "vector-store-files.create",
  source: "1.8",
  schema: "CreateVectorStoreFile",
  base: async () => ({ file_id: FILE }),
  target: async (world) => `/vector_stores/${(await newStore(world)).id}/files`,
  refusedAt: async (world) => `/vector_stores/${(await quietStore(world)).id}/files`,
  view: async (_world, file) => ({ ...file, file_id: file["id"] }),
};
const fileFields: Fields = {
  file_id: required(reference("file", FILE)),
  attributes: attributes(),
  chunking_strategy: chunking,
};

const modifyFile: Endpoint = {
  id: "vector-store-files.modify",
  source: "1.8",
  schema: "ModifyVectorStoreFile",
  base: async () => ({ attributes: {} }),
  target: async (world) => `/vector_stores/${(await newStore(world, { file_ids: [FILE] })).id}/files/${FILE}`,
  refusedAt: async (world) => `/vector_stores/${(await quietStore(world)).id}/files/${FILE}`,
};

const addBatch: Endpoint = {
  id: "file-batches.create",
  source: "1.8",
  schema: "CreateFileBatch",
  base: async () => ({}),
  target: async (world) => `/vector_stores/${(await newStore(world)).id}/file_batches`,
  refusedAt: async (world) => `/vector_stores/${(await quietStore(world)).id}/file_batches`,
};
const batchFields: Fields = {
  files: {
    ...unseen(list(object(fileFields), { max: 2000, min: 1, neighbour: { file_id: FILE } })),
    absenceUnknown: true,
    item: unseenFields(object(fileFields)),
  },
};

/** The answer is a batch: what was said of each file is not in it. */
function unseenFields(spec: Spec): Spec {
  const fields = Object.entries(spec.fields ?? {}).map(([name, field]) => [name, unseen(field)] as const);
  return { ...unseen(spec), fields: Object.fromEntries(fields) };
}

/** Adds a file and returns its address. */
async function addedFile(world: World): Promise<{ store: string; path: string }> {
  const { id } = await newStore(world, { file_ids: [FILE] });
  return { store: id, path: `/vector_stores/${id}/files/${FILE}` };
}

const asBob: Call = { as: "bob" };

const storeRules: Row<World>[] = [
  rule(
    "vector-stores.create.nothing",
    "1.8",
    "a store can be made from no body, and is completed at once",
    async (world) => {
      for (const body of [undefined, {}, { file_ids: [] }, { file_ids: null, name: null, metadata: null }]) {
        const store = await world.post("/vector_stores", body);
        assert.partialDeepStrictEqual(store, {
          object: "vector_store",
          status: "completed",
          name: null,
          usage_bytes: 0,
        });
        assert.equal(store["last_active_at"], store["created_at"]);
        assert.deepEqual(await world.get(`/vector_stores/${store.id}`), store);
      }
    },
  ),
  rule("vector-stores.create.files", "1.8", "a store with files is in progress, and counts them", async (world) => {
    const store = await newStore(world, { file_ids: [...fileIds(3), FILE] });
    const counts = { in_progress: 3, completed: 0, failed: 0, cancelled: 0, total: 3 };
    assert.partialDeepStrictEqual(store, { status: "in_progress", file_counts: counts });
    assert.ok(world.app.nudges.includes("look at files"));
  }),
  rule("vector-stores.expires", "1.8", "a store expires so many days after its last use", async (world) => {
    const store = await newStore(world, { expires_after: { anchor: "last_active_at", days: 2 } });
    assert.equal(Number(store["expires_at"]) - Number(store["last_active_at"]), 2 * 24 * 3600);
    assert.equal((await newStore(world))["expires_at"], null);
  }),
  rule(
    "vector-stores.expired",
    "1.8, 5.4",
    "an expired store is shown as such, and not used any more",
    async (world) => {
      const store = await newStore(world, { expires_after: { anchor: "last_active_at", days: 1 }, file_ids: [FILE] });
      await world.app.db.query("update vector_stores set last_active_at = now() - interval '25 hours' where id = $1", [
        store.id,
      ]);
      const path = `/vector_stores/${store.id}`;
      assert.equal((await world.get(path))["status"], "expired");
      const refusal = badRequest(new RegExp(`^Vector store '${store.id}' has expired`));
      for (const [to, body] of [
        ["", { expires_after: null }],
        ["/search", { query: "x" }],
        ["/files", { file_id: FILE }],
        ["/file_batches", { file_ids: [FILE] }],
      ] as const) {
        assertRefused(await world.call("POST", `${path}${to}`, { body }), refusal);
      }
      assert.equal((await world.get<List<Made>>(`${path}/files`)).data.length, 1);
      await world.remove(path);
    },
  ),
  rule("vector-stores.modify.others", "1.8", "a modification changes what it names and nothing else", async (world) => {
    const before = await newStore(world, BEFORE);
    assert.deepEqual(await world.post(`/vector_stores/${before.id}`, {}), before);
    const after = { ...before, name: "new" };
    assert.deepEqual(await world.post(`/vector_stores/${before.id}`, { name: "new" }), after);
    const cleared = { ...after, expires_after: null, expires_at: null };
    assert.deepEqual(await world.post(`/vector_stores/${before.id}`, { expires_after: null }), cleared);
  }),
  deletion(
    "vector-stores.delete",
    "deleting says what was deleted; its files stay, and nothing names it",
    async (world) => {
      const store = await newStore(world, { file_ids: [FILE] });
      const resources = { file_search: { vector_store_ids: [store.id] }, code_interpreter: { file_ids: [FILE] } };
      const thread = await newThread(world, { tool_resources: resources });
      const deleted = { id: store.id, object: "vector_store.deleted", deleted: true };
      assert.deepEqual(await world.remove(`/vector_stores/${store.id}`), deleted);
      assert.ok(world.app.nudges.includes(`cancel ${FILE}`));
      const { tool_resources } = await world.get(`/threads/${thread.id}`);
      assert.deepEqual(tool_resources, {
        code_interpreter: { file_ids: [FILE] },
        file_search: { vector_store_ids: [] },
      });
      assert.equal((await world.app.db.query("select 1 from files where id = $1", [FILE])).rowCount, 1);
      const gone = notFound(`No vector store found with id '${store.id}'.`);
      for (const [method, path, body] of [
        ["GET", "", undefined],
        ["POST", "", {}],
        ["DELETE", "", undefined],
        ["POST", "/search", { query: "x" }],
        ["GET", "/files", undefined],
        ["POST", "/files", { file_id: FILE }],
        ["GET", `/files/${FILE}`, undefined],
        ["POST", `/files/${FILE}`, { attributes: {} }],
        ["DELETE", `/files/${FILE}`, undefined],
        ["GET", `/files/${FILE}/content`, undefined],
        ["POST", "/file_batches", { file_ids: [FILE] }],
        ["GET", "/file_batches/vsfb_abc", undefined],
        ["POST", "/file_batches/vsfb_abc/cancel", undefined],
        ["GET", "/file_batches/vsfb_abc/files", undefined],
      ] as const) {
        assertRefused(await world.call(method, `/vector_stores/${store.id}${path}`, { body }), gone);
      }
    },
  ),
  rule(
    "vector-stores.unknown-reference",
    "7.4",
    "a store that is not there cannot be given to a tool",
    async (world) => {
      const body = { tool_resources: { file_search: { vector_store_ids: ["vs_unknown"] } } };
      const refusal = notFound("No vector store found with id 'vs_unknown'.");
      assertRefused(await world.call("POST", "/threads", { body }), refusal);
      assertRefused(await world.call("POST", "/assistants", { body: { model: "m", ...body } }), refusal);
      const { id } = await newThread(world);
      assertRefused(await world.call("POST", `/threads/${id}`, { body }), refusal);
    },
  ),
  rule("vector-stores.header", "8 #34", "the beta header is not needed, and makes no difference", async (world) => {
    for (const beta of [undefined, "assistants=v1", "assistants=v2"]) {
      const call = { headers: { "openai-beta": beta } };
      const { id } = await world.post("/vector_stores", {}, call);
      assert.equal((await world.get(`/vector_stores/${id}`, call))["object"], "vector_store");
    }
  }),
  rule(
    "vector-stores.search.query",
    "1.8",
    "a text or a list of 1 to 10 texts, required",
    async (world) => {
      const path = await search.target(world);
      const found = await world.post(path, { query: "one" });
      assert.deepEqual(found, {
        object: "vector_store.search_results.page",
        search_query: ["one"],
        data: [],
        has_more: false,
        next_page: null,
      });
      assert.deepEqual((await world.post(path, { query: ["one", "two"] }))["search_query"], ["one", "two"]);
      assertRefused(await world.call("POST", path, { body: {} }), missing("query"));
      for (const query of ["", [], [""], null, 5, [5], Array.from({ length: 11 }, () => "x")]) {
        const { status } = await world.call("POST", path, { body: { query } });
        assert.equal(status, 400, JSON.stringify(query));
      }
    },
    { kind: "request", covers: [{ schema: "SearchVectorStore", path: "query" }] },
  ),
  rule(
    "vector-stores.search.filters",
    "1.8",
    "comparisons of attributes, and compounds of them",
    async (world) => {
      const path = await search.target(world);
      const year = { type: "gte", key: "year", value: 2020 };
      const team = { type: "in", key: "team", value: ["red", "blue"] };
      for (const filters of [
        null,
        year,
        team,
        { type: "and", filters: [year, { type: "or", filters: [team, year] }] },
      ]) {
        await world.post(path, { query: "x", filters });
      }
      for (const filters of [
        { type: "like", key: "a", value: "b" },
        { type: "eq", key: "a" },
        { ...year, more: 1 },
        5,
      ]) {
        assert.equal((await world.call("POST", path, { body: { query: "x", filters } })).status, 400);
      }
    },
    {
      kind: "request",
      covers: [...walkSchema(REQUESTS.SearchVectorStore, "input").paths]
        .filter((path) => path.startsWith("filters"))
        .map((path) => ({ schema: "SearchVectorStore", path })),
    },
  ),
];

const fileRules: Row<World>[] = [
  rule("vector-store-files.create.answer", "1.8", "a file is added in progress, and cut as usual", async (world) => {
    const { id } = await newStore(world);
    const file = await world.post(`/vector_stores/${id}/files`, { file_id: FILE });
    assert.partialDeepStrictEqual(file, {
      id: FILE,
      object: "vector_store.file",
      usage_bytes: 0,
      vector_store_id: id,
      status: "in_progress",
      last_error: null,
      chunking_strategy: AUTO,
      attributes: {},
    });
    const auto = { file_id: FILE, chunking_strategy: { type: "auto" } };
    assert.deepEqual((await world.post(`/vector_stores/${id}/files`, auto))["chunking_strategy"], AUTO);
  }),
  rule(
    "vector-store-files.create.unknown",
    "7.6",
    "a file that is not there, or is another project's, is not found",
    async (world) => {
      const foreign = "file-ofBob";
      await makeNamed(world.app.db, { project: "bob", file_ids: [foreign] });
      const { id } = await newStore(world);
      for (const file_id of ["file-unknown", foreign]) {
        const refusal = notFound(`Files ['${file_id}'] were not found`);
        assertRefused(await world.call("POST", `/vector_stores/${id}/files`, { body: { file_id } }), refusal);
        const file_ids = [FILE, file_id];
        assertRefused(await world.call("POST", "/vector_stores", { body: { file_ids } }), refusal);
        assertRefused(await world.call("POST", `/vector_stores/${id}/file_batches`, { body: { file_ids } }), refusal);
      }
      assert.deepEqual((await world.get<List<Made>>(`/vector_stores/${id}/files`)).data, []);
    },
  ),
  rule(
    "vector-store-files.create.again",
    "8 #58",
    "a file that is there already stays what it is, but for what is given",
    async (world) => {
      const { store, path } = await addedFile(world);
      const before = await world.get(path);
      assert.deepEqual(await world.post(`/vector_stores/${store}/files`, { file_id: FILE }), before);
      const body = { file_id: FILE, attributes: { a: 1 } };
      assert.deepEqual(await world.post(`/vector_stores/${store}/files`, body), { ...before, attributes: { a: 1 } });
      const entry = async () =>
        (await world.app.db.query("select id from vector_store_files where vector_store_id = $1", [store])).rows;
      const number = await entry();
      const other = { type: "static", static: { max_chunk_size_tokens: 200, chunk_overlap_tokens: 0 } };
      await world.post(`/vector_stores/${store}/files`, { file_id: FILE, chunking_strategy: other });
      assert.notDeepEqual(await entry(), number);
      assert.equal((await world.get<List<Made>>(`/vector_stores/${store}/files`)).data.length, 1);
    },
  ),
  rule("vector-store-files.full", "8 #15", "a store holds 10,000 files", async (world) => {
    const { id } = await newStore(world);
    await world.app.db.query(
      `insert into vector_store_files (project_id, vector_store_id, file_id, status, max_chunk_size_tokens, chunk_overlap_tokens)
       select project_id, $1, id, 'completed', 800, 400 from files where id = any($2)`,
      [id, fileIds(10_000)],
    );
    await makeNamed(world.app.db, { project: "alice", file_ids: ["file-onemore"] });
    const refusal = badRequest(`Vector store ${id} cannot hold more than 10000 files.`);
    assertRefused(
      await world.call("POST", `/vector_stores/${id}/files`, { body: { file_id: "file-onemore" } }),
      refusal,
    );
  }),
  rule("vector-store-files.unknown", "5.4", "a file that is not in the store is not found", async (world) => {
    const { id } = await quietStore(world);
    const gone = notFound(`No file found with id 'file-X' in vector store '${id}'.`);
    for (const [method, path, body] of [
      ["GET", "", undefined],
      ["POST", "", { attributes: {} }],
      ["DELETE", "", undefined],
      ["GET", "/content", undefined],
    ] as const) {
      assertRefused(await world.call(method, `/vector_stores/${id}/files/file-X${path}`, { body }), gone);
    }
  }),
  deletion("vector-store-files.delete", "a file is taken out of a store, and is still there", async (world) => {
    const { store, path } = await addedFile(world);
    assert.deepEqual(await world.remove(path), { id: FILE, object: "vector_store.file.deleted", deleted: true });
    assert.equal((await world.call("GET", path)).status, 404);
    assert.partialDeepStrictEqual(await world.get(`/vector_stores/${store}`), { file_counts: { total: 0 } });
    assert.equal((await world.app.db.query("select 1 from files where id = $1", [FILE])).rowCount, 1);
  }),
  rule(
    "vector-store-files.list.filter",
    "1.8",
    "one of in_progress, completed, failed, cancelled; only files in that state",
    async (world) => {
      const { id } = await newStore(world, { file_ids: fileIds(3) });
      const path = `/vector_stores/${id}/files`;
      const states = ["completed", "failed", "cancelled"];
      for (const [index, status] of states.entries()) {
        await world.app.db.query(
          "update vector_store_files set status = $3 where vector_store_id = $1 and file_id = $2",
          [id, fileIds(3)[index], status],
        );
        const { data } = await world.get<List<Made>>(`${path}?filter=${status}`);
        assert.deepEqual(
          data.map((file) => file.id),
          [fileIds(3)[index]],
        );
      }
      assert.deepEqual((await world.get<List<Made>>(`${path}?filter=in_progress`)).data, []);
      assert.equal((await world.call("GET", `${path}?filter=done`)).body.error.param, "filter");
    },
    { kind: "request", covers: [{ schema: "ListStoreFilesQuery", path: "filter" }] },
  ),
  rule("vector-store-files.content.none", "1.8", "a file that is not completed has no text to show", async (world) => {
    const { path } = await addedFile(world);
    const page = { object: "vector_store.file_content.page", data: [], has_more: false, next_page: null };
    assert.deepEqual(await world.get(`${path}/content`), page);
  }),
];

const batchRules: Row<World>[] = [
  rule(
    "file-batches.create.file_ids",
    "1.8",
    "1 to 2000 ids that begin with file, or `files`, and not both; each file once",
    async (world) => {
      const { id } = await newStore(world);
      const path = `/vector_stores/${id}/file_batches`;
      const batch = await world.post(path, { file_ids: [...fileIds(3), FILE], attributes: { a: 1 } });
      const counts = { in_progress: 3, completed: 0, failed: 0, cancelled: 0, total: 3 };
      const object = "vector_store.file_batch";
      assert.partialDeepStrictEqual(batch, { object, vector_store_id: id, status: "in_progress", file_counts: counts });
      assert.deepEqual(await world.get(`${path}/${batch.id}`), batch);
      const { data } = await world.get<List<Made>>(`${path}/${batch.id}/files?order=asc`);
      assert.deepEqual(
        data.map((file) => [file.id, file["attributes"]]),
        fileIds(3).map((file) => [file, { a: 1 }]),
      );
      await world.post(path, { file_ids: fileIds(2000) });
      const refuses = async (body: object, refusal: Parameters<typeof assertRefused>[1]) =>
        assertRefused(await world.call("POST", path, { body }), refusal);
      await refuses({}, missing("file_ids"));
      await refuses({ file_ids: null }, missing("file_ids"));
      await refuses({ file_ids: [] }, { ...invalid("file_ids"), code: "array_below_min_length" });
      await refuses({ file_ids: fileIds(2001) }, arrayTooLong("file_ids", 2000, 2001));
      await refuses({ file_ids: ["msg_1"] }, { ...invalid("file_ids[0]"), code: "invalid_value" });
      await refuses({ file_ids: [FILE], files: [{ file_id: FILE }] }, { ...invalid("files"), code: ANY });
      await refuses({ file_ids: [FILE], surprise: 1 }, { ...badRequest(/^Unknown/, "surprise"), code: ANY });
    },
    { kind: "request", covers: [{ schema: "CreateFileBatch", path: "file_ids" }] },
  ),
  rule(
    "file-batches.create.shared",
    "1.8",
    "`attributes` and `chunking_strategy` are for `file_ids`; beside `files` they do not count",
    async (world) => {
      const { id } = await newStore(world);
      const path = `/vector_stores/${id}/file_batches`;
      const fixed = { type: "static", static: { max_chunk_size_tokens: 200, chunk_overlap_tokens: 50 } };
      const shared = { attributes: { a: 1 }, chunking_strategy: fixed };
      await world.post(path, { file_ids: [FILE], ...shared });
      assert.partialDeepStrictEqual(await world.get(`/vector_stores/${id}/files/${FILE}`), shared);
      const other = fileIds(2)[1];
      await world.post(path, { files: [{ file_id: other }], ...shared });
      const plain = { attributes: {}, chunking_strategy: AUTO };
      assert.partialDeepStrictEqual(await world.get(`/vector_stores/${id}/files/${other}`), plain);
    },
    {
      kind: "request",
      covers: [...walkSchema(REQUESTS.CreateFileBatch, "input").paths]
        .filter((path) => path.startsWith("attributes") || path.startsWith("chunking_strategy"))
        .map((path) => ({ schema: "CreateFileBatch", path })),
    },
  ),
  rule("file-batches.cancel", "1.8", "cancelling a batch cancels what is not done, once", async (world) => {
    const { id } = await newStore(world);
    const path = `/vector_stores/${id}/file_batches`;
    const batch = await world.post(path, { file_ids: fileIds(2) });
    await world.app.db.query(
      "update vector_store_files set status = 'completed' where vector_store_id = $1 and file_id = $2",
      [id, FILE],
    );
    const counts = { in_progress: 0, completed: 1, failed: 0, cancelled: 1, total: 2 };
    const cancelled = { ...batch, status: "cancelled", file_counts: counts };
    assert.deepEqual(await world.post(`${path}/${batch.id}/cancel`), cancelled);
    assert.deepEqual(await world.post(`${path}/${batch.id}/cancel`), cancelled);
    assert.partialDeepStrictEqual(await world.get(`/vector_stores/${id}`), {
      status: "completed",
      file_counts: counts,
    });
    assert.ok(world.app.nudges.includes(`cancel ${fileIds(2)[1]}`));
  }),
  rule(
    "file-batches.cancel.through",
    "1.8",
    "a batch that is through stays completed when it is cancelled",
    async (world) => {
      const { id } = await newStore(world);
      const path = `/vector_stores/${id}/file_batches`;
      const batch = await world.post(path, { file_ids: [FILE] });
      await world.app.db.query("update vector_store_files set status = 'completed' where vector_store_id = $1", [id]);
      assert.equal((await world.post(`${path}/${batch.id}/cancel`))["status"], "completed");
    },
  ),
  rule("file-batches.unknown", "5.4", "a batch that is not of the store is not found", async (world) => {
    const [one, other] = [await newStore(world), await newStore(world)];
    const batch = await world.post(`/vector_stores/${one.id}/file_batches`, { file_ids: [FILE] });
    const path = `/vector_stores/${other.id}/file_batches/${batch.id}`;
    const gone = notFound(`No file batch found with id '${batch.id}' in vector store '${other.id}'.`);
    assertRefused(await world.call("GET", path), gone);
    assertRefused(await world.call("POST", `${path}/cancel`), gone);
    assertRefused(await world.call("GET", `${path}/files`), gone);
  }),
];

const madeRules: Row<World>[] = [
  rule(
    "threads.made-store.expiry",
    "7.4",
    "a store made with a thread lives 7 days, one made with an assistant for ever",
    async (world) => {
      const tool_resources = { file_search: { vector_stores: [{ file_ids: fileIds(2), metadata: { a: "b" } }] } };
      const idOf = (made: Made) =>
        (made["tool_resources"] as { file_search: { vector_store_ids: string[] } }).file_search.vector_store_ids[0];
      const ofThread = await world.get(`/vector_stores/${idOf(await newThread(world, { tool_resources }))}`);
      const week = { anchor: "last_active_at", days: 7 };
      assert.partialDeepStrictEqual(ofThread, { expires_after: week, metadata: { a: "b" }, file_counts: { total: 2 } });
      const assistant = await world.post("/assistants", { model: "m", tool_resources });
      assert.equal((await world.get(`/vector_stores/${idOf(assistant)}`))["expires_after"], null);
    },
  ),
  rule(
    "messages.attachments.search",
    "7.4",
    "a file attached for search goes to the thread's store, which is made if there is none",
    async (world) => {
      const attach = (file_id: string | undefined) => ({
        role: "user",
        content: "x",
        attachments: [{ file_id, tools: [{ type: "file_search" }] }],
      });
      const { id } = await newThread(world, { messages: [attach(FILE)] });
      const storeOf = async () =>
        ((await world.get(`/threads/${id}`))["tool_resources"] as { file_search: { vector_store_ids: string[] } })
          .file_search.vector_store_ids;
      const [made = ""] = await storeOf();
      assert.partialDeepStrictEqual(await world.get(`/vector_stores/${made}`), {
        expires_after: { anchor: "last_active_at", days: 7 },
        file_counts: { total: 1 },
      });
      await world.post(`/threads/${id}/messages`, attach(fileIds(2)[1]));
      assert.deepEqual(await storeOf(), [made]);
      assert.partialDeepStrictEqual(await world.get(`/vector_stores/${made}`), { file_counts: { total: 2 } });
      await world.remove(`/vector_stores/${made}`);
      await world.post(`/threads/${id}/messages`, attach(FILE));
      assert.notDeepEqual(await storeOf(), [made]);
      const refusal = notFound("Files ['file-unknown'] were not found");
      assertRefused(await world.call("POST", `/threads/${id}/messages`, { body: attach("file-unknown") }), refusal);
    },
  ),
  rule(
    "messages.attachments.unsearchable",
    "5.4",
    "a file of a type that cannot be searched is not attached for it",
    async (world) => {
      await makeNamed(world.app.db, { project: "alice", file_ids: ["file-table"] });
      await world.app.db.query("update files set filename = 'a.csv' where id = 'file-table'");
      const attachments = [{ file_id: "file-table", tools: [{ type: "file_search" }] }];
      const { id } = await newThread(world);
      const refusal = badRequest(
        "Files with extensions [.csv] are not supported for retrieval. See https://platform.openai.com/docs/assistants/tools/file-search/supported-files",
        "file_ids",
        "unsupported_file",
      );
      const body = { role: "user", content: "x", attachments };
      assertRefused(await world.call("POST", `/threads/${id}/messages`, { body }), refusal);
    },
  ),
  rule("vector-stores.foreign", "7.6", "another project's store is not there", async (world) => {
    const { id } = await world.post("/vector_stores", {}, asBob);
    assertRefused(await world.call("GET", `/vector_stores/${id}`), notFound(`No vector store found with id '${id}'.`));
    assert.ok(storeIds(1)[0] !== id);
  }),
];

const onCreation: Fields = {
  ...settings,
  description: text({ max: 512 }),
  file_ids: unseenList(references("file", fileIds, 500)),
  chunking_strategy: chunking,
};

export const vectorStoreRows: Row<World>[] = [
  ...requestRows(create, onCreation),
  ...requestRows(modify, settings),
  ...requestRows(search, searchFields).slice(1),
  ...requestRows(addFile, fileFields),
  ...requestRows(modifyFile, { attributes: required({ ...attributes(), absenceUnknown: true }) }),
  ...requestRows(addBatch, batchFields).slice(1),
  ...storeRules,
  ...fileRules,
  ...batchRules,
  ...madeRules,
];
