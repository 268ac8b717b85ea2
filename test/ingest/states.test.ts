// Files on their way into a vector store, on the real stack: what their states are, and what is kept of them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { wordsOf } from "../support/stored-files.ts";
import { waitUntil } from "../support/wait-until.ts";
import { countChunks, DIMENSIONS, QUICK, startIngestStack } from "./ingest-stack.ts";
import type { IngestStack } from "./ingest-stack.ts";

let stack: IngestStack;
before(async () => {
  stack = await startIngestStack();
});
after(() => stack.stop());

const counts = (given: object) => ({ in_progress: 0, completed: 0, failed: 0, cancelled: 0, total: 0, ...given });

test("a file is completed, with its chunks, its bytes and its count", async () => {
  const { vectorStores } = stack.openai;
  const store = await vectorStores.create({ name: "notes" });
  assert.deepEqual([store.status, store.file_counts, store.usage_bytes], ["completed", counts({}), 0]);
  const id = await stack.file(wordsOf(2000));
  const file = await vectorStores.files.createAndPoll(store.id, { file_id: id }, QUICK);
  assert.equal(file.status, "completed", JSON.stringify(file.last_error));
  const { rows } = await stack.db.query<{ chunks: number; bytes: number; texts: string[] }>(
    `select count(*)::integer as chunks, sum(octet_length(text))::integer as bytes,
       json_agg(text order by chunk_index) as texts from chunks`,
  );
  const { chunks = 0, bytes = 0, texts = [] } = rows[0] ?? {};
  assert.ok(chunks > 5);
  assert.equal(file.usage_bytes, bytes + chunks * DIMENSIONS * 4);
  const now = await vectorStores.retrieve(store.id);
  assert.deepEqual(now.file_counts, counts({ completed: 1, total: 1 }));
  assert.equal(now.usage_bytes, file.usage_bytes);
  assert.deepEqual(await countChunks(stack, store.id), { ready: chunks, waiting: 0 });

  const page = await vectorStores.files.content(id, { vector_store_id: store.id });
  assert.deepEqual(
    page.data.map(({ text }) => text),
    texts,
  );
});

test("an empty file and one of a type that cannot be read have failed, and say why", async () => {
  const store = await stack.store();
  const { files } = stack.openai.vectorStores;
  const empty = await files.createAndPoll(store, { file_id: await stack.file("") }, QUICK);
  assert.deepEqual(empty.last_error, {
    code: "invalid_file",
    message: "The file could not be parsed because it is empty.",
  });
  const blank = await files.createAndPoll(store, { file_id: await stack.file(" \n\n ") }, QUICK);
  assert.equal(blank.last_error?.code, "invalid_file");
  const table = await files.createAndPoll(store, { file_id: await stack.file("a,b", "t.csv") }, QUICK);
  assert.equal(table.last_error?.code, "unsupported_file");
  assert.match(table.last_error?.message ?? "", /\.csv/);
  const now = await stack.openai.vectorStores.retrieve(store);
  assert.deepEqual([now.status, now.file_counts], ["completed", counts({ failed: 3, total: 3 })]);
  assert.deepEqual(await countChunks(stack, store), { ready: 0, waiting: 0 });
});

test("a file that is there already is not read again, unless it is to be cut in another way or has failed", async () => {
  const store = await stack.store();
  const { files } = stack.openai.vectorStores;
  const id = await stack.file(wordsOf(500));
  await files.createAndPoll(store, { file_id: id, attributes: { a: 1 } }, QUICK);
  const requests = stack.embeddings.requests;
  const again = await files.create(store, { file_id: id });
  assert.deepEqual([again.status, again.attributes], ["completed", { a: 1 }]);
  assert.deepEqual((await files.create(store, { file_id: id, attributes: { b: true } })).attributes, { b: true });
  assert.equal(stack.embeddings.requests, requests);

  const before = await countChunks(stack, store);
  const fixed = { type: "static", static: { max_chunk_size_tokens: 100, chunk_overlap_tokens: 0 } } as const;
  const other = await files.createAndPoll(store, { file_id: id, chunking_strategy: fixed }, QUICK);
  assert.deepEqual([other.status, other.chunking_strategy], ["completed", fixed]);
  assert.ok((await countChunks(stack, store)).ready > before.ready);
  const { data } = await files.list(store);
  assert.equal(data.length, 1);
});

