// One call of a tool of the server's own, whatever the tool: taken in hand, watched while it works, and finished once.
// Temporal may call this more than once, and the run may have ended meanwhile; then there is nothing to do.
import { ApplicationFailure, Context, log } from "@temporalio/activity";
import { TOOL_BUSY_MAX_MS, TOOL_BUSY_MIN_MS } from "../contract/limits.ts";
import type { LastError } from "../contract/run.ts";
import { CallLost, failRun, finishCall, forgiveCallTry, isExhausted, takeCall } from "../db/built-in-calls.ts";
import type { CallResult, TakenCall } from "../db/built-in-calls.ts";
import { isUnavailable } from "../db/unavailable.ts";
import { backoff } from "./backoff.ts";
import type { ActivityDeps, RunInput } from "./generate.ts";
import { TurnWatch } from "./turn-watch.ts";

/** Which call. */
export interface CallInput extends RunInput {
  stepId: string;
  callId: string;
}

/** For the operator, who sees it in the history; `over` when there was nothing left to do. */
export type CallOutcome =
  | {
      kind: "done";
      /** Passages that were found, outputs of code. */
      results: number;
      /** Of code: the task queue of the worker that has the session. */
      codeQueue?: string | undefined;
    }
  | { kind: "failed" }
  | { kind: "over" };

/** What a tool makes of a call: a result, or the end of the run. */
export type ToolOutcome = (CallResult & Omit<CallOutcome & { kind: "done" }, "kind">) | { error: LastError };

/** The tool has no place for the call now. It waits in Temporal, and may find one in another worker. */
export class ToolBusy extends Error {
  override name = "ToolBusy";
}

/** Does the work of one tool. May throw anything: it is tried again. The signal aborts when nobody wants the result any more. */
export type UseTool = (call: TakenCall, signal: AbortSignal) => Promise<ToolOutcome>;

const FAILED =
  "The tool failed, and trying again did not help. Answer without it, and say that it could not be used if that matters.";

/** Fails, to be retried, when the database cannot be had, or the tool has failed and has tries left. */
export async function callTool(deps: ActivityDeps, input: CallInput, use: UseTool): Promise<CallOutcome> {
  const run = { id: input.runId, project_id: input.projectId };
  const call = await takeCall(deps.pool, { run, stepId: input.stepId, callId: input.callId });
  if (call === undefined) return { kind: "over" };
  const watch = new TurnWatch(call.expires_in_ms);
  const channel = deps.writer.open(run.id, call.run.run_epoch, (reason) => {
    // Calls have epochs of their own.
    if (reason.kind === "status") watch.stop(reason);
  });
  try {
    return isExhausted(call) ? await giveUp(deps, call) : await finish(deps, call, await use(call, watch.signal));
  } catch (error) {
    return await recover(deps, call, { error, stop: watch.stopped });
  } finally {
    watch.close();
    channel.close();
  }
}

async function finish(deps: ActivityDeps, call: TakenCall, outcome: ToolOutcome): Promise<CallOutcome> {
  if ("error" in outcome) {
    deps.writer.announce(call.run.id, await failRun(deps.pool, call, outcome.error));
    return { kind: "failed" };
  }
  const { results, codeQueue, ...result } = outcome;
  const added = await finishCall(deps.pool, call, result);
  if (added !== undefined) deps.writer.announce(call.run.id, added);
  return { kind: "done", results, ...(codeQueue === undefined ? {} : { codeQueue }) };
}

/** The model is told, and the run goes on. */
async function giveUp(deps: ActivityDeps, call: TakenCall): Promise<CallOutcome> {
  await finishCall(deps.pool, call, { told: FAILED });
  return { kind: "failed" };
}

/** What became of a call that did not reach its end. Rethrows what Temporal is to retry. */
async function recover(
  { pool }: ActivityDeps,
  call: TakenCall,
  { error, stop }: { error: unknown; stop: TurnWatch["stopped"] },
): Promise<CallOutcome> {
  // Whoever has the run now, or `generate` after this, ends it.
  if (error instanceof CallLost) return { kind: "over" };
  if (stop?.kind === "released") {
    await forgiveCallTry(pool, call);
    throw stop.failure;
  }
  if (stop !== undefined) return { kind: "over" };
  if (error instanceof ToolBusy) {
    await forgiveCallTry(pool, call);
    throw waits(error);
  }
  if (isUnavailable(error)) await forgiveCallTry(pool, call).catch(() => undefined);
  else log.warn("a tool failed; it will be tried again", { tries: call.tries });
  throw error;
}

function waits({ message }: ToolBusy): ApplicationFailure {
  const nextRetryDelay = backoff(Context.current().info.attempt, { min: TOOL_BUSY_MIN_MS, max: TOOL_BUSY_MAX_MS });
  return ApplicationFailure.create({ type: "ToolBusy", message, nextRetryDelay, category: "BENIGN" });
}
