// The schedule that starts the janitor, in Temporal and not in a process: so it runs once however many workers there
// are, and operators see it, its last results and its next start under Schedules.
import { ScheduleAlreadyRunning, ScheduleOverlapPolicy } from "@temporalio/client";
import type { Client, ScheduleOptions, ScheduleOptionsStartWorkflowAction } from "@temporalio/client";
import type { Logger } from "pino";
import { JANITOR_INTERVAL_MS } from "../contract/limits.ts";
import type { janitorWorkflow } from "../workflows/janitor.ts";

/** How often a worker looks whether the schedule is still there: Temporal may have lost its data. */
const LOOK_MS = 60_000;
/** A start that was missed for longer is left out: the next one does its work too. */
const CATCHUP_WINDOW_MS = 60_000;

export interface JanitorScheduleOptions {
  client: Client;
  taskQueue: string;
  log: Pick<Logger, "warn">;
  lookMs?: number;
}

/** The schedule's id: one for each task queue of a namespace. */
export const janitorScheduleId = (taskQueue: string): string => `${taskQueue}-janitor`;

/** Sees to it that the schedule is there, and at first that it is as this version wants it. Returns the stop function. */
export function keepJanitorSchedule({ client, taskQueue, log, lookMs = LOOK_MS }: JanitorScheduleOptions): () => void {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let isUpToDate = false;
  const look = async () => {
    try {
      await putSchedule(client, { taskQueue, isUpToDate });
      isUpToDate = true;
    } catch (error) {
      log.warn({ err: error }, "the janitor could not be scheduled; trying again");
    }
    if (!isStopped) timer = setTimeout(look, lookMs);
  };
  void look();
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}

async function putSchedule(
  client: Client,
  { taskQueue, isUpToDate }: { taskQueue: string; isUpToDate: boolean },
): Promise<void> {
  const options = scheduleOptions(taskQueue);
  try {
    await client.schedule.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    if (isUpToDate) return;
    // An operator may have paused it: its state stays.
    await client.schedule.getHandle(options.scheduleId).update((previous) => ({ ...previous, ...options }));
  }
}

function scheduleOptions(taskQueue: string) {
  const scheduleId = janitorScheduleId(taskQueue);
  return {
    scheduleId,
    spec: { intervals: [{ every: JANITOR_INTERVAL_MS }] },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCHUP_WINDOW_MS },
    action: {
      type: "startWorkflow",
      workflowType: "janitorWorkflow",
      workflowId: scheduleId,
      taskQueue,
      args: [],
      staticSummary: "removes events and keys that have had their time, closes workflows that nobody needs",
    },
  } satisfies ScheduleOptions<ScheduleOptionsStartWorkflowAction<typeof janitorWorkflow>>;
}
