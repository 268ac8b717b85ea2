// The audit is tested by breaking: each invariant on purpose, on a state that was right before, and nothing else.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { Client, Connection } from "@temporalio/client";
import { audit } from "../../audit/audit.ts";
import type { AuditReport } from "../../audit/audit.ts";
import { INGEST_CATALOGUE } from "../../audit/ingest-workflows.ts";
import { WORKFLOW_CATALOGUE } from "../../audit/workflow-judgement.ts";
import { createPool } from "../../db/pool.ts";
import type { Pool } from "../../db/pool.ts";
import { freezeWorld, runStatements } from "./frozen-world.ts";
import type { Scratch, World } from "./frozen-world.ts";
import { RECEIVED_BREAKAGES } from "./received-breakages.ts";
import { ROW_BREAKAGES } from "./row-breakages.ts";
import type { RowBreakage } from "./row-breakages.ts";
import { INGEST_BREAKAGES, STORE_BREAKAGES } from "./store-breakages.ts";
import { addRun, startAlone, WORKFLOW_BREAKAGES } from "./workflow-breakages.ts";
import type { Temporal } from "./workflow-breakages.ts";

/** Longer than the tests take: nobody looks at the runs of a frozen world. */
const GRACE_MS = 20 * 60_000;

const ALL_ROWS = [...ROW_BREAKAGES, ...STORE_BREAKAGES];
const ALL_WORKFLOWS = [...WORKFLOW_BREAKAGES, ...INGEST_BREAKAGES];

let world: World;
let connection: Connection;
let temporal: Temporal;
before(async () => {
  world = await freezeWorld();
  connection = await Connection.connect({ address: process.env["TEMPORAL_ADDRESS"] ?? "" });
  temporal = { client: new Client({ connection }), taskQueue: world.stack.taskQueue };
});
after(async () => {
  await connection.close();
  await world.stack.stop();
});

function broken({ invariants }: AuditReport): string[] {
  return invariants.filter(({ violations }) => violations > 0).map(({ name }) => name);
}

function idsOf({ invariants }: AuditReport, name: string): string[] {
  return (invariants.find((invariant) => invariant.name === name)?.first ?? []).map(({ id }) => id).toSorted();
}

test("every invariant is broken by something", async () => {
  const { invariants } = await audit({ db: world.stack.db, received: {} });
  const broken = [...ALL_ROWS, ...ALL_WORKFLOWS, ...RECEIVED_BREAKAGES].map(({ invariant }) => invariant);
  assert.deepEqual(invariants.map(({ name }) => name).toSorted(), [...new Set(broken)].toSorted());
});

test("the world that is broken here is right before", async () => {
  await world.withCopy(async (db) => {
    const report = await audit({ db, temporal, received: world.made.told, graceMs: GRACE_MS, confirmAfterMs: 0 });
    assert.deepEqual(broken(report), []);
  });
});

suite("rows", () => {
  let scratch: Scratch;
  before(async () => {
    scratch = await world.makeScratch();
  });
  after(() => scratch.drop());

  async function check(db: Pool, url: string, breakage: RowBreakage): Promise<void> {
    const { invariant, sql, loose = false, also = [] } = breakage;
    const expected = await runStatements(url, sql, { made: world.made, loose });
    const report = await audit({ db, graceMs: GRACE_MS, first: 1000 });
    assert.ok(expected.length > 0, "something was broken");
    assert.deepEqual(idsOf(report, invariant), expected);
    assert.deepEqual(broken(report).toSorted(), [invariant, ...also].toSorted());
  }

  for (const breakage of ALL_ROWS) {
    test(`${breakage.invariant} is broken: ${breakage.how}`, async () => {
      if (breakage.needsOwnCopy) return world.withCopy((db, url) => check(db, url, breakage));
      return check(scratch.db, scratch.url, breakage).finally(scratch.restore);
    });
  }

  test("and when all is put back, nothing is broken", async () => {
    assert.deepEqual(broken(await audit({ db: scratch.db, graceMs: GRACE_MS })), []);
  });
});

// One after the other: what is open in Temporal is seen by all.
suite("workflows", () => {
  for (const { invariant, how, sql, inTemporal, also = [] } of ALL_WORKFLOWS) {
    test(`${invariant} is broken: ${how}`, async () => {
      const undo = await inTemporal?.(temporal);
      await world.withCopy(async (db, url) => {
        const expected = await runStatements(url, sql, { made: world.made });
        const report = await audit({ db, temporal, graceMs: GRACE_MS, confirmAfterMs: 0, first: 1000 });
        assert.ok(expected.length > 0, "something was broken");
        assert.equal(report.temporal_problem, null);
        assert.deepEqual(idsOf(report, invariant), expected);
        const ofWorkflows = broken(report).filter((name) => name in { ...WORKFLOW_CATALOGUE, ...INGEST_CATALOGUE });
        assert.deepEqual(ofWorkflows.toSorted(), [invariant, ...also].toSorted());
      });
      await undo?.();
    });
  }
});

