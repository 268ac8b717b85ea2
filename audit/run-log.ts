// Reads the events of a batch of runs, without their content and in pages, and follows each run with the two pure
// checks, of positions and of order.
import type { RunStatus } from "../contract/run-state.ts";
import type { Queryable } from "../db/pool.ts";
import { mayHaveDeltas, startOrder, takeEvent } from "./event-order.ts";
import type { EventHead, OrderState } from "./event-order.ts";
import { endPositions, startPositions, takePosition } from "./event-positions.ts";
import type { PositionState } from "./event-positions.ts";

const PAGE_ROWS = 2000;

/** A run as the check of its events needs it. */
export interface LoggedRun {
  id: string;
  status: RunStatus;
  epoch: number;
  /** Null without a cursor. */
  last_seq: number | null;
  cursor_epoch: number | null;
}

/** What came of reading the events of one run. */
export interface RunLog {
  run: LoggedRun;
  order: OrderState;
  positions: PositionState;
  /** The first thing that is wrong with the order; the rest of the run is not held to it. */
  orderProblem: string | undefined;
  positionProblem: string | undefined;
  /** Position at which each step and message was created. */
  createdAt: Map<string, number>;
  /** For each step of tool calls whose outputs were asked for, the position of the event that did. */
  askedAt: Map<string, number>;
}

interface EventRow extends EventHead {
  run_id: string;
  seq: number;
  durable: boolean;
}

/**
 * @param runs in the order of the database
 * @param messages ids of the messages of these runs that exist
 */
export async function readLogs(
  tx: Queryable,
  runs: readonly LoggedRun[],
  messages: ReadonlySet<string>,
): Promise<RunLog[]> {
  const logs = new Map(runs.map((run) => [run.id, startLog(run)]));
  for await (const row of readHeads(tx, runs)) {
    const log = logs.get(row.run_id);
    if (log !== undefined) follow(log, row, messages);
  }
  return [...logs.values()].map(endLog);
}

function startLog(run: LoggedRun): RunLog {
  return {
    run,
    order: startOrder(),
    positions: startPositions(),
    orderProblem: undefined,
    positionProblem: undefined,
    createdAt: new Map(),
    askedAt: new Map(),
  };
}

function follow(log: RunLog, row: EventRow, messages: ReadonlySet<string>): void {
  const { order } = log;
  const positionProblem = takePosition(log.positions, row, log.orderProblem !== undefined || mayHaveDeltas(order));
  log.positionProblem ??= positionProblem;
  if (row.id !== null && row.event.endsWith(".created")) log.createdAt.set(row.id, row.seq);
  if (log.orderProblem !== undefined) return;
  log.orderProblem = takeEvent(order, row, (message) => !messages.has(message));
  if (row.event === "thread.run.requires_action" && order.step !== undefined) log.askedAt.set(order.step.id, row.seq);
}

function endLog(log: RunLog): RunLog {
  log.positionProblem ??= endPositions(log.positions, log.run.last_seq !== null);
  if (log.positions.last === 0) log.orderProblem ??= "has no events";
  else if (log.order.next !== undefined) log.orderProblem ??= `ends where ${log.order.next.join(" or ")} must come`;
  return log;
}

/**
 * The events from the first to the last of these runs, run by run in their order. Not their content: only what tells
 * where they belong.
 */
async function* readHeads(tx: Queryable, runs: readonly LoggedRun[]): AsyncGenerator<EventRow, void, void> {
  const last = runs.at(-1)?.id;
  let after = { run_id: runs[0]?.id, seq: 0 };
  for (;;) {
    const { rows } = await tx.query<EventRow>(
      `(select run_id, seq, event, true as durable, data ->> 'id' as id, data ->> 'status' as status,
          data ->> 'type' as type, data #>> '{step_details,message_creation,message_id}' as message_id,
          case when event = 'thread.run.step.completed' then exists (
            select 1 from json_array_elements(data #> '{step_details,tool_calls}') call where call ->> 'type' <> 'function')
            else false end as has_built_in
        from run_events where (run_id, seq) > ($1, $2) and run_id <= $3 order by run_id, seq limit $4)
       union all
       (select run_id, seq, event, false, data ->> 'id', null, null, null, false
        from run_deltas where (run_id, seq) > ($1, $2) and run_id <= $3 order by run_id, seq limit $4)
       order by run_id, seq limit $4`,
      [after.run_id, after.seq, last, PAGE_ROWS],
    );
    yield* rows;
    const newest = rows.at(-1);
    if (newest === undefined || rows.length < PAGE_ROWS) return;
    after = newest;
  }
}
