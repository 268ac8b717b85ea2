// After the faults: every run and every file that is in the database, whether or not a client has heard of it, comes to
// rest in time.
import type pg from "pg";
import { ScheduleNotFoundError } from "@temporalio/client";
import type { Client } from "@temporalio/client";
import { ABANDONED_AFTER_MS } from "../../../contract/limits.ts";
import { janitorScheduleId } from "../../../worker/janitor-schedule.ts";
import { waitUntil } from "../../support/wait-until.ts";

/** Longer than the sweep takes to look at a run in progress, and to look again; and a file to use up its tries. */
const REST_MS = 120_000;
/** Longer than Temporal takes to try an activity again that has no heartbeat. */
const CLOSE_MS = 40_000;
/** Longer than workers take to look for the janitor's schedule. */
const SCHEDULE_MS = 90_000;

/** Returns a complaint for each run, and each file on its way, that is not at rest at the deadline. */
export async function untilAllRest(db: pg.Pool): Promise<string[]> {
  let restless: { id: string; status: string }[] = [];
  try {
    await waitUntil(
      "all runs and files rest",
      async () => {
        restless = await findRestless(db);
        return restless.length === 0;
      },
      REST_MS,
    );
    return [];
  } catch {
    return restless.map(({ id, status }) => `${id} is still ${status}, ${REST_MS / 1000} s after the last fault`);
  }
}

/** A run rests when it has ended, or waits for outputs and its time is not over; a file when it has ended. */
async function findRestless(db: pg.Pool): Promise<{ id: string; status: string }[]> {
  const { rows } = await db.query<{ id: string; status: string }>(
    `select id, status from runs
     where status in ('queued', 'in_progress', 'cancelling') or (status = 'requires_action' and expires_at < now())
     union all
     select format('%s in %s', file_id, vector_store_id), status from vector_store_files where status = 'in_progress'`,
  );
  return rows;
}

/**
 * Gives workflows the time to close behind their runs, and lets the janitor close those that nobody told to. Whether all
 * have closed is for the audit to say.
 */
export async function untilWorkflowsClose(db: pg.Pool, client: Client, taskQueue: string): Promise<void> {
  if (await doWorkflowsClose(db, client, taskQueue)) return;
  // As if those runs had ended longer ago: the janitor leaves young ones alone.
  await db.query("update runs set events_until = events_until - $1 * interval '1 ms'", [ABANDONED_AFTER_MS]);
  await untilTriggered(client, taskQueue);
  await doWorkflowsClose(db, client, taskQueue);
}

/** Where Temporal has lost its data, a worker makes the schedule anew within a minute. */
async function untilTriggered(client: Client, taskQueue: string): Promise<void> {
  const schedule = client.schedule.getHandle(janitorScheduleId(taskQueue));
  const trigger = async () => {
    try {
      await schedule.trigger();
      return true;
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return false;
      throw error;
    }
  };
  await waitUntil("the janitor is scheduled", trigger, SCHEDULE_MS);
}

async function doWorkflowsClose(db: pg.Pool, client: Client, taskQueue: string): Promise<boolean> {
  const ofType = (type: string) =>
    client.workflow.count(`WorkflowType = "${type}" AND TaskQueue = "${taskQueue}" AND ExecutionStatus = "Running"`);
  return waitUntil(
    "workflows have closed",
    async () => {
      const { rows } = await db.query<{ active: number }>(
        "select count(*)::int as active from runs where status = 'requires_action'",
      );
      const runs = (await ofType("runWorkflow")).count;
      const files = (await ofType("ingestWorkflow")).count;
      return runs <= (rows[0]?.active ?? 0) && files === 0;
    },
    CLOSE_MS,
  ).then(
    () => true,
    () => false,
  );
}
