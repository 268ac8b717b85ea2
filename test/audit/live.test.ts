// The audit of a system that is as it should be, at rest and while runs are under way.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client, Connection } from "@temporalio/client";
import { audit } from "../../audit/audit.ts";
import type { AuditReport } from "../../audit/audit.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { waitUntil } from "../support/wait-until.ts";
import { makeMixedRuns } from "./mixed-runs.ts";
import type { Told } from "./mixed-runs.ts";

let stack: Stack;
let connection: Connection;
/** What clients were told by both tests. */
const told: Told[] = [];
let temporal: { client: Client; taskQueue: string };
before(async () => {
  stack = await startStack({ apis: 2, workers: 2 });
  connection = await Connection.connect({ address: process.env["TEMPORAL_ADDRESS"] ?? "" });
  temporal = { client: new Client({ connection }), taskQueue: stack.taskQueue };
});
after(async () => {
  await connection.close();
  await stack.stop();
});

function assertRight(report: AuditReport): void {
  assert.equal(report.temporal_problem, null);
  assert.deepEqual(
    report.invariants.filter(({ violations }) => violations > 0),
    [],
  );
  assert.ok(report.ok);
}

function checkedOf({ invariants }: AuditReport, name: string): number {
  return invariants.find((invariant) => invariant.name === name)?.checked ?? 0;
}

test("no invariant looks broken while runs are under way", { timeout: 240_000 }, async () => {
  let underWay = true;
  const loads = Promise.all([1, 2, 3].map(() => makeMixedRuns(stack))).finally(() => {
    underWay = false;
  });
  const active: number[] = [];
  while (underWay) {
    const report = await audit({ db: stack.db, temporal, confirmAfterMs: 200 });
    assertRight(report);
    active.push(checkedOf(report, "live-run-has-workflow"));
  }
  told.push(...(await loads).map((made) => made.told));
  assert.ok(active.filter((runs) => runs > 5).length > 1, `runs were under way: ${active.join(", ")}`);
});

test("at rest no invariant is broken, and each has something to look at", async () => {
  const made = await makeMixedRuns(stack);
  const { deleted, deletedSpeaking } = made.runs;
  await waitUntil("the workflows of deleted runs are closed", async () => {
    const query = `WorkflowId IN ("${deleted.id}", "${deletedSpeaking.id}") AND ExecutionStatus = "Running"`;
    return (await temporal.client.workflow.count(query)).count === 0;
  });
  told.push(made.told);
  const received = {
    runs: told.flatMap(({ runs }) => runs),
    messages: told.flatMap(({ messages }) => messages),
    deleted: told.flatMap((of) => of.deleted),
    statuses: told.flatMap(({ statuses }) => statuses),
    outputs: told.flatMap(({ outputs }) => outputs),
    streams: told.flatMap(({ streams }) => streams),
  };
  const report = await audit({ db: stack.db, temporal, confirmAfterMs: 500, received });
  assertRight(report);
  assert.deepEqual(
    report.invariants.filter(({ checked }) => checked === 0),
    [],
  );
});
