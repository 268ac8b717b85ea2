// Calls of the server's own tools: taken in hand by a try, and finished once. A call is written to only while its run is
// in progress, its step open, and the try is the newest.
import { MAX_TOOL_CALL_TRIES } from "../contract/limits.ts";
import type { LastError, Run } from "../contract/run.ts";
import type { RunStatus } from "../contract/run-state.ts";
import type { BuiltInStepCall } from "../contract/run-step.ts";
import type { Pool, Queryable } from "./pool.ts";
import { withTransaction } from "./pool.ts";
import { showCall } from "./call-outputs.ts";
import { closeRun } from "./run-ends.ts";
import { appendEvents } from "./run-events.ts";
import type { Appended } from "./run-events.ts";
import type { RunKey } from "./scope.ts";

export type BuiltInTool = BuiltInStepCall["type"];

/** A call as the turn that made it leaves it behind. */
export interface NewBuiltInCall {
  id: string;
  tool: BuiltInTool;
  arguments: string;
  /** Place among all calls of the step. */
  position: number;
}

export interface CallKey {
  run: RunKey;
  stepId: string;
  callId: string;
}

/** A call in the hands of one try. */
export interface TakenCall {
  key: CallKey;
  number: number;
  arguments: string;
  /** Number of this try, from 1; those that were forgiven do not count. */
  tries: number;
  epoch: number;
  /** As its step shows it: with what earlier tries have put out. */
  shown: BuiltInStepCall;
  run: Pick<Run, "model" | "tools" | "thread_id"> & RunKey & { run_epoch: number };
  /** Milliseconds that are left to the run, by the clock of Postgres. */
  expires_in_ms: number;
}

/** The call is finished, another try has it, or its run goes on no longer. */
export class CallLost extends Error {
  override name = "CallLost";
}

/** Stores the calls of a turn that has ended, inside its transaction. */
export async function insertCalls(
  tx: Queryable,
  run: RunKey,
  stepId: string,
  calls: readonly NewBuiltInCall[],
): Promise<void> {
  await tx.query(
    `insert into built_in_calls (run_step_id, call_id, project_id, run_id, position, tool, number, arguments)
     select $1, call.id, $2, $3, call.position, call.tool,
       (select count(*) from built_in_calls before where before.run_id = $3 and before.tool = call.tool)
         + row_number() over (partition by call.tool order by call.position) - 1, call.arguments
     from unnest($4::text[], $5::integer[], $6::text[], $7::text[]) as call (id, position, tool, arguments)`,
    [
      stepId,
      run.project_id,
      run.id,
      calls.map((call) => call.id),
      calls.map((call) => call.position),
      calls.map((call) => call.tool),
      calls.map((call) => call.arguments),
    ],
  );
}

/** One of the calls that the open step of a run waits for, or has waited for. */
export interface OpenCall {
  step_id: string;
  call_id: string;
  tool: BuiltInTool;
  finished: boolean;
}

/** The calls of the open step, in their order. None when the turn that has it open has not ended. */
export async function findOpenCalls(tx: Queryable, run: RunKey): Promise<OpenCall[]> {
  const { rows } = await tx.query<OpenCall>(
    `select c.run_step_id as step_id, c.call_id, c.tool, c.finished_at is not null as finished
     from built_in_calls c join run_steps s on s.id = c.run_step_id
     where c.run_id = $1 and c.project_id = $2 and s.status = 'in_progress' order by c.position`,
    [run.id, run.project_id],
  );
  return rows;
}

/** Takes a call in hand; whoever had it before can write nothing any more. Undefined when there is nothing to do. */
export async function takeCall(pool: Pool, key: CallKey): Promise<TakenCall | undefined> {
  return withTransaction(pool, async (tx) => {
    if (!(await lockRun(tx, key.run))) return undefined;
    const { rows } = await tx.query<Omit<TakenCall, "key" | "run"> & Omit<TakenCall["run"], keyof RunKey>>(
      `update built_in_calls c set epoch = c.epoch + 1, tries = c.tries + 1
       from runs r, run_steps s
       where c.run_step_id = $1 and c.call_id = $2 and c.run_id = $3 and c.project_id = $4 and c.finished_at is null
         and s.id = c.run_step_id and s.status = 'in_progress' and r.id = c.run_id and r.expires_at > now()
       returning c.number, c.arguments, c.tries, c.epoch,
         (select call from json_array_elements(s.step_details -> 'tool_calls') call where call ->> 'id' = c.call_id) as shown,
         r.thread_id, r.model, r.tools, r.epoch as run_epoch,
         (extract(epoch from r.expires_at - clock_timestamp()) * 1000)::bigint as expires_in_ms`,
      [key.stepId, key.callId, key.run.id, key.run.project_id],
    );
    if (rows[0] === undefined) return undefined;
    const { thread_id, model, tools, run_epoch, ...call } = rows[0];
    return { ...call, key, run: { ...key.run, thread_id, model, tools, run_epoch } };
  });
}

