import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createPool } from "../db/pool.ts";
import type { Pool } from "../db/pool.ts";
import { createTestDatabase } from "../test/support/database.ts";
import type { TestDatabase } from "../test/support/database.ts";
import { walk } from "./walk.ts";
import type { Walked } from "./walk.ts";

let database: TestDatabase;
let db: Pool;
before(async () => {
  database = await createTestDatabase();
  db = createPool({ url: database.url, max: 1, name: "test", onError: () => undefined });
  await db.query("insert into projects (id, name) values ('proj_a', 'a'), ('proj_b', 'b')");
});
after(async () => {
  await db.end();
  await database.drop();
});

async function collect(walked: Walked): Promise<string[][]> {
  const batches: string[][] = [];
  await walk(db, walked, async (_, ids) => void batches.push(ids));
  return batches;
}

test("a walk goes past every row once, in small batches", async () => {
  await db.query(`insert into threads (id, project_id, metadata, tool_resources)
    select 'thread_' || n, 'proj_a', '{}', '{}' from generate_series(1, 1201) n`);
  const batches = await collect("threads");
  assert.deepEqual(
    batches.map((ids) => ids.length),
    [500, 500, 201],
  );
  assert.equal(new Set(batches.flat()).size, 1201);
});

test("what is heavy is walked through alone", async () => {
  await db.query("update threads set message_count = 100000 where id in ('thread_1', 'thread_10')");
  const batches = await collect("threads");
  assert.deepEqual(batches.slice(0, 2), [["thread_1"], ["thread_10"]]);
  assert.equal(batches.flat().length, 1201);
});

test("a walk over idempotency keys goes by both parts of their name", async () => {
  await db.query(`insert into idempotency_keys (project_id, key, fingerprint)
    select p, 'key ' || n, '' from unnest(array['proj_a', 'proj_b']) p, generate_series(1, 600) n`);
  const batches = await collect("idempotency_keys");
  assert.equal(new Set(batches.flat()).size, 1200);
  assert.equal(batches.length, 3);
});

test("a walk over events goes past each run once, however many events it has", async () => {
  await db.query(`insert into run_deltas (run_id, seq, event, data)
    select 'run_' || n, seq, 'thread.message.delta', '{}' from generate_series(1, 700) n, generate_series(1, 3) seq`);
  const batches = await collect("run_deltas");
  assert.deepEqual(
    batches.map((ids) => ids.length),
    [500, 200],
  );
  assert.equal(new Set(batches.flat()).size, 700);
});

test("what a walk calls can change nothing", async () => {
  const changing = walk(db, "threads", async (tx) => {
    await tx.query("delete from threads");
  });
  await assert.rejects(changing, /read-only transaction/);
});
