// A turn of a run, as its worker records it: begun, opened when the model's first word is here, finished.
// Each function is one transaction, and each but the first holds only for the try that has the run's newest epoch.
import { FILES_WAIT_MS, SUSPECT_AFTER_DEATHS } from "../contract/limits.ts";
import type { Message } from "../contract/message.ts";
import { isTerminal } from "../contract/run-state.ts";
import type { RunStatus } from "../contract/run-state.ts";
import type { FunctionCall, LastError, RequiredAction, Run, Usage } from "../contract/run.ts";
import type { RunStep, StepToolCall } from "../contract/run-step.ts";
import { findOpenCalls, insertCalls } from "./built-in-calls.ts";
import type { NewBuiltInCall, OpenCall } from "./built-in-calls.ts";
import { MESSAGE_COLUMNS } from "./messages.ts";
import { closeOpenMessage, closeOpenStep, NO_USAGE } from "./open-work.ts";
import type { Pool, Queryable } from "./pool.ts";
import { withTransaction } from "./pool.ts";
import { closeRun } from "./run-ends.ts";
import type { Ended, RunEnd } from "./run-ends.ts";
import { appendEvents } from "./run-events.ts";
import type { Appended, NewEvent } from "./run-events.ts";
import { changeStatus } from "./run-status.ts";
import { STEP_COLUMNS } from "./run-steps.ts";
import { readRunStores } from "./run-stores.ts";
import type { RunKey } from "./scope.ts";

/** What a worker needs to know of a run to make its next turn. */
export type TurnRun = Pick<
  Run,
  | "assistant_id"
  | "thread_id"
  | "model"
  | "instructions"
  | "tools"
  | "temperature"
  | "top_p"
  | "reasoning_effort"
  | "response_format"
  | "tool_choice"
  | "parallel_tool_calls"
  | "truncation_strategy"
  | "max_prompt_tokens"
  | "max_completion_tokens"
> & {
  id: string;
  project_id: string;
  /** Number of this turn, from 1. */
  turn: number;
  /** Number of this try of the turn, from 1; those that were forgiven do not count. */
  tries: number;
  epoch: number;
  /** Milliseconds of Unix time. */
  expires_at_ms: number;
  /** Milliseconds that are left, by the clock of Postgres. */
  expires_in_ms: number;
  prompt_tokens: number;
  completion_tokens: number;
};

export type TurnStart =
  /** Nothing was begun: tries of this turn have died with their workers, and the caller has not said that it is apart. */
  | { kind: "suspect" }
  /** Nothing was begun: files of the thread's store are still being made searchable, and the run may wait for them. */
  | { kind: "files_awaited" }
  | { kind: "begun"; run: TurnRun; added: Appended }
  /** The turn has ended, and calls of the server's own tools are not done. */
  | { kind: "calling"; turn: number; calls: OpenCall[] }
  | { kind: "waiting"; expires_at_ms: number; turn: number; calls: FunctionCall[]; added?: Appended }
  | { kind: "ended"; status: RunStatus | "deleted"; added?: Appended };

/** A turn that may not go on: another try has taken over, or the run has left `in_progress`. */
export class TurnLost extends Error {
  override name = "TurnLost";
  /** The run's status now; undefined when another try of the turn holds it, or the run is gone. */
  readonly status: RunStatus | undefined;

  constructor(status: RunStatus | undefined) {
    super(status === undefined ? "another try holds this turn" : `the run is ${status}`);
    this.status = status;
  }
}

/**
 * Takes a run in hand for its next turn. Decides from the row alone, so that it is right for a first try, for a retry
 * after a crash, and for a workflow that was made anew: what an earlier try left open is closed and taken out of the thread.
 * @param isApart whether the caller makes no other turn that workers may have died of
 */
