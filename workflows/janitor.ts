// Removes what is kept for a time only, and closes workflows that nobody needs. A Temporal schedule starts it; its result
// says what was done.
import { proxyActivities } from "@temporalio/workflow";
import type { Activities, OrphansRemoved, Removed } from "../activities/index.ts";
import { HEARTBEAT_TIMEOUT_MS, JANITOR_INTERVAL_MS, ORPHAN_SEARCH_INTERVAL_MS } from "../contract/limits.ts";

const { removeExpired, removeOrphans, closeAbandoned } = proxyActivities<Activities>({
  // What one run of it leaves is there for the next.
  startToCloseTimeout: JANITOR_INTERVAL_MS,
  heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
  retry: { initialInterval: 1000, backoffCoefficient: 2, maximumInterval: 60_000 },
});

/** Orphans are looked for by some of its runs only: then their counts are there. */
export interface Tidied extends Removed, Partial<OrphansRemoved> {
  /** Workflows of runs that had ended, or were gone. */
  workflowsClosed: number;
}

export async function janitorWorkflow(): Promise<Tidied> {
  const removed = await removeExpired();
  const orphans = isTimeForOrphans() ? await removeOrphans() : {};
  return { ...removed, ...orphans, workflowsClosed: await closeAbandoned() };
}

/** Whether this is the first of the janitor's runs in one of the long intervals. */
function isTimeForOrphans(): boolean {
  return Date.now() % ORPHAN_SEARCH_INTERVAL_MS < JANITOR_INTERVAL_MS;
}
