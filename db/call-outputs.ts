// What the step of a call shows of it, and the deltas by which readers hear of it. What was shown once stays: more may follow
// behind it.
import type { RunStepDelta } from "../contract/events.ts";
import type { BuiltInStepCall, CodeOutput, CodeOutputDelta, RunStep } from "../contract/run-step.ts";
import type { CallKey } from "./built-in-calls.ts";
import type { Queryable } from "./pool.ts";
import type { NewEvent } from "./run-events.ts";

/** Shows a call as it is now, inside a transaction that holds it. Returns what readers do not know yet, if anything. */
export async function showCall(
  tx: Queryable,
  { run, stepId, callId }: CallKey,
  shown: BuiltInStepCall,
): Promise<NewEvent | undefined> {
  const { rows } = await tx.query<Pick<RunStep, "step_details">>(
    "select step_details from run_steps where id = $1 and project_id = $2",
    [stepId, run.project_id],
  );
  const details = rows[0]?.step_details;
  if (details?.type !== "tool_calls") throw new Error(`${stepId} has no calls`);
  const index = details.tool_calls.findIndex((call) => call.id === callId);
  const before = details.tool_calls[index];
  await tx.query("update run_steps set step_details = $3 where id = $1 and project_id = $2", [
    stepId,
    run.project_id,
    JSON.stringify({ type: "tool_calls", tool_calls: details.tool_calls.with(index, shown) }),
  ]);
  // What a search has found comes when its step is completed.
  if (shown.type !== "code_interpreter" || before?.type !== "code_interpreter") return undefined;
  const outputs = newOutputs(before.code_interpreter.outputs, shown.code_interpreter.outputs);
  if (outputs.length === 0) return undefined;
  const data: RunStepDelta = {
    id: stepId,
    object: "thread.run.step.delta",
    delta: {
      step_details: {
        type: "tool_calls",
        tool_calls: [{ index, type: "code_interpreter", code_interpreter: { outputs } }],
      },
    },
  };
  return { event: "thread.run.step.delta", data };
}

function newOutputs(before: readonly CodeOutput[], now: readonly CodeOutput[]): CodeOutputDelta[] {
  return now.flatMap((output, index): CodeOutputDelta[] => {
    const known = before[index];
    if (known === undefined) return [{ index, ...output }];
    if (known.type !== "logs" || output.type !== "logs" || known.logs === output.logs) return [];
    return [{ index, type: "logs", logs: output.logs.slice(known.logs.length) }];
  });
}