export async function beginTurn(pool: Pool, key: RunKey, isApart = true): Promise<TurnStart> {
  return withTransaction(pool, async (tx): Promise<TurnStart> => {
    const found = await lockRun(tx, key);
    if (found === undefined) return { kind: "ended", status: "deleted" };
    const { status } = found;
    if (isTerminal(status)) return { kind: "ended", status };
    if (status === "cancelling") return end(tx, key, status, { to: "cancelled" });
    if (found.overdue) return end(tx, key, status, { to: "expired" });
    if (status === "requires_action") {
      const calls = found.required_action?.submit_tool_outputs.tool_calls ?? [];
      return { kind: "waiting", expires_at_ms: found.expires_at_ms, turn: found.turn, calls };
    }
    if (status === "queued") return found.has_files ? startWithFiles(tx, key, found) : begin(tx, key, start(tx, key));
    const open = await findOpenCalls(tx, key);
    if (open.length > 0) return goOnBehindCalls(tx, key, found, open);
    if (found.deaths >= SUSPECT_AFTER_DEATHS && !isApart) return { kind: "suspect" };
    return begin(tx, key, await abandonTry(tx, key));
  });
}

interface LockedRun {
  status: RunStatus;
  turn: number;
  overdue: boolean;
  expires_at_ms: number;
  required_action: RequiredAction | null;
  deaths: number;
  /** Whether this is a first turn that may search files. */
  has_files: boolean;
  may_wait: boolean;
}

async function lockRun(tx: Queryable, key: RunKey): Promise<LockedRun | undefined> {
  const { rows } = await tx.query<LockedRun>(
    `select status, turn, expires_at <= now() as overdue, required_action, turn_tries - turn_failures as deaths,
       (extract(epoch from expires_at) * 1000)::bigint as expires_at_ms,
       case when turn = 0 and json_array_length(tools) > 0
         then exists (select 1 from json_array_elements(tools) tool where tool ->> 'type' = 'file_search')
         else false end as has_files,
       created_at > now() - interval '${FILES_WAIT_MS} ms' as may_wait
     from runs where id = $1 and project_id = $2 for no key update`,
    [key.id, key.project_id],
  );
  return rows[0];
}

/** Takes the run in hand, behind what was asked for before. */
async function begin(tx: Queryable, key: RunKey, before: NewEvent[] | Promise<NewEvent[]>): Promise<TurnStart> {
  const [events, run] = await Promise.all([before, takeEpoch(tx, key)]);
  return { kind: "begun", run, added: await appendEvents(tx, key.id, events) };
}

/** A run whose store has expired fails; one whose thread has new files gives them some time. */
async function startWithFiles(tx: Queryable, key: RunKey, found: LockedRun): Promise<TurnStart> {
  const stores = await readRunStores(tx, key);
  const expired = stores.find((store) => store.is_expired);
  if (expired !== undefined) {
    const started = await start(tx, key);
    const failed = await closeRun(tx, key, "in_progress", { to: "failed", error: storeExpired(expired.id) });
    return { kind: "ended", status: "failed", added: await appendEvents(tx, key.id, [...started, ...failed]) };
  }
  if (found.may_wait && stores.some((store) => store.is_awaited)) return { kind: "files_awaited" };
  return begin(tx, key, start(tx, key));
}

/** Why a run fails whose vector store has expired. */
export function storeExpired(id: string): LastError {
  return { code: "server_error", message: `The vector store '${id}' has expired. Set another one and run again.` };
}

/** The turn has ended. When its calls are done, its functions are asked for; when it has none, the next turn begins. */
async function goOnBehindCalls(
  tx: Queryable,
  key: RunKey,
  { turn, expires_at_ms }: LockedRun,
  open: readonly OpenCall[],
): Promise<TurnStart> {
  const pending = open.filter((call) => !call.finished);
  if (pending.length > 0) return { kind: "calling", turn, calls: pending };
  const calls = await readFunctionCalls(tx, key);
  if (calls.length > 0) {
    const required_action: RequiredAction = { type: "submit_tool_outputs", submit_tool_outputs: { tool_calls: calls } };
    const waiting = await changeStatus(tx, key, { to: "requires_action", required_action });
    if (waiting === undefined) throw new Error(`run ${key.id} cannot wait`);
    return { kind: "waiting", expires_at_ms, turn, calls, added: await appendEvents(tx, key.id, [waiting.event]) };
  }
  const closed = closeOpenStep(tx, key, { status: "completed" });
  const moved = tx.query(
    "update runs set turn = turn + 1, turn_tries = 0, turn_failures = 0 where id = $1 and project_id = $2",
    [key.id, key.project_id],
  );
  return begin(
    tx,
    key,
    Promise.all([closed, moved]).then(([events]) => events),
  );
}

