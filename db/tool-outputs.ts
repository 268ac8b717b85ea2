// Taking the outputs of function calls: all pending ones at once, or none.
import { outputsMismatch, outputsNotAccepted } from "../contract/errors.ts";
import type { FunctionCall, RequiredAction, Run } from "../contract/run.ts";
import type { RunStatus } from "../contract/run-state.ts";
import type { RunStep, StepToolCall } from "../contract/run-step.ts";
import type { Queryable } from "./pool.ts";
import { closeRun } from "./run-ends.ts";
import { appendEvents } from "./run-events.ts";
import { changeStatus } from "./run-status.ts";
import { STEP_COLUMNS } from "./run-steps.ts";
import type { RunScope } from "./scope.ts";

export type Submitted =
  /** `before` is the position behind which the events of this submission begin. */
  | { kind: "queued"; run: Run; before: number; seq: number }
  /** The run's time was over: it has expired now, even if no worker has noticed. To be committed, and then refused. */
  | { kind: "expired" };

/**
 * Stores the outputs and queues the run again, inside a transaction. Undefined when there is no such run.
 * Throws (400) when the run does not wait for outputs, or for others than these.
 */
export async function submitToolOutputs(
  tx: Queryable,
  scope: RunScope,
  outputs: readonly { id: string; output: string }[],
): Promise<Submitted | undefined> {
  const [run, open] = await Promise.all([lockRun(tx, scope), findOpenStep(tx, scope)]);
  if (run === undefined) return undefined;
  if (run.status !== "requires_action") throw outputsNotAccepted(run.status);
  if (run.overdue) {
    await appendEvents(tx, scope.id, await closeRun(tx, scope, run.status, { to: "expired" }));
    return { kind: "expired" };
  }
  const calls = run.required_action.submit_tool_outputs.tool_calls;
  const outputOf = matchOutputs(calls, outputs);
  if (open?.step_details.type !== "tool_calls") throw new Error(`run ${scope.id} waits for outputs without a step`);
  const [step, queued] = await Promise.all([
    completeToolStep(tx, scope, open.id, addOutputs(open.step_details.tool_calls, outputOf)),
    changeStatus(tx, scope, { to: "queued" }),
  ]);
  if (queued === undefined) throw new Error(`run ${scope.id} cannot be queued`);
  const events = [{ event: "thread.run.step.completed", data: step }, queued.event];
  const { seq } = await appendEvents(tx, scope.id, events);
  return { kind: "queued", run: queued.run, before: seq - events.length, seq };
}

/** The output of each call. Throws (400) unless there is exactly one for each. */
function matchOutputs(
  calls: readonly FunctionCall[],
  outputs: readonly { id: string; output: string }[],
): Map<string, string> {
  const outputOf = new Map(outputs.map(({ id, output }) => [id, output]));
  const isComplete =
    outputOf.size === outputs.length && outputOf.size === calls.length && calls.every(({ id }) => outputOf.has(id));
  if (isComplete) return outputOf;
  throw outputsMismatch(
    calls.map((call) => call.id),
    outputs.map((output) => output.id),
  );
}

interface LockedRun {
  status: RunStatus;
  overdue: boolean;
  required_action: RequiredAction;
}

async function lockRun(tx: Queryable, scope: RunScope): Promise<LockedRun | undefined> {
  const { rows } = await tx.query<LockedRun>(
    `select status, expires_at <= now() as overdue, required_action from runs
     where id = $1 and project_id = $2 and thread_id = $3 for no key update`,
    [scope.id, scope.project_id, scope.thread_id],
  );
  return rows[0];
}

async function findOpenStep(tx: Queryable, scope: RunScope): Promise<Pick<RunStep, "id" | "step_details"> | undefined> {
  const { rows } = await tx.query<Pick<RunStep, "id" | "step_details">>(
    "select id, step_details from run_steps where run_id = $1 and project_id = $2 and status = 'in_progress'",
    [scope.id, scope.project_id],
  );
  return rows[0];
}

function addOutputs(calls: readonly StepToolCall[], outputOf: ReadonlyMap<string, string>): StepToolCall[] {
  return calls.map((call) =>
    call.type === "function"
      ? { ...call, function: { ...call.function, output: outputOf.get(call.id) ?? null } }
      : call,
  );
}

async function completeToolStep(
  tx: Queryable,
  scope: RunScope,
  stepId: string,
  tool_calls: readonly StepToolCall[],
): Promise<RunStep> {
  const { rows } = await tx.query<RunStep>(
    `update run_steps set step_details = $3, status = 'completed', completed_at = clock_timestamp()
     where id = $1 and project_id = $2 returning ${STEP_COLUMNS}`,
    [stepId, scope.project_id, JSON.stringify({ type: "tool_calls", tool_calls })],
  );
  return rows[0] as RunStep;
}
