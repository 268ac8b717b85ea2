// The life of a run: turns of the model until it calls no more tools. It decides what happens next; what the user
// sees is written by the activities. It knows ids, names and numbers, never content.
import {
  ActivityFailure,
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  continueAsNew,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  TimeoutFailure,
  upsertSearchAttributes,
  workflowInfo,
} from "@temporalio/workflow";
import type {
  ActionRequired,
  Activities,
  CallInput,
  CallOutcome,
  RunEnded,
  RunInput,
  ToolsCalled,
  TurnOutcome,
} from "../activities/index.ts";
import {
  CODE_CALL_TIMEOUT_MS,
  CODE_OWNER_WAIT_MS,
  FILE_SEARCH_TIMEOUT_MS,
  HEARTBEAT_TIMEOUT_MS,
  JANITOR_INTERVAL_MS,
  MAX_RUN_LIFETIME_SECONDS,
} from "../contract/limits.ts";
import type { RunStatus } from "../contract/run-state.ts";
import { codeTaskQueue, progressQuery, searchAttributes, statusQuery, wake } from "./definitions.ts";
import type { RunProgress } from "./definitions.ts";

const { generate } = proxyActivities<Activities>({
  // The activity itself ends a run in time; this is for the case that no worker can.
  startToCloseTimeout: MAX_RUN_LIFETIME_SECONDS * 1000,
  heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
  cancellationType: "WAIT_CANCELLATION_COMPLETED",
  retry: { initialInterval: 250, backoffCoefficient: 2, maximumInterval: 10_000 },
});

// How often a call may be tried is counted in its row, so that it holds for a workflow that was made anew, too.
const { searchFiles } = proxyActivities<Activities>({
  startToCloseTimeout: FILE_SEARCH_TIMEOUT_MS,
  heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
  cancellationType: "WAIT_CANCELLATION_COMPLETED",
  retry: { initialInterval: 250, backoffCoefficient: 2, maximumInterval: 10_000 },
});

const CODE = {
  startToCloseTimeout: CODE_CALL_TIMEOUT_MS,
  heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
  cancellationType: "WAIT_CANCELLATION_COMPLETED",
  retry: { initialInterval: 250, backoffCoefficient: 2, maximumInterval: 10_000 },
} as const;

const { cancelRun, expireRun } = proxyActivities<Activities>({
  startToCloseTimeout: 30_000,
  retry: { initialInterval: 250, backoffCoefficient: 2, maximumInterval: 10_000 },
});

/** How long the workflow of a cancelled run waits to be cancelled, too. */
const CANCEL_WAIT_MS = 2 * JANITOR_INTERVAL_MS;
/** Shortest wait for outputs, for the case that the database's clock is behind. */
const MIN_WAIT_MS = 250;

export interface RunResult {
  status: RunStatus | "deleted";
  turns: number;
}

/** Workflow id and run id are the same. Ends as `Canceled` when the run was cancelled, else with the run's status. */
export async function runWorkflow(input: RunInput): Promise<RunResult> {
  let status: RunStatus | "deleted" = "queued";
  let wakes = 0;
  let wasParked = false;
  const progress: RunProgress = { turns: 0, waitingFor: [], expiresAtMs: null };
  setHandler(wake, () => {
    wakes += 1;
  });
  setHandler(statusQuery, () => status);
  setHandler(progressQuery, () => progress);

  let end: RunEnded;
  try {
    end = await liveUntilEnd();
  } catch (error) {
    // After a cancel Temporal does not repeat an activity that failed; the run is to end as cancelled all the same.
    if (!isCancellation(error) && !CancellationScope.current().consideredCancelled) throw error;
    end = await CancellationScope.nonCancellable(() => cancelRun(input));
  }
  status = end.status;
  progress.turns = end.turn ?? progress.turns;
  // Operators search for what did not go well; a plain run that did is not worth a write.
  if (wasParked || status !== "completed") setStatusAttribute(status);
  setCurrentDetails(`**${status}** after ${count(progress.turns, "turn")}`);
  if (status === "cancelled" && (await isCancelled())) throw new CancelledFailure("The run was cancelled");
  return { status, turns: progress.turns };

  async function liveUntilEnd(): Promise<RunEnded> {
    for (;;) {
      const wakesBefore = wakes;
      status = "in_progress";
      const outcome = await makeTurn(input, progress.turns + 1);
      if (outcome.kind === "ended") return outcome;

      progress.turns = outcome.turn;
      if (outcome.kind === "tools") {
        await callTools(input, outcome);
      } else {
        status = "requires_action";
        wasParked = true;
        Object.assign(progress, { waitingFor: outcome.tools, expiresAtMs: outcome.expiresAtMs });
        if (wakes === wakesBefore) {
          const expired = await waitForOutputs(input, outcome, () => wakes > wakesBefore);
          if (expired !== undefined) return expired;
        }
        Object.assign(progress, { waitingFor: [], expiresAtMs: null });
      }
      if (workflowInfo().continueAsNewSuggested) {
        await condition(allHandlersFinished);
        await continueAsNew<typeof runWorkflow>(input);
      }
    }
  }
}

