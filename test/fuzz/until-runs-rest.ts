// After the storm: every run that was accepted has ended or waits for a client.
import type pg from "pg";
import { waitUntil } from "../support/wait-until.ts";

const DEADLINE_MS = 60_000;

/** Rejects when runs are still under way after a minute. */
export async function untilRunsRest(db: pg.Pool): Promise<void> {
  const underWay = "select count(*)::int as count from runs where status in ('queued', 'in_progress', 'cancelling')";
  await waitUntil(
    "no run is under way",
    async () => (await db.query<{ count: number }>(underWay)).rows[0]?.count === 0,
    DEADLINE_MS,
  );
}