/** What came of a call: what its step shows, and, when that does not say it, what the model is told. */
export interface CallResult {
  shown?: BuiltInStepCall | undefined;
  told?: string | undefined;
  /** Writes what else belongs into the same transaction. */
  keep?: ((tx: Queryable) => Promise<void>) | undefined;
}

/** Writes what came of a call, once. Returns the event that tells readers, if there is one. Throws `CallLost`. */
export async function finishCall(
  pool: Pool,
  call: TakenCall,
  { shown, told, keep }: CallResult,
): Promise<Appended | undefined> {
  const { run, stepId, callId } = call.key;
  return withTransaction(pool, async (tx) => {
    await holdCall(tx, call);
    await tx.query(
      `update built_in_calls set finished_at = clock_timestamp(), told = $4
       where run_step_id = $1 and call_id = $2 and project_id = $3`,
      [stepId, callId, run.project_id, told ?? null],
    );
    await keep?.(tx);
    return shown === undefined ? undefined : appendNews(tx, call.key, shown);
  });
}

export interface CallProgress {
  shown: BuiltInStepCall;
  keep: (tx: Queryable) => Promise<void>;
}

/**
 * Shows what has come of a call so far; more may follow. Returns the event that tells readers, if there is news. Throws
 * `CallLost`.
 */
export async function showProgress(
  pool: Pool,
  call: TakenCall,
  { shown, keep }: CallProgress,
): Promise<Appended | undefined> {
  return withTransaction(pool, async (tx) => {
    await holdCall(tx, call);
    await keep(tx);
    return appendNews(tx, call.key, shown);
  });
}

async function appendNews(tx: Queryable, call: CallKey, shown: BuiltInStepCall): Promise<Appended | undefined> {
  const news = await showCall(tx, call, shown);
  return news && appendEvents(tx, call.run.id, [news]);
}

/** Ends the run because of a call. Throws `CallLost`. */
export async function failRun(pool: Pool, call: TakenCall, error: LastError): Promise<Appended> {
  return withTransaction(pool, async (tx) => {
    await holdCall(tx, call);
    const { run } = call.key;
    return appendEvents(tx, run.id, await closeRun(tx, run, "in_progress", { to: "failed", error }));
  });
}

/** Does not count the current try: it was not the call's fault that it came to nothing. */
export async function forgiveCallTry(pool: Pool, { key, epoch }: TakenCall): Promise<void> {
  await pool.query(
    `update built_in_calls set tries = greatest(tries - 1, 0)
     where run_step_id = $1 and call_id = $2 and project_id = $3 and epoch = $4`,
    [key.stepId, key.callId, key.run.project_id, epoch],
  );
}

/** Whether the call is given up when this try fails. */
export function isLastTry({ tries }: TakenCall): boolean {
  return tries === MAX_TOOL_CALL_TRIES;
}

/** Whether a call has been tried often enough. */
export function isExhausted({ tries }: TakenCall): boolean {
  return tries > MAX_TOOL_CALL_TRIES;
}

/** What context and citations need of a finished call, by its id. */
export interface FinishedCall {
  number: number;
  arguments: string;
  told: string | null;
}

async function holdCall(tx: Queryable, { key, epoch }: TakenCall): Promise<void> {
  if (!(await lockRun(tx, key.run))) throw new CallLost("the run goes on no longer");
  const { rowCount } = await tx.query(
    `select 1 from built_in_calls c join run_steps s on s.id = c.run_step_id
     where c.run_step_id = $1 and c.call_id = $2 and c.project_id = $3 and c.epoch = $4 and c.finished_at is null
       and s.status = 'in_progress'`,
    [key.stepId, key.callId, key.run.project_id, epoch],
  );
  if (rowCount === 0) throw new CallLost("another try has the call, or it is finished");
}

/** Whoever writes to a call holds its run: one after the other, and nothing behind the run's end. */
async function lockRun(tx: Queryable, run: RunKey): Promise<boolean> {
  const { rows } = await tx.query<{ status: RunStatus }>(
    "select status from runs where id = $1 and project_id = $2 for no key update",
    [run.id, run.project_id],
  );
  return rows[0]?.status === "in_progress";
}