/** The functions that the open step has called, as a client is asked for them. */
async function readFunctionCalls(tx: Queryable, key: RunKey): Promise<FunctionCall[]> {
  const { rows } = await tx.query<Pick<RunStep, "step_details">>(
    "select step_details from run_steps where run_id = $1 and project_id = $2 and status = 'in_progress'",
    [key.id, key.project_id],
  );
  const details = rows[0]?.step_details;
  if (details?.type !== "tool_calls") return [];
  return details.tool_calls.flatMap((call) => {
    if (call.type !== "function") return [];
    const { output: _, ...called } = call.function;
    return [{ ...call, function: called }];
  });
}

async function end(tx: Queryable, key: RunKey, from: RunStatus, how: RunEnd): Promise<TurnStart> {
  const added = await appendEvents(tx, key.id, await closeRun(tx, key, from, how));
  return { kind: "ended", status: how.to, added };
}

async function start(tx: Queryable, key: RunKey): Promise<NewEvent[]> {
  const started = await changeStatus(tx, key, { to: "in_progress" });
  if (started === undefined) throw new Error(`run ${key.id} cannot start`);
  return [started.event];
}

/**
 * Closes what a dead try had open, and takes its message out of the thread, also one that was complete because calls had
 * begun behind it: one answer per turn.
 */
async function abandonTry(tx: Queryable, key: RunKey): Promise<NewEvent[]> {
  // The run, its thread, its messages: the order in which everyone locks them.
  await tx.query("select 1 from threads where id = (select thread_id from runs where id = $1) for no key update", [
    key.id,
  ]);
  const message = await closeOpenMessage(tx, key, "run_failed");
  await tx.query(
    `with abandoned as (
       delete from messages where run_id = $1 and project_id = $2 and id in (
         select s.step_details -> 'message_creation' ->> 'message_id'
         from run_steps s join runs r on r.id = s.run_id and r.turn = s.turn where s.run_id = $1 and s.project_id = $2)
       returning id
     )
     update threads set message_count = message_count - (select count(*) from abandoned)
     where project_id = $2 and id = (select thread_id from runs where id = $1)`,
    [key.id, key.project_id],
  );
  const error = { code: "server_error", message: "The model's answer was interrupted; it is asked again." } as const;
  return [...message, ...(await closeOpenStep(tx, key, { status: "failed", error }))];
}

async function takeEpoch(tx: Queryable, key: RunKey): Promise<TurnRun> {
  const { rows } = await tx.query<TurnRun>(
    `update runs set epoch = epoch + 1, turn_tries = turn_tries + 1 where id = $1 and project_id = $2
     returning id, project_id, assistant_id, thread_id, model, instructions, tools, temperature, top_p,
       reasoning_effort, response_format, tool_choice, parallel_tool_calls, truncation_strategy, max_prompt_tokens,
       max_completion_tokens, turn, turn_tries as tries, epoch, prompt_tokens, completion_tokens,
       (extract(epoch from expires_at) * 1000)::bigint as expires_at_ms,
       (extract(epoch from expires_at - clock_timestamp()) * 1000)::bigint as expires_in_ms`,
    [key.id, key.project_id],
  );
  return rows[0] as TurnRun;
}

/** Does not count the current try: it was not the run's fault that it came to nothing. */
export async function forgiveTry(pool: Pool, run: TurnRun): Promise<void> {
  await pool.query(
    "update runs set turn_tries = greatest(turn_tries - 1, 0) where id = $1 and project_id = $2 and epoch = $3",
    [run.id, run.project_id, run.epoch],
  );
}

/** Notes that the current try fails in order: its worker goes on. */
export async function noteFailure(pool: Pool, run: TurnRun): Promise<void> {
  await pool.query(
    "update runs set turn_failures = turn_failures + 1 where id = $1 and project_id = $2 and epoch = $3",
    [run.id, run.project_id, run.epoch],
  );
}

