import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isTerminal, RUN_TRANSITIONS, RunStatus, statusesBefore } from "../contract/run-state.ts";
import { newId } from "../contract/ids.ts";
import { createTestDatabase } from "../test/support/database.ts";
import type { TestDatabase } from "../test/support/database.ts";
import { createPool } from "./pool.ts";
import type { Pool } from "./pool.ts";
import { changeStatus } from "./run-status.ts";
import { makeRun } from "../test/support/rows.ts";

let database: TestDatabase;
let db: Pool;
before(async () => {
  database = await createTestDatabase();
  db = createPool({ url: database.url, max: 5, name: "test", onError: () => undefined });
});
after(async () => {
  await db.end();
  await database.drop();
});

test("the table, the schema and the SQL constraint know the same statuses", async () => {
  const { rows } = await db.query<{ definition: string }>(
    "select pg_get_constraintdef(oid) as definition from pg_constraint where conname = 'runs_status'",
  );
  const inSql = [...(rows[0]?.definition ?? "").matchAll(/(?<=')[a-z_]+(?=')/g)].map(String);
  assert.deepEqual(inSql.toSorted(), RunStatus.options.toSorted());
  assert.deepEqual(Object.keys(RUN_TRANSITIONS).toSorted(), RunStatus.options.toSorted());
});

test("the index that locks a thread covers exactly the statuses that are not terminal", async () => {
  const { rows } = await db.query<{ indexdef: string }>(
    "select indexdef from pg_indexes where indexname = 'runs_one_active_per_thread'",
  );
  const locking = [...(rows[0]?.indexdef ?? "").matchAll(/(?<=')[a-z_]+(?=')/g)].map(String);
  assert.deepEqual(locking.toSorted(), RunStatus.options.filter((status) => !isTerminal(status)).toSorted());
});

test("no status can be reached from a terminal one, and every other one but the first can be reached", () => {
  for (const status of RunStatus.options) {
    assert.ok(status === "queued" || statusesBefore(status).length > 0, status);
    assert.ok(
      statusesBefore(status).every((from) => !isTerminal(from)),
      status,
    );
  }
});

for (const from of RunStatus.options) {
  for (const to of RunStatus.options) {
    const allowed = RUN_TRANSITIONS[from].includes(to);
    test(`the database ${allowed ? "lets" : "does not let"} a run go from ${from} to ${to}`, async () => {
      const run = await makeRun(db);
      await db.query("update runs set status = $2 where id = $1", [run.id, from]);
      const changed = await changeStatus(db, run, { to });
      assert.equal(changed !== undefined, allowed);
      const { rows } = await db.query<{ status: string }>("select status from runs where id = $1", [run.id]);
      assert.equal(rows[0]?.status, allowed ? to : from);
    });
  }
}

test("a run of another project cannot be changed", async () => {
  const run = await makeRun(db);
  assert.equal(await changeStatus(db, { ...run, project_id: newId("proj_") }, { to: "in_progress" }), undefined);
});