test("while the endpoint is over its limit a file waits as long as it is told to, and is completed", async () => {
  const store = await stack.store();
  const busy = Array.from({ length: 12 }, () => ({ status: 429, headers: { "retry-after-ms": "20" } }));
  stack.embeddings.next(...busy);
  const id = await stack.file(wordsOf(50));
  const file = await stack.openai.vectorStores.files.createAndPoll(store, { file_id: id }, QUICK);
  assert.equal(file.status, "completed");
});

test("a file fails when the endpoint refuses it, and others go on", async () => {
  const store = await stack.store();
  stack.embeddings.next({ status: 400 });
  const { files } = stack.openai.vectorStores;
  const refused = await files.createAndPoll(store, { file_id: await stack.file(wordsOf(50)) }, QUICK);
  assert.equal(refused.last_error?.code, "server_error");
  assert.match(refused.last_error?.message ?? "", /as the test wants/);
  assert.deepEqual(await countChunks(stack, store), { ready: 0, waiting: 0 });
  const next = await files.createAndPoll(store, { file_id: await stack.file(wordsOf(50)) }, QUICK);
  assert.equal(next.status, "completed");
});

test("a batch that is cancelled stops, and leaves no chunks of what was not completed", async () => {
  const store = await stack.store();
  const gate = Promise.withResolvers<void>();
  stack.embeddings.always({ after: gate.promise });
  const ids = await Promise.all(Array.from({ length: 8 }, () => stack.file(wordsOf(3000))));
  const { fileBatches } = stack.openai.vectorStores;
  const before = stack.embeddings.requests;
  const batch = await fileBatches.create(store, { file_ids: ids });
  assert.deepEqual([batch.status, batch.file_counts], ["in_progress", counts({ in_progress: 8, total: 8 })]);
  await waitUntil("some files are being embedded", () => stack.embeddings.requests > before);
  const cancelled = await fileBatches.cancel(batch.id, { vector_store_id: store });
  assert.deepEqual([cancelled.status, cancelled.file_counts], ["cancelled", counts({ cancelled: 8, total: 8 })]);
  assert.deepEqual(await countChunks(stack, store), { ready: 0, waiting: 0 });
  stack.embeddings.always(undefined);
  gate.resolve();
  // Work that was under way ends before this one can be through: they share the worker's few places.
  const next = await stack.openai.vectorStores.files.createAndPoll(
    store,
    { file_id: await stack.file(wordsOf(50)) },
    QUICK,
  );
  assert.equal(next.status, "completed");
  assert.equal((await fileBatches.retrieve(batch.id, { vector_store_id: store })).status, "cancelled");
  assert.equal((await countChunks(stack, store)).ready, 1);
  const again = await fileBatches.cancel(batch.id, { vector_store_id: store });
  assert.deepEqual(again.file_counts, counts({ cancelled: 8, total: 8 }));
});

test("a store that is deleted while its files are read is gone, and others go on", async () => {
  const store = await stack.store();
  const gate = Promise.withResolvers<void>();
  stack.embeddings.always({ after: gate.promise });
  const before = stack.embeddings.requests;
  const ids = await Promise.all([1, 2, 3].map(() => stack.file(wordsOf(3000))));
  await stack.openai.vectorStores.fileBatches.create(store, { file_ids: ids });
  await waitUntil("some files are being embedded", () => stack.embeddings.requests > before);
  await stack.openai.vectorStores.delete(store);
  stack.embeddings.always(undefined);
  gate.resolve();
  const other = await stack.store();
  const file = await stack.openai.vectorStores.files.createAndPoll(other, { file_id: ids[0] as string }, QUICK);
  assert.equal(file.status, "completed");
  const { rows } = await stack.db.query("select 1 from vector_store_files where vector_store_id = $1", [store]);
  assert.deepEqual(rows, []);
});
