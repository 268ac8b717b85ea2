import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createTestDatabase } from "../test/support/database.ts";
import type { TestDatabase } from "../test/support/database.ts";
import { makeRun } from "../test/support/rows.ts";
import { createPool } from "./pool.ts";
import type { Pool } from "./pool.ts";
import { takeRunsToCheck } from "./run-checks.ts";

let database: TestDatabase;
let db: Pool;
before(async () => {
  database = await createTestDatabase();
  db = createPool({ url: database.url, max: 8, name: "test", onError: () => undefined });
});
after(async () => {
  await db.end();
  await database.drop();
});

const MONTH_SECONDS = 30 * 24 * 3600;

async function isDue(id: string): Promise<void> {
  await db.query("update runs set check_at = now() where id = $1", [id]);
}

async function secondsToNextLook(id: string): Promise<number> {
  const { rows } = await db.query<{ seconds: number }>(
    "select extract(epoch from check_at - now())::float as seconds from runs where id = $1",
    [id],
  );
  return rows[0]?.seconds ?? Number.NaN;
}

async function take(): Promise<string[]> {
  return (await takeRunsToCheck(db, 100)).map((run) => run.id);
}

test("a run is looked at when it is due, by one process of many, and then later each time", async () => {
  const run = await makeRun(db);
  assert.deepEqual(await take(), []);
  await isDue(run.id);
  const taken = await Promise.all(Array.from({ length: 8 }, take));
  assert.deepEqual(taken.flat(), [run.id]);
  const first = await secondsToNextLook(run.id);
  await isDue(run.id);
  await take();
  assert.ok((await secondsToNextLook(run.id)) > first * 1.5);
});

test("no look is put off beyond the expiry of the run", async () => {
  const run = await makeRun(db, { expires_after_seconds: 3 });
  await db.query("update runs set checks = 10 where id = $1", [run.id]);
  await isDue(run.id);
  assert.deepEqual(await take(), [run.id]);
  assert.ok((await secondsToNextLook(run.id)) <= 3);
});

test("a run that waits for a month is looked at every hour", async () => {
  const run = await makeRun(db, { expires_after_seconds: MONTH_SECONDS });
  await db.query("update runs set status = 'requires_action' where id = $1", [run.id]);
  for (let look = 0; look < 3; look += 1) {
    await isDue(run.id);
    assert.deepEqual(await take(), [run.id]);
    const seconds = await secondsToNextLook(run.id);
    assert.ok(seconds > 3500 && seconds <= 3600, String(seconds));
  }
});

test("a run that has ended is not looked at", async () => {
  const run = await makeRun(db);
  await db.query("update runs set status = 'completed' where id = $1", [run.id]);
  await isDue(run.id);
  assert.deepEqual(await take(), []);
});