/** Opens the message that the model has begun to write, with its step. */
export async function openMessage(pool: Pool, run: TurnRun, ids: { message: string; step: string }): Promise<Appended> {
  return withTransaction(pool, async (tx) => {
    const details = { type: "message_creation", message_creation: { message_id: ids.message } };
    const [, step, message] = await Promise.all([
      holdTurn(tx, run),
      insertStep(tx, run, ids.step, details),
      insertMessage(tx, run, ids.message),
    ]);
    return appendEvents(tx, run.id, [
      { event: "thread.run.step.created", data: step },
      { event: "thread.run.step.in_progress", data: step },
      { event: "thread.message.created", data: message },
      { event: "thread.message.in_progress", data: message },
    ]);
  });
}

/** Opens the step of a round of tool calls; a message that the model wrote first is complete by then. */
export async function openToolCalls(
  pool: Pool,
  run: TurnRun,
  stepId: string,
  said?: FinishedMessage,
): Promise<Appended> {
  return withTransaction(pool, async (tx) => {
    // The tokens of the turn are counted on the step of the calls.
    const [, before, step] = await Promise.all([
      holdTurn(tx, run),
      said === undefined ? [] : finishMessage(tx, run, said, NO_USAGE),
      insertStep(tx, run, stepId, { type: "tool_calls", tool_calls: [] }),
    ]);
    return appendEvents(tx, run.id, [
      ...before,
      { event: "thread.run.step.created", data: step },
      { event: "thread.run.step.in_progress", data: step },
    ]);
  });
}

export interface FinishedMessage {
  id: string;
  content: Message["content"];
  /** Tokens that the message will cost in later contexts. */
  tokens: number;
}

/** The run is done: its last message is complete. */
export async function completeRun(pool: Pool, run: TurnRun, message: FinishedMessage, usage: Usage): Promise<Appended> {
  return withTransaction(pool, async (tx) => {
    const [, events, completed] = await Promise.all([
      holdTurn(tx, run),
      finishMessage(tx, run, message, usage),
      changeStatus(tx, run, { to: "completed", usage }),
    ]);
    if (completed === undefined) throw new TurnLost(undefined);
    return appendEvents(tx, run.id, [...events, completed.event]);
  });
}

/** The model called functions: the run waits for their outputs. */
export async function requireAction(
  pool: Pool,
  run: TurnRun,
  stepId: string,
  calls: readonly FunctionCall[],
  usage: Usage,
): Promise<Appended> {
  return withTransaction(pool, async (tx) => {
    const tool_calls: StepToolCall[] = calls.map((call) => ({
      ...call,
      function: { ...call.function, output: null },
    }));
    const required_action: RequiredAction = {
      type: "submit_tool_outputs",
      submit_tool_outputs: { tool_calls: [...calls] },
    };
    const [, , waiting] = await Promise.all([
      holdTurn(tx, run),
      tx.query("update run_steps set step_details = $3, usage = $4 where id = $1 and project_id = $2", [
        stepId,
        run.project_id,
        JSON.stringify({ type: "tool_calls", tool_calls }),
        JSON.stringify(usage),
      ]),
      changeStatus(tx, run, { to: "requires_action", required_action, usage }),
    ]);
    if (waiting === undefined) throw new TurnLost(undefined);
    return appendEvents(tx, run.id, [waiting.event]);
  });
}

