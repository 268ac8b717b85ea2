// The events of runs: their positions, their order, and that they tell of the same run as the rows do. Events are kept
// while a run lives and for a day behind its end.
import { JANITOR_INTERVAL_MS } from "../contract/limits.ts";
import type { Pool, Queryable } from "../db/pool.ts";
import { compareCalls, compareCode, compareTexts } from "./event-content.ts";
import { CRASH_GAP } from "./event-positions.ts";
import { GRACE } from "./row-check.ts";
import type { RowInvariant } from "./row-check.ts";
import { readLogs } from "./run-log.ts";
import type { LoggedRun, RunLog } from "./run-log.ts";
import type { Tally } from "./tally.ts";
import { walk } from "./walk.ts";

export const EVENT_CATALOGUE = {
  "event-positions": "The events of a run have the positions from 1 on, but for what a crash of Postgres took.",
  "event-cursor": "The cursor of a run has the position of its newest event and the run's epoch.",
  "event-order": "The events of a run follow one another as the contract says.",
  "event-status": "The newest event of a run itself shows the run's status.",
  "event-objects": "Each step and message of a run has events, and the newest shows its status.",
  "event-text": "The deltas of a message, the event of its end and the message itself have the same text.",
  "event-calls": "The deltas of a step, its events and the step itself have the same calls and outputs.",
  "event-code": "The deltas of a step and the step itself have the same code, and the same outputs of it.",
};

export const OLD_EVENT_INVARIANTS: readonly RowInvariant[] = [
  {
    name: "events-dropped",
    says: "An active run has no date after which its events are dropped, one that ended drops them in time, and wholly.",
    checks: [
      {
        over: "runs",
        withGrace: true,
        sql: `
          select r.id, case
            when r.status in ('queued', 'in_progress', 'requires_action', 'cancelling')
              then case when r.events_until is not null then 'is active, and its events are to be dropped' end
            when r.events_until < now() - interval '${JANITOR_INTERVAL_MS} ms' - ${GRACE}
              then format('has kept its events %s s too long', floor(extract(epoch from now() - r.events_until)))
            when r.events_until is not null then null
            when exists (select 1 from run_events e where e.run_id = r.id)
              or exists (select 1 from run_deltas d where d.run_id = r.id)
              or exists (select 1 from run_cursors c where c.run_id = r.id) then 'left events behind' end as reason
          from runs r where r.id = any($1)`,
      },
    ],
  },
];

/** Checks the events of every run that is to have some. */
export async function checkEvents(db: Pool, tally: Tally): Promise<void> {
  await walk(db, "runs_with_events", async (tx, ids) => {
    const { rows: runs } = await tx.query<LoggedRun>(
      `select r.id, r.status, r.epoch, c.last_seq, c.epoch as cursor_epoch
       from runs r left join run_cursors c on c.run_id = r.id where r.id = any($1) order by r.id`,
      [ids],
    );
    const messages = await readMessages(tx, ids);
    const steps = await readSteps(tx, ids);
    const logs = await readLogs(tx, runs, new Set(messages.map(({ id }) => id)));
    const logOf = new Map(logs.map((log) => [log.run.id, log]));
    for (const log of logs) checkLog(tally, log);
    for (const row of messages) checkWritten(tally, row, logOf.get(row.run_id), "messages");
    for (const row of steps) checkWritten(tally, row, logOf.get(row.run_id), "steps");
    const known = new Set(steps.map(({ id }) => id));
    for (const id of logs.flatMap((log) => [...log.order.steps.keys()])) {
      if (!known.has(id)) tally.violation("event-objects", id, "has events, and is gone");
    }
    // A log that is out of order does not say what belongs to what.
    const ordered = logs.filter((log) => log.orderProblem === undefined);
    tally.add("event-text", await compareTexts(tx, ordered));
    tally.add("event-calls", await compareCalls(tx, ordered));
    tally.add("event-code", await compareCode(tx, ordered));
  });
}

function checkLog(tally: Tally, { run, order, positions, orderProblem, positionProblem }: RunLog): void {
  for (const name of ["event-positions", "event-cursor", "event-order", "event-status"]) tally.checked(name, 1);
  if (positionProblem !== undefined) tally.violation("event-positions", run.id, positionProblem);
  const cursorProblem = checkCursor(run, positions);
  if (cursorProblem !== undefined) tally.violation("event-cursor", run.id, cursorProblem);
  if (orderProblem !== undefined) tally.violation("event-order", run.id, orderProblem);
  else if (order.status !== run.status) {
    tally.violation("event-status", run.id, `is ${run.status}, and its newest event says ${order.status}`);
  }
}

function checkCursor(run: LoggedRun, { last, deltas }: RunLog["positions"]): string | undefined {
  if (run.last_seq === null) return deltas > 0 ? "has deltas and no cursor" : undefined;
  // The first cursor behind a crash may be made by a try that has nothing to say yet.
  const hasJumped = deltas === 0 && run.last_seq === last + CRASH_GAP;
  if (run.last_seq !== last && !hasJumped) return `stands at ${run.last_seq}, and the newest event at ${last}`;
  if (run.cursor_epoch !== run.epoch) return `is of epoch ${run.cursor_epoch}, and the run of epoch ${run.epoch}`;
  return undefined;
}

/** A step or message of a run. */
interface Written {
  id: string;
  run_id: string;
  status: string;
}

async function readMessages(tx: Queryable, runIds: readonly string[]): Promise<Written[]> {
  const sql = "select id, run_id, status from messages where run_id = any($1)";
  return (await tx.query<Written>(sql, [runIds])).rows;
}

async function readSteps(tx: Queryable, runIds: readonly string[]): Promise<Written[]> {
  const sql = "select id, run_id, status from run_steps where run_id = any($1)";
  return (await tx.query<Written>(sql, [runIds])).rows;
}

function checkWritten(
  tally: Tally,
  { id, status }: Written,
  log: RunLog | undefined,
  kind: "messages" | "steps",
): void {
  if (log === undefined || log.orderProblem !== undefined) return;
  tally.checked("event-objects", 1);
  const shown = log.order[kind].get(id);
  if (shown === undefined) tally.violation("event-objects", id, "has no event");
  else if (shown !== status) tally.violation("event-objects", id, `is ${status}, and its newest event says ${shown}`);
}
