// Many files at once, through the SDK's helpers; and a run among them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { wordsOf } from "../support/stored-files.ts";
import { QUICK, startIngestStack } from "./ingest-stack.ts";
import type { IngestStack } from "./ingest-stack.ts";

let stack: IngestStack;
before(async () => {
  stack = await startIngestStack({ settings: { WORKER_MAX_CONCURRENT_FILES: "2" } });
});
after(() => stack.stop());

/** Every tenth is a text; the others are of a type that is not read, which takes no process to find out. */
const isText = (position: number): boolean => position % 10 === 0;

test("500 files are through, and a run that is made meanwhile does not wait for them", async () => {
  const store = await stack.store();
  const ids: string[] = [];
  for (let count = 0; count < 500; count += 1) {
    ids.push(await stack.file(wordsOf(5, `file${count}x`), isText(count) ? "a.txt" : "a.csv"));
  }
  const { vectorStores, beta } = stack.openai;
  const batch = await vectorStores.fileBatches.create(store, { file_ids: ids });
  assert.equal(batch.file_counts.total, 500);
  const assistant = await beta.assistants.create({ model: "gpt-4o" });
  const run = await beta.threads.createAndRunPoll(
    { assistant_id: assistant.id, thread: { messages: [{ role: "user", content: "Hello!" }] } },
    QUICK,
  );
  assert.equal(run.status, "completed");
  const { status, file_counts } = await vectorStores.fileBatches.retrieve(batch.id, { vector_store_id: store });
  assert.equal(status, "in_progress", "the run came first");
  assert.equal(file_counts.in_progress + file_counts.completed + file_counts.failed, 500);
  const through = await vectorStores.fileBatches.poll(store, batch.id, QUICK);
  assert.deepEqual(
    [through.status, through.file_counts],
    ["completed", { in_progress: 0, completed: 50, failed: 450, cancelled: 0, total: 500 }],
  );
  const listed = new Set<string>();
  for await (const file of vectorStores.fileBatches.listFiles(batch.id, { vector_store_id: store, limit: 100 })) {
    listed.add(file.id);
  }
  assert.equal(listed.size, 500);
  const found = await vectorStores.search(store, { query: "file320x3" });
  assert.equal(found.data[0]?.file_id, ids[320]);
});
