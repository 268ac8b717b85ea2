// Removes what is kept for a time only, and closes workflows that nobody needs. A Temporal schedule starts it; its result
// says what was done.
import { proxyActivities } from "@temporalio/workflow";
import type { Activities, Removed } from "../activities/index.ts";
import { HEARTBEAT_TIMEOUT_MS, JANITOR_INTERVAL_MS } from "../contract/limits.ts";

const { removeExpired, closeAbandoned } = proxyActivities<Activities>({
  // What one run of it leaves is there for the next.
  startToCloseTimeout: JANITOR_INTERVAL_MS,
  heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
  retry: { initialInterval: 1000, backoffCoefficient: 2, maximumInterval: 60_000 },
});

export interface Tidied extends Removed {
  /** Workflows of runs that had ended, or were gone. */
  workflowsClosed: number;
}

export async function janitorWorkflow(): Promise<Tidied> {
  return { ...(await removeExpired()), workflowsClosed: await closeAbandoned() };
}
