// The events of a run as rows: appended by whoever changes the run, read in their order by whoever streams it.
import type { RunStatus } from "../contract/run-state.ts";
import type { Queryable } from "./pool.ts";
import type { RunKey } from "./scope.ts";

/** The channel on which writers tell readers of new events. A notice is a JSON array of `Notice`. */
export const EVENTS_CHANNEL = "run_events";

/** run id and position; with event and payload when they are small enough, else the reader looks into the tables. */
export type Notice = [runId: string, seq: number, event?: string, data?: unknown];

export interface NewEvent {
  event: string;
  data: unknown;
}

export interface StoredEvent {
  /** Position within the run, from 1. */
  seq: number;
  event: string;
  /** JSON as text. For events of the run itself, only what changed: see `RunState` in runs.ts. */
  data: string;
}

/** What a transaction has added to the events of a run. */
export interface Appended {
  /** Position of the last one. */
  seq: number;
  /** As they are stored, in their order. */
  events: readonly { event: string; data: string }[];
}

/** Appends events within a transaction. To be called last: from here to the commit the run's cursor is locked. */
export async function appendEvents(tx: Queryable, runId: string, added: readonly NewEvent[]): Promise<Appended> {
  const events = added.map(({ event, data }) => ({ event, data: JSON.stringify(data) }));
  const { rows } = await tx.query<{ seq: number }>("select append_run_events($1, $2::text[], $3::json[]) as seq", [
    runId,
    events.map(({ event }) => event),
    events.map(({ data }) => data),
  ]);
  return { ...(rows[0] as { seq: number }), events };
}

/** The events after a position, at most `limit`. What is visible is always complete up to its last position. */
export async function readEvents(db: Queryable, runId: string, after: number, limit: number): Promise<StoredEvent[]> {
  const { rows } = await db.query<StoredEvent>(
    `(select seq, event, data::text from run_events where run_id = $1 and seq > $2 order by seq limit $3)
     union all
     (select seq, event, data::text from run_deltas where run_id = $1 and seq > $2 order by seq limit $3)
     order by seq limit $3`,
    [runId, after, limit],
  );
  return rows;
}

/** The newest position of each run that still exists; null where a crash of the database took it. */
export async function readPositions(db: Queryable, runIds: readonly string[]): Promise<Map<string, number | null>> {
  const { rows } = await db.query<{ id: string; last_seq: number | null }>(
    "select r.id, c.last_seq from runs r left join run_cursors c on c.run_id = r.id where r.id = any($1)",
    [runIds],
  );
  return new Map(rows.map((row) => [row.id, row.last_seq]));
}

/** A run's status and the position of its newest event, of one and the same moment. Undefined when there is no such run. */
export async function readStanding(
  db: Queryable,
  run: RunKey,
): Promise<{ status: RunStatus; position: number } | undefined> {
  const { rows } = await db.query<{ status: RunStatus; position: number }>(
    `select r.status,
       coalesce(c.last_seq, (select max(e.seq) from run_events e where e.run_id = r.id), 0) as position
     from runs r left join run_cursors c on c.run_id = r.id where r.id = $1 and r.project_id = $2`,
    [run.id, run.project_id],
  );
  return rows[0];
}

/** Tells readers that a run has events up to `seq`. Outside of any transaction: a NOTIFY makes commits wait for one another. */
export async function notifyEvents(db: Queryable, runId: string, seq: number): Promise<void> {
  const notice: Notice = [runId, seq];
  await db.query("select pg_notify($1, $2)", [EVENTS_CHANNEL, JSON.stringify([notice])]);
}

/** Drops the events of up to `limit` runs that ended long enough ago. Returns how many runs it took. */
export async function dropOldEvents(db: Queryable, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `with old as (
       update runs set events_until = null
       where id in (select id from runs where events_until < now() order by events_until limit $1 for update skip locked)
       returning id
     ), deltas as (delete from run_deltas where run_id in (select id from old)
     ), cursors as (delete from run_cursors where run_id in (select id from old)
     ), events as (delete from run_events where run_id in (select id from old))
     select id from old`,
    [limit],
  );
  return rowCount ?? 0;
}