suite("what looks wrong and is not, at the second look", () => {
  const added = (id: string) => [...addRun(id, "waiting"), `select '${id}' as id`];

  /** A client with which something happens just before a workflow is described for the second time. */
  function withSecondLook(id: string, happen: () => Promise<unknown>): Temporal {
    const { client, taskQueue } = temporal;
    let looks = 0;
    const workflow = Object.create(client.workflow, {
      getHandle: {
        value: (of: string) => ({
          describe: async () => {
            if (of === id && ++looks === 2) await happen();
            return client.workflow.getHandle(of).describe();
          },
        }),
      },
    }) as Client["workflow"];
    return { client: Object.create(client, { workflow: { value: workflow } }) as Client, taskQueue };
  }

  test("a workflow that was started meanwhile is not missed", async () => {
    let undo: (() => Promise<unknown>) | undefined;
    await world.withCopy(async (db, url) => {
      await runStatements(url, added("run_belated"), { made: world.made });
      const watched = withSecondLook("run_belated", async () => {
        undo = await startAlone(temporal, "run_belated");
      });
      const report = await audit({ db, temporal: watched, graceMs: GRACE_MS, confirmAfterMs: 0 });
      assert.deepEqual(idsOf(report, "live-run-has-workflow"), []);
      assert.ok(undo, "there were two looks");
    });
    await undo?.();
  });

  test("a run that has moved meanwhile was only seen on its way", async () => {
    let looked = false;
    await world.withCopy(async (db, url) => {
      await runStatements(url, added("run_moving"), { made: world.made });
      const watched = withSecondLook("run_moving", async () => {
        looked = true;
        await db.query("update runs set epoch = epoch + 1 where id = 'run_moving'");
      });
      const report = await audit({ db, temporal: watched, graceMs: GRACE_MS, confirmAfterMs: 0 });
      assert.deepEqual(idsOf(report, "live-run-has-workflow"), []);
      assert.ok(looked, "there were two looks");
    });
  });
});

suite("what clients were told", () => {
  for (const { invariant, how, tamper, also = [] } of RECEIVED_BREAKAGES) {
    test(`${invariant} is broken: ${how}`, async () => {
      const received = structuredClone(world.made.told);
      const id = tamper(received, world.made);
      const db = createPool({ url: world.stack.databaseUrl, max: 1, name: "test", onError: () => undefined });
      try {
        const report = await audit({ db, received, graceMs: GRACE_MS, first: 1000 });
        assert.deepEqual(idsOf(report, invariant), [id]);
        assert.deepEqual(broken(report).toSorted(), [invariant, ...also].toSorted());
      } finally {
        await db.end();
      }
    });
  }
});

suite("what looks odd and is right", () => {
  const isRight = (what: string, sql: readonly string[]): void =>
    void test(what, async () => {
      await world.withCopy(async (db, url) => {
        await runStatements(url, sql, { made: world.made });
        const report = await audit({ db, received: world.made.told, graceMs: GRACE_MS });
        assert.deepEqual(
          report.invariants.filter(({ violations }) => violations > 0),
          [],
        );
      });
    });

  const CRASH = ["truncate run_deltas", "truncate run_cursors"];
  isRight("a crash of Postgres takes deltas and cursors", CRASH);
  isRight("behind a crash a try begins that has nothing to say yet", [
    ...CRASH,
    "update runs set epoch = epoch + 1 where id = $speaking",
    "select append_run_events($speaking, '{}', '{}')",
  ]);
  isRight("behind a crash a run that waits is ended", [
    ...CRASH,
    `update run_steps set status = 'expired', expired_at = now() where run_id = $waiting`,
    `update runs set status = 'expired', required_action = null, epoch = epoch + 1,
       events_until = now() + interval '1 day' where id = $waiting`,
    `select append_run_events($waiting, '{thread.run.step.expired,thread.run.expired}', array[
       (select json_build_object('id', id, 'status', 'expired') from run_steps where run_id = $waiting),
       '{"status":"expired"}'])`,
  ]);
  isRight("the events of a run were dropped", [
    ...["run_events", "run_deltas", "run_cursors"].map((table) => `delete from ${table} where run_id = $called`),
    "update runs set events_until = null where id = $called",
  ]);
  isRight("the result under a key is that outputs came too late", [
    `insert into idempotency_keys (project_id, key, fingerprint, result)
     select project_id, 'late', '', '{"result":{"kind":"expired"}}' from runs where id = $expiredWaiting`,
  ]);
});
