// Workflows that nobody needs any more: their run has ended, or is gone with its thread, and what should have told them
// got lost. One that waits for outputs would go on waiting for as long as its run might have lived.
import { findAbandoned } from "../db/run-checks.ts";
import type { ActivityDeps } from "./generate.ts";

/** The workflows of runs, as Temporal knows them. */
export interface OpenWorkflows {
  /** Ids of the runs whose workflows are open, in batches. */
  list(): AsyncIterable<string[]>;
  /** Cancels a run's workflow; one that has closed meanwhile is left alone. */
  cancel(runId: string): Promise<void>;
}

/** Returns how many were told to close. May run twice, and side by side. */
export async function closeAbandoned(
  { pool }: Pick<ActivityDeps, "pool">,
  openWorkflows: OpenWorkflows,
): Promise<number> {
  let closed = 0;
  for await (const runIds of openWorkflows.list()) {
    for (const runId of await findAbandoned(pool, runIds)) {
      await openWorkflows.cancel(runId);
      closed += 1;
    }
  }
  return closed;
}
