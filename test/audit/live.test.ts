// The audit of a system that is as it should be, at rest and while runs are under way.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client, Connection } from "@temporalio/client";
import { audit } from "../../audit/audit.ts";
import type { AuditReport } from "../../audit/audit.ts";
import { codeSettings } from "../support/code-settings.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { storeFile } from "../support/stored-files.ts";
import { waitUntil } from "../support/wait-until.ts";
import { makeMixedRuns } from "./mixed-runs.ts";
import type { Told } from "./mixed-runs.ts";

let stack: Stack;
let connection: Connection;
/** What clients were told by both tests. */
const told: Told[] = [];
let temporal: { client: Client; taskQueue: string };
before(async () => {
  stack = await startStack({
    apis: 2,
    workers: 2,
    settings: await codeSettings(),
    reroute: async (given) => ({ ...given, EMBEDDINGS_BASE_URL: given["OPENAI_BASE_URL"] ?? "" }),
  });
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
    const report = await audit({ db: stack.db, temporal, confirmAfterMs: 2000 });
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
  const store = await addSlowAndBadFile();
  const received = {
    runs: told.flatMap(({ runs }) => runs),
    messages: told.flatMap(({ messages }) => messages),
    deleted: told.flatMap((of) => of.deleted),
    statuses: told.flatMap(({ statuses }) => statuses),
    outputs: told.flatMap(({ outputs }) => outputs),
    streams: told.flatMap(({ streams }) => streams),
  };
  const report = await audit({ db: stack.db, temporal, confirmAfterMs: 500, received });
  await stack.openai.vectorStores.delete(store);
  assertRight(report);
  assert.deepEqual(
    report.invariants.filter(({ checked }) => checked === 0),
    [],
  );
});

/** A store with one file that is on its way for long, one that has failed, and one whose batch was cancelled. */
async function addSlowAndBadFile(): Promise<string> {
  const { vectorStores } = stack.openai;
  const { id } = await vectorStores.create({});
  const slow = await storeFile(stack, { content: 'Words.\n#embeddings {"delay_ms":50000}' });
  const bad = await storeFile(stack, { content: "a,b", filename: "table.csv" });
  await vectorStores.fileBatches.create(id, { file_ids: [slow, bad] });
  await waitUntil("one has failed, and one is embedded", async () => {
    const { rows } = await stack.db.query(
      "select status from vector_store_files where vector_store_id = $1 and (status = 'failed' or chunks is not null)",
      [id],
    );
    return rows.length === 2;
  });
  const other = await storeFile(stack, { content: 'Other words.\n#embeddings {"delay_ms":50000}' });
  const batch = await vectorStores.fileBatches.create(id, { file_ids: [other] });
  await vectorStores.fileBatches.cancel(batch.id, { vector_store_id: id });
  // The youngest are not looked at.
  await stack.db.query(
    "update vector_store_files set created_at = now() - interval '1 hour' where vector_store_id = $1",
    [id],
  );
  return id;
}
