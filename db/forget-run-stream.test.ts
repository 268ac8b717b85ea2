import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createTestDatabase } from "../test/support/database.ts";
import type { TestDatabase } from "../test/support/database.ts";
import { makeRun } from "../test/support/rows.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import { createPool, withTransaction } from "./pool.ts";
import type { Pool } from "./pool.ts";

let database: TestDatabase;
let db: Pool;
before(async () => {
  database = await createTestDatabase();
  db = createPool({ url: database.url, max: 3, name: "test", onError: () => undefined });
});
after(async () => {
  await db.end();
  await database.drop();
});

test("deltas that are flushed while their thread is deleted go with it", async () => {
  const run = await makeRun(db);
  const deleted = await withTransaction(db, async (flush) => {
    // As a flush does: the cursor is held until the deltas are committed.
    const { rows } = await flush.query<{ last_seq: number }>(
      "update run_cursors set last_seq = last_seq + 1 where run_id = $1 returning last_seq",
      [run.id],
    );
    await flush.query("insert into run_deltas values ($1, $2, 'thread.message.delta', '{}')", [
      run.id,
      rows[0]?.last_seq,
    ]);
    const deleting = db.query("delete from threads where id = $1", [run.thread_id]);
    await waitUntil("the deletion waits for the flush", async () => {
      const { rowCount } = await db.query(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
         and query like 'delete from threads%'`,
      );
      return rowCount === 1;
    });
    return { deleting };
  });
  await deleted.deleting;
  for (const table of ["runs", "run_events", "run_deltas", "run_cursors"]) {
    assert.equal((await db.query(`select 1 from ${table}`)).rowCount, 0, table);
  }
});