async function makeTurn(input: RunInput, turn: number): Promise<TurnOutcome> {
  setCurrentDetails(`turn ${turn}: the model is asked`);
  return generate.executeWithOptions({ summary: `turn ${turn}` }, [input]);
}

/** Calls the server's own tools. What comes of a call is in its row: the next turn reads it there. */
async function callTools(input: RunInput, { turn, calls, codeQueue }: ToolsCalled): Promise<void> {
  setCurrentDetails(`turn ${turn}: ${calls.map(({ tool }) => tool).join(", ")}`);
  const summary = (tool: string) => `turn ${turn}: ${tool}`;
  const searches = calls
    .filter(({ tool }) => tool === "file_search")
    .map(({ tool, ...call }) => searchFiles.executeWithOptions({ summary: summary(tool) }, [{ ...input, ...call }]));
  await Promise.all([...searches, runCells()]);

  /** One after the other: a cell goes on with what the one before has left. */
  async function runCells(): Promise<void> {
    let owner = codeQueue;
    for (const { tool, ...call } of calls) {
      if (tool !== "code_interpreter") continue;
      const outcome = await runCell({ ...input, ...call }, owner, summary(tool));
      if (outcome.kind === "done") owner = outcome.codeQueue ?? owner;
    }
  }
}

/** @param owner task queue of the worker that has the thread's session; when it does not answer, any other begins one */
async function runCell(call: CallInput, owner: string | undefined, summary: string): Promise<CallOutcome> {
  if (owner !== undefined) {
    const { runCode } = proxyActivities<Activities>({
      ...CODE,
      taskQueue: owner,
      scheduleToStartTimeout: CODE_OWNER_WAIT_MS,
    });
    try {
      return await runCode.executeWithOptions({ summary }, [call]);
    } catch (error) {
      if (!isUnanswered(error)) throw error;
    }
  }
  const { runCode } = proxyActivities<Activities>({ ...CODE, taskQueue: codeTaskQueue(workflowInfo().taskQueue) });
  return runCode.executeWithOptions({ summary }, [call]);
}

function isUnanswered(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  return cause instanceof TimeoutFailure && cause.timeoutType === "SCHEDULE_TO_START";
}

/** Parks the run until outputs are there. Returns the end of the run if its time is over first. */
async function waitForOutputs(
  input: RunInput,
  { turn, tools, expiresAtMs }: ActionRequired,
  isWoken: () => boolean,
): Promise<RunEnded | undefined> {
  const until = new Date(expiresAtMs).toISOString();
  setCurrentDetails(`turn ${turn}: waits for ${count(tools.length, "output")} (${tools.join(", ")}) until ${until}`);
  setStatusAttribute("requires_action");
  const woken = await condition(isWoken, Math.max(expiresAtMs - Date.now(), MIN_WAIT_MS), {
    summary: "the run expires",
  });
  if (woken) {
    setStatusAttribute("in_progress");
    return undefined;
  }
  return expireRun(input);
}

/**
 * Whether this workflow was cancelled: only then can it end so. Who cancels a run tells Temporal behind the database, so
 * that may still be on its way; when it was lost, the janitor says it again.
 */
async function isCancelled(): Promise<boolean> {
  if (CancellationScope.current().consideredCancelled) return true;
  try {
    await sleep(CANCEL_WAIT_MS);
    return false;
  } catch (error) {
    if (!isCancellation(error)) throw error;
    return true;
  }
}

function setStatusAttribute(status: string): void {
  upsertSearchAttributes([{ key: searchAttributes.status, value: status }]);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
