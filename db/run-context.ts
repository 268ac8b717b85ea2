// What a turn is made from: the thread's messages, newest first, and what the run itself has said and done so far.
import type { Message } from "../contract/message.ts";
import type { StepToolCall } from "../contract/run-step.ts";
import type { FinishedCall } from "./built-in-calls.ts";
import type { Queryable } from "./pool.ts";
import type { TurnRun } from "./run-turns.ts";

export interface ContextMessage {
  seq: number;
  role: Message["role"];
  content: Message["content"];
  tokens: number;
}

/**
 * Messages of the thread that are older than the position `before`, newest first, at most `limit`.
 * Those of the run itself are not among them: they belong to its turns.
 */
export async function readThreadBackwards(
  db: Queryable,
  run: TurnRun,
  before: number,
  limit: number,
): Promise<ContextMessage[]> {
  const { rows } = await db.query<ContextMessage>(
    `select seq, role, content, tokens from messages
     where project_id = $1 and thread_id = $2 and seq < $3
       and status <> 'in_progress' and run_id is distinct from $4
     order by seq desc limit $5`,
    [run.project_id, run.thread_id, before, run.id, limit],
  );
  return rows;
}

/** What one earlier turn of the run said, called, and got back. */
export interface EarlierTurn {
  turn: number;
  content: Message["content"] | null;
  tool_calls: StepToolCall[];
  /** Of the calls of the server's own tools: what their step does not show, by the id of the call. */
  built_in: ReadonlyMap<string, FinishedCall>;
}

/** The finished turns of the run, in order. */
export async function readEarlierTurns(db: Queryable, run: TurnRun): Promise<EarlierTurn[]> {
  if (run.turn === 1) return [];
  const { rows } = await db.query<TurnRow>(
    `select s.turn, s.step_details -> 'tool_calls' as calls, m.content, (
       select json_object_agg(c.call_id, json_build_object('number', c.number, 'arguments', c.arguments, 'told', c.told))
       from built_in_calls c where c.run_step_id = s.id) as built_in
     from run_steps s
     left join messages m on m.id = s.step_details -> 'message_creation' ->> 'message_id' and m.project_id = s.project_id
     where s.run_id = $1 and s.project_id = $2 and s.status = 'completed' and s.turn < $3
     order by s.seq`,
    [run.id, run.project_id, run.turn],
  );
  const turns = new Map<number, EarlierTurn>();
  for (const row of rows) {
    const turn: EarlierTurn = turns.get(row.turn) ?? {
      turn: row.turn,
      content: null,
      tool_calls: [],
      built_in: new Map(),
    };
    turns.set(row.turn, turn);
    if (row.content !== null) turn.content = row.content;
    if (row.calls !== null) turn.tool_calls.push(...row.calls);
    if (row.built_in !== null) turn.built_in = new Map(Object.entries(row.built_in));
  }
  return [...turns.values()];
}

interface TurnRow {
  turn: number;
  calls: StepToolCall[] | null;
  content: Message["content"] | null;
  built_in: Record<string, FinishedCall> | null;
}
