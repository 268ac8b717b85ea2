// What becomes of files when the processes that read them die.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { wordsOf } from "../support/stored-files.ts";
import { waitUntil } from "../support/wait-until.ts";
import { countChunks, startIngestStack } from "./ingest-stack.ts";
import type { IngestStack } from "./ingest-stack.ts";

let stack: IngestStack;
before(async () => {
  stack = await startIngestStack();
});
after(() => stack.stop());

async function killWorker(): Promise<void> {
  const worker = stack.workers[0];
  worker?.kill();
  await worker?.exited;
}

test("a worker that is killed while it embeds is gone on for by the next, which embeds nothing again", async () => {
  const store = await stack.store();
  const gate = Promise.withResolvers<void>();
  // 250 chunks are three batches: two are embedded, the third is under way.
  stack.embeddings.next({ after: Promise.resolve() }, { after: Promise.resolve() }, { after: gate.promise });
  const id = await stack.file(wordsOf(12_000));
  const chunking_strategy = {
    type: "static",
    static: { max_chunk_size_tokens: 100, chunk_overlap_tokens: 0 },
  } as const;
  await stack.openai.vectorStores.files.create(store, { file_id: id, chunking_strategy });
  const before = await waitUntil("two batches are embedded", async () => {
    const chunks = await countChunks(stack, store);
    return chunks.ready === 200 && chunks;
  });
  assert.ok(before.waiting > 0);
  await killWorker();
  gate.resolve();
  const embedded = stack.embeddings.texts.length;
  await stack.startWorker();
  const file = await stack.until(store, id, "completed", "failed");
  assert.equal(file.status, "completed", JSON.stringify(file.last_error));
  assert.deepEqual(await countChunks(stack, store), { ready: before.ready + before.waiting, waiting: 0 });
  const again = stack.embeddings.texts.slice(embedded);
  assert.ok(again.length <= before.waiting + 100, `${again.length} texts were embedded after the kill`);
  const { rows } = await stack.db.query("select count(distinct chunk_index)::integer as different from chunks");
  assert.deepEqual(rows, [{ different: before.ready + before.waiting }]);
});

test("a file of which workers die has failed after some tries, and others are completed", async () => {
  const store = await stack.store();
  const never = new Promise<void>(() => undefined);
  const poison = await stack.file(wordsOf(40, "poison"));
  stack.embeddings.always({ after: never });
  await stack.openai.vectorStores.files.create(store, { file_id: poison });
  for (let deaths = 0; deaths < 5; deaths += 1) {
    const requests = stack.embeddings.requests;
    await waitUntil("a try of the file is under way", () => stack.embeddings.requests > requests, 40_000).catch(
      () => undefined,
    );
    await killWorker();
    await stack.startWorker();
  }
  stack.embeddings.always(undefined);
  const failed = await waitUntil(
    "the file is given up",
    async () => {
      const file = await stack.openai.vectorStores.files.retrieve(poison, { vector_store_id: store });
      return file.status !== "in_progress" && file;
    },
    60_000,
  );
  assert.equal(failed.status, "failed");
  assert.equal(failed.last_error?.code, "server_error");
  assert.match(failed.last_error?.message ?? "", /5 times a worker died/);
  const good = await stack.file(wordsOf(40, "good"));
  await stack.openai.vectorStores.files.create(store, { file_id: good });
  assert.equal((await stack.until(store, good, "completed", "failed")).status, "completed");
});
