// What the sweep reads: runs that nothing has happened to for longer than it should have. And what the janitor asks.
import {
  ABANDONED_AFTER_MS,
  EVENT_RETENTION_MS,
  SWEEP_AFTER_MS,
  SWEEP_INTERVAL_MS,
  SWEEP_MAX_BACKOFF_MS,
  SWEEP_WAITING_AFTER_MS,
} from "../contract/limits.ts";
import type { RunStatus } from "../contract/run-state.ts";
import type { Queryable } from "./pool.ts";

export interface RunToCheck {
  id: string;
  project_id: string;
  thread_id: string;
  assistant_id: string;
  model: string;
  status: RunStatus;
  /** Turns begun; 0 means that no worker has seen the run. */
  turn: number;
  overdue: boolean;
  /** How often the sweep has looked since the status last changed, this time included. */
  checks: number;
}

/**
 * Takes up to `limit` runs that are due for a look, and puts off the next look at each, twice as long every time,
 * but not beyond the run's expiry.
 * Any number of processes may call this at once: each run is given to one of them.
 */
export async function takeRunsToCheck(db: Queryable, limit: number): Promise<RunToCheck[]> {
  const { rows } = await db.query<RunToCheck>(
    `update runs set checks = checks + 1,
       check_at = least(
         now() + interval '1 ms' * case
           when status = 'requires_action' then ${SWEEP_WAITING_AFTER_MS}
           else least(${SWEEP_AFTER_MS} * 2 ^ least(checks, 20), ${SWEEP_MAX_BACKOFF_MS}) end,
         greatest(expires_at, now() + interval '${SWEEP_INTERVAL_MS} ms'))
     where id in (
       select id from runs
       where status in ('queued', 'in_progress', 'requires_action', 'cancelling') and check_at <= now()
       order by check_at limit $1 for update skip locked)
     returning id, project_id, thread_id, assistant_id, model, status, turn, expires_at <= now() as overdue, checks`,
    [limit],
  );
  return rows;
}

/** Those of the ids whose run is gone, or ended a while ago. When a run ended is told by how long its events are kept. */
export async function findAbandoned(db: Queryable, ids: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select given.id from unnest($1::text[]) as given (id) left join runs r on r.id = given.id
     where r.id is null or (r.status in ('completed', 'failed', 'cancelled', 'incomplete', 'expired')
       and (r.events_until is null
         or r.events_until < now() + interval '${EVENT_RETENTION_MS} ms' - interval '${ABANDONED_AFTER_MS} ms'))`,
    [ids],
  );
  return rows.map(({ id }) => id);
}
