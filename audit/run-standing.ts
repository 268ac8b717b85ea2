// How runs stand in the database: what their workflows are held against.
import {
  EVENT_RETENTION_MS,
  SWEEP_IN_PROGRESS_AFTER_MS,
  SWEEP_MAX_BACKOFF_MS,
  SWEEP_WAITING_AFTER_MS,
} from "../contract/limits.ts";
import type { RunStatus } from "../contract/run-state.ts";
import type { Queryable } from "../db/pool.ts";

export interface RunStanding {
  id: string;
  project_id: string;
  thread_id: string;
  assistant_id: string;
  model: string;
  status: RunStatus;
  /** Grows with every try of every turn, and with the end. */
  epoch: number;
  /** Old enough to have a workflow. */
  is_settled: boolean;
  /** Ended long enough ago for its workflow to have heard of it. */
  is_long_over: boolean;
  /** The sweep will look at it, and is not late. */
  will_be_looked_at: boolean;
}

/** $1 is the grace in milliseconds. A run that has ended tells when by the date until which its events are kept. */
const STANDING = `
  id, project_id, thread_id, assistant_id, model, status, epoch,
  created_at < now() - $1::double precision * interval '1 ms' as is_settled,
  status in ('completed', 'failed', 'cancelled', 'incomplete', 'expired') and (events_until is null
    or events_until < now() + interval '${EVENT_RETENTION_MS} ms' - $1::double precision * interval '1 ms') as is_long_over,
  check_at between now() - $1::double precision * interval '1 ms'
    and now() + $1::double precision * interval '1 ms' + case status
      when 'requires_action' then interval '${SWEEP_WAITING_AFTER_MS} ms'
      else interval '${Math.max(SWEEP_MAX_BACKOFF_MS, SWEEP_IN_PROGRESS_AFTER_MS)} ms' end as will_be_looked_at`;

/** Runs that are gone are not among the answers. */
export async function readStandings(
  db: Queryable,
  ids: readonly string[],
  graceMs: number,
): Promise<Map<string, RunStanding>> {
  const { rows } = await db.query<RunStanding>(`select ${STANDING} from runs where id = any($2)`, [graceMs, ids]);
  return new Map(rows.map((row) => [row.id, row]));
}

/** Active runs behind one of them, in the order of the index that locks threads. */
export async function readActive(
  db: Queryable,
  after: Pick<RunStanding, "thread_id" | "id">,
  graceMs: number,
  limit: number,
): Promise<RunStanding[]> {
  const { rows } = await db.query<RunStanding>(
    `select ${STANDING} from runs
     where status in ('queued', 'in_progress', 'requires_action', 'cancelling') and (thread_id, id) > ($2, $3)
     order by thread_id, id limit $4`,
    [graceMs, after.thread_id, after.id, limit],
  );
  return rows;
}

/** Ids of the runs that ended last, newest first. */
export async function readNewlyEnded(db: Queryable, limit: number): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    "select id from runs where events_until is not null order by events_until desc limit $1",
    [limit],
  );
  return rows.map((row) => row.id);
}
