// The janitor: what is kept for a time only is removed by a Temporal schedule, which operators can see.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, Connection } from "@temporalio/client";
import { ABANDONED_AFTER_MS, JANITOR_INTERVAL_MS } from "../../contract/limits.ts";
import { endRun } from "../../db/run-ends.ts";
import { janitorScheduleId, keepJanitorSchedule } from "../../worker/janitor-schedule.ts";
import { calls, lookup, scripted } from "../support/scripts.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { waitUntil } from "../support/wait-until.ts";
import type { Tidied } from "../../workflows/janitor.ts";

let stack: Stack;
let temporal: Client;
before(async () => {
  stack = await startStack({ workers: 2 });
  temporal = new Client({ connection: await Connection.connect({ address: process.env["TEMPORAL_ADDRESS"] ?? "" }) });
});
after(async () => {
  await temporal.connection.close();
  await stack.stop();
});

const schedule = () => temporal.schedule.getHandle(janitorScheduleId(stack.taskQueue));
const scheduled = () =>
  waitUntil("the schedule is there", () =>
    schedule()
      .describe()
      .catch(() => undefined),
  );

async function makeRun(): Promise<string> {
  const assistant = await stack.openai.beta.assistants.create({ model: "gpt-4o" });
  const options = { headers: { "idempotency-key": `key of ${assistant.id}` } };
  const thread = { messages: [{ role: "user" as const, content: scripted([{ text: "hello" }]) }] };
  const { id, thread_id } = await stack.openai.beta.threads.createAndRun(
    { assistant_id: assistant.id, thread },
    options,
  );
  await stack.openai.beta.threads.runs.poll(id, { thread_id }, { pollIntervalMs: 50 });
  return id;
}

async function eventsOf(run: string): Promise<number> {
  const sql = `select (select count(*) from run_events where run_id = $1) + (select count(*) from run_deltas where run_id = $1)
    + (select count(*) from run_cursors where run_id = $1) as count`;
  return Number((await stack.db.query<{ count: string }>(sql, [run])).rows[0]?.count);
}

test("a schedule that Temporal has lost is made anew, and one that an operator has paused stays so", async () => {
  const taskQueue = `lost-${crypto.randomUUID()}`;
  const stop = keepJanitorSchedule({ client: temporal, taskQueue, log: { warn: assert.fail }, lookMs: 50 });
  const handle = temporal.schedule.getHandle(janitorScheduleId(taskQueue));
  const describe = () => handle.describe().catch(() => undefined);
  try {
    await waitUntil("the schedule is there", describe);
    await handle.delete();
    await waitUntil("the schedule is there again", describe);
    await handle.pause("for a while");
    await sleep(200);
    assert.equal((await handle.describe()).state.paused, true);
  } finally {
    stop();
    await handle.delete();
  }
});

test("workers schedule the janitor once, however many they are", async () => {
  const { spec, action } = await scheduled();
  assert.deepEqual(
    spec.intervals?.map(({ every }) => every),
    [JANITOR_INTERVAL_MS],
  );
  assert.partialDeepStrictEqual(action, { workflowType: "janitorWorkflow", taskQueue: stack.taskQueue });
  const ids: string[] = [];
  for await (const { scheduleId } of temporal.schedule.list()) ids.push(scheduleId);
  assert.deepEqual(
    ids.filter((id) => id.startsWith(stack.taskQueue)),
    [janitorScheduleId(stack.taskQueue)],
  );
});

/** Starts the janitor now, and returns what it has done. */
async function tidy(): Promise<unknown> {
  const before = (await scheduled()).info.numActionsTaken;
  await schedule().trigger();
  const action = await waitUntil("the janitor was started", async () => {
    const { info } = await schedule().describe();
    return info.numActionsTaken > before && info.recentActions.at(-1)?.action;
  });
  assert.equal(action.type, "startWorkflow");
  return temporal.workflow.getHandle(action.workflow.workflowId).result();
}

test("it removes events and keys that have had their time, no others, and its result says how many", async () => {
  const [old, young] = [await makeRun(), await makeRun()];
  await stack.db.query("update runs set events_until = now() - interval '1 second' where id = $1", [old]);
  const keys = "select key from idempotency_keys order by created_at";
  const [first, second] = (await stack.db.query<{ key: string }>(keys)).rows;
  await stack.db.query("update idempotency_keys set created_at = now() - interval '1 day 1 second' where key = $1", [
    first?.key,
  ]);
  const before = await eventsOf(young);
  assert.ok(before > 0 && (await eventsOf(old)) > 0);

  // Orphans are looked for now and then only.
  const { orphanedBlobs: _, unfinishedBlobs: __, ...tidied } = (await tidy()) as Tidied;
  assert.deepEqual(tidied, {
    eventsOfRuns: 1,
    idempotencyKeys: 1,
    files: 0,
    uploads: 0,
    filesOfExpiredStores: 0,
    workflowsClosed: 0,
  });
  assert.deepEqual([await eventsOf(old), await eventsOf(young)], [0, before]);
  assert.deepEqual((await stack.db.query(keys)).rows, [second]);
});

test("it closes the workflow of a run that was cancelled, or is gone, while Temporal was not told", async () => {
  const assistant = await stack.openai.beta.assistants.create({ model: "gpt-4o", tools: [lookup] });
  const runs = await Promise.all(
    [0, 1, 2].map(() =>
      stack.openai.beta.threads.createAndRunPoll(
        { assistant_id: assistant.id, thread: { messages: [{ role: "user", content: scripted([calls("a")]) }] } },
        { pollIntervalMs: 50 },
      ),
    ),
  );
  const [cancelled, gone, waiting] = runs.map(({ id }) => id) as [string, string, string];
  const { rows } = await stack.db.query<{ project_id: string }>("select project_id from runs where id = $1", [
    cancelled,
  ]);
  await endRun(stack.db, { id: cancelled, project_id: rows[0]?.project_id ?? "" }, { to: "cancelled" });
  await stack.db.query("update runs set events_until = events_until - $2 * interval '1 ms' where id = $1", [
    cancelled,
    ABANDONED_AFTER_MS,
  ]);
  await stack.db.query("delete from threads where id = (select thread_id from runs where id = $1)", [gone]);

  assert.partialDeepStrictEqual(await tidy(), { workflowsClosed: 2 });
  const statusOf = async (id: string) => (await temporal.workflow.getHandle(id).describe()).status.name;
  await waitUntil(
    "both are closed",
    async () => (await statusOf(cancelled)) !== "RUNNING" && (await statusOf(gone)) !== "RUNNING",
  );
  assert.deepEqual(await Promise.all([cancelled, gone, waiting].map(statusOf)), ["CANCELLED", "COMPLETED", "RUNNING"]);
});

test("a worker that starts leaves a schedule paused that an operator has paused", async () => {
  await scheduled();
  await schedule().pause("while we look at events");
  const lastUpdate = async () => (await schedule().describe()).info.lastUpdatedAt?.getTime();
  const before = await lastUpdate();
  await stack.startWorker();
  await waitUntil("the new worker has been there", async () => (await lastUpdate()) !== before);
  assert.equal((await schedule().describe()).state.paused, true);
});