/** The model called tools of the server's own, and perhaps functions: the turn has ended, and the run goes on with them. */
export async function leaveToTools(
  pool: Pool,
  run: TurnRun,
  step: { id: string; tool_calls: readonly StepToolCall[] },
  { calls, usage }: { calls: readonly NewBuiltInCall[]; usage: Usage },
): Promise<void> {
  await withTransaction(pool, async (tx) => {
    await Promise.all([
      holdTurn(tx, run),
      tx.query("update run_steps set step_details = $3, usage = $4 where id = $1 and project_id = $2", [
        step.id,
        run.project_id,
        JSON.stringify({ type: "tool_calls", tool_calls: step.tool_calls }),
        JSON.stringify(usage),
      ]),
      insertCalls(tx, run, step.id, calls),
      tx.query(
        `update runs set prompt_tokens = prompt_tokens + $3, completion_tokens = completion_tokens + $4,
           cached_tokens = cached_tokens + $5, reasoning_tokens = reasoning_tokens + $6
         where id = $1 and project_id = $2`,
        [
          run.id,
          run.project_id,
          usage.prompt_tokens,
          usage.completion_tokens,
          usage.prompt_token_details.cached_tokens,
          usage.completion_tokens_details.reasoning_tokens,
        ],
      ),
    ]);
  });
}

/**
 * Ends the run from within its turn, and says how: a cancel that was accepted before wins. Other than `endRun`, it does
 * nothing if the turn is held by another try.
 */
export async function endTurn(pool: Pool, run: TurnRun, how: RunEnd): Promise<Required<Ended>> {
  return withTransaction(pool, async (tx) => {
    const status = await lockTurn(tx, run);
    if (status === undefined || isTerminal(status)) throw new TurnLost(status);
    const end: RunEnd = status === "cancelling" ? { to: "cancelled" } : how;
    const added = await appendEvents(tx, run.id, await closeRun(tx, run, status, end));
    return { status: end.to, added };
  });
}

/** Throws unless this try holds the run, which is in progress. Whatever was asked for together with it is rolled back. */
async function holdTurn(tx: Queryable, run: TurnRun): Promise<void> {
  const status = await lockTurn(tx, run);
  if (status !== "in_progress") throw new TurnLost(status);
}

/** Locks the run if this try still holds it, and tells its status. */
async function lockTurn(tx: Queryable, run: TurnRun): Promise<RunStatus | undefined> {
  const { rows } = await tx.query<{ status: RunStatus }>(
    "select status from runs where id = $1 and project_id = $2 and epoch = $3 for no key update",
    [run.id, run.project_id, run.epoch],
  );
  return rows[0]?.status;
}

async function insertStep(
  tx: Queryable,
  run: TurnRun,
  id: string,
  details: RunStep["step_details"] | object,
): Promise<RunStep> {
  const { rows } = await tx.query<RunStep>(
    `insert into run_steps (id, project_id, run_id, thread_id, assistant_id, turn, type, status, created_at, step_details)
     values ($1, $2, $3, $4, $5, $6, $7, 'in_progress', clock_timestamp(), $8) returning ${STEP_COLUMNS}`,
    [
      id,
      run.project_id,
      run.id,
      run.thread_id,
      run.assistant_id,
      run.turn,
      (details as RunStep["step_details"]).type,
      JSON.stringify(details),
    ],
  );
  return rows[0] as RunStep;
}

async function insertMessage(tx: Queryable, run: TurnRun, id: string): Promise<Message> {
  const { rows } = await tx.query<Message>(
    `with counted as (update threads set message_count = message_count + 1 where project_id = $2 and id = $3)
     insert into messages (id, project_id, thread_id, created_at, role, status, content, attachments, metadata,
       assistant_id, run_id, tokens)
     values ($1, $2, $3, clock_timestamp(), 'assistant', 'in_progress', '[]', '[]', '{}', $4, $5, 0)
     returning ${MESSAGE_COLUMNS}`,
    [id, run.project_id, run.thread_id, run.assistant_id, run.id],
  );
  return rows[0] as Message;
}

async function finishMessage(tx: Queryable, run: TurnRun, message: FinishedMessage, usage: Usage): Promise<NewEvent[]> {
  const [{ rows }, step] = await Promise.all([
    tx.query<Message>(
      `update messages set status = 'completed', completed_at = clock_timestamp(), content = $3, tokens = $4
       where id = $1 and project_id = $2 and status = 'in_progress' returning ${MESSAGE_COLUMNS}`,
      [message.id, run.project_id, JSON.stringify(message.content), message.tokens],
    ),
    closeOpenStep(tx, run, { status: "completed", usage }),
  ]);
  return [...rows.map((data) => ({ event: "thread.message.completed", data })), ...step];
}
