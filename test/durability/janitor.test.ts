// The janitor: what is kept for a time only is removed by a Temporal schedule, which operators can see.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client, Connection } from "@temporalio/client";
import { JANITOR_INTERVAL_MS } from "../../contract/limits.ts";
import { janitorScheduleId } from "../../worker/janitor-schedule.ts";
import { scripted } from "../support/scripts.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { waitUntil } from "../support/wait-until.ts";

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

  await scheduled();
  await schedule().trigger();
  const action = await waitUntil("the janitor was started", async () => {
    const { info } = await schedule().describe();
    return info.recentActions.at(-1)?.action;
  });
  assert.equal(action.type, "startWorkflow");
  const result: unknown = await temporal.workflow.getHandle(action.workflow.workflowId).result();
  assert.deepEqual(result, { eventsOfRuns: 1, idempotencyKeys: 1 });
  assert.deepEqual([await eventsOf(old), await eventsOf(young)], [0, before]);
  assert.deepEqual((await stack.db.query(keys)).rows, [second]);
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
