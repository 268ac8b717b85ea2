// What is kept for a time only: events of runs that have ended, and keys of requests.
import { heartbeat } from "@temporalio/activity";
import { JANITOR_BATCH } from "../contract/limits.ts";
import { dropOldKeys } from "../db/idempotency-keys.ts";
import { dropOldEvents } from "../db/run-events.ts";
import type { ActivityDeps } from "./generate.ts";

export interface Removed {
  /** Runs whose events were removed. */
  eventsOfRuns: number;
  idempotencyKeys: number;
}

/** May run twice, and side by side: rows that another one has in hand are left to it. */
export async function removeExpired({ pool }: Pick<ActivityDeps, "pool">): Promise<Removed> {
  return {
    eventsOfRuns: await removeAll(() => dropOldEvents(pool, JANITOR_BATCH)),
    idempotencyKeys: await removeAll(() => dropOldKeys(pool, JANITOR_BATCH)),
  };
}

/** In batches, so that each transaction stays short. */
async function removeAll(removeBatch: () => Promise<number>): Promise<number> {
  for (let total = 0; ;) {
    const removed = await removeBatch();
    total += removed;
    if (removed < JANITOR_BATCH) return total;
    heartbeat();
  }
}
