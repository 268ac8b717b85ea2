// Code Interpreter in a run: one call of the model's, run in the sandboxed Python of its thread.
import { SANDBOX_CELL_TIMEOUT_MS } from "../contract/limits.ts";
import type { BuiltInStepCall, CodeOutput } from "../contract/run-step.ts";
import { hasSeveralProjects } from "../db/api-keys.ts";
import { isLastTry, showProgress } from "../db/built-in-calls.ts";
import type { TakenCall } from "../db/built-in-calls.ts";
import { findCodeSession, hasRunCode, takeCodeSession } from "../db/code-sessions.ts";
import { ensureFile } from "../db/files.ts";
import type { NewFile } from "../db/files.ts";
import type { Queryable } from "../db/pool.ts";
import { keepWorkspace } from "../db/workspace.ts";
import { SandboxBusy, SandboxUnavailable } from "../sandbox/sandbox-error.ts";
import { describeOutputs, NO_CODE, readCode } from "../tools/code-interpreter.ts";
import { callTool, ToolBusy } from "./call-tool.ts";
import type { CallInput, CallOutcome, ToolOutcome } from "./call-tool.ts";
import { CellRecorder } from "./cell-recorder.ts";
import type { RecordedCell } from "./cell-recorder.ts";
import type { CodeSessions, HeldSession } from "./code-sessions.ts";
import type { ActivityDeps } from "./generate.ts";
import { LiveOutputs } from "./live-outputs.ts";
import { collectChange, fillWorkspace, NO_CHANGE } from "./workspace.ts";

export interface CodeDeps extends ActivityDeps {
  codeSessions: CodeSessions;
  /** Task queue on which only this worker takes calls. */
  ownCodeQueue: string;
  /** Whether several projects may run code where nothing but the kernel keeps them apart. */
  mayShareKernel: boolean;
}

const NEW_PYTHON =
  "(This is a new Python: what earlier calls have defined and imported is gone. The files are still there.)";

const TOO_CLOSE =
  "this server has several projects, whose code only the kernel would keep apart; CODE_INTERPRETER_SHARED=true allows that";
const INTERRUPTED =
  "[… interrupted here. The Python has ended, with all variables and the files that this call has written …]\n";

export async function runCode(deps: CodeDeps, input: CallInput): Promise<CallOutcome> {
  return callTool(deps, input, (call, signal) =>
    deps.codeSessions.inTurn(call.run.thread_id, () => run(deps, call, signal)),
  );
}

async function run(deps: CodeDeps, call: TakenCall, signal: AbortSignal): Promise<ToolOutcome> {
  signal.throwIfAborted();
  const code = readCode(call.arguments);
  if (code === undefined) return { told: NO_CODE, results: 0 };
  try {
    const { thread_id } = call.run;
    const standing = await findCodeSession(deps.pool, call.run);
    const held = await deps.codeSessions.find(thread_id, { id: standing?.id, callId: call.key.callId });
    const isDone = held?.last?.callId === call.key.callId;
    // What readers have seen of an earlier try stays: code that has put something out is not run twice.
    if (!isDone && outputsOf(call).length > 0) return toInterrupted(call, code);
    const session = held ?? (await open(deps, call));
    if (!isDone) {
      const isAnew = held === undefined && (await hasRunCode(deps.pool, call.run, call.key.callId));
      const notes = isAnew ? [NEW_PYTHON] : [];
      const cell = await runCell(deps, call, { session, code, signal });
      session.last = { callId: call.key.callId, cell: { ...cell, notes: [...notes, ...cell.notes] } };
    }
    return await toOutcome(deps, call, { session, code, signal });
  } catch (error) {
    if (error instanceof SandboxBusy) throw new ToolBusy(error.message, { cause: error });
    if (!(error instanceof SandboxUnavailable)) {
      // The model will be told that the tool has failed: no later call goes on with what the code has done all the same.
      if (isLastTry(call) && !signal.aborted) await deps.codeSessions.end(call.run.thread_id);
      throw error;
    }
    return { error: { code: "server_error", message: `Code Interpreter is not available. ${error.message}` } };
  }
}

async function open({ pool, codeSessions, mayShareKernel }: CodeDeps, { run }: TakenCall): Promise<HeldSession> {
  if (!mayShareKernel && (await hasSeveralProjects(pool)) && !(await codeSessions.keepProjectsApart())) {
    throw new SandboxUnavailable([TOO_CLOSE]);
  }
  return codeSessions.open(run);
}

interface Cell {
  session: HeldSession;
  code: string;
  signal: AbortSignal;
}

async function runCell(deps: CodeDeps, call: TakenCall, cell: Cell): Promise<RecordedCell> {
  const refused = await fillWorkspace(deps, call.run, cell.session, cell.signal);
  const recorder = new CellRecorder(deps.blobs, call.run.project_id);
  cell.session.begun = call.key.callId;
  await recordCell(deps, call, cell, recorder);
  const { notes, ...outputs } = recorder.finish();
  return { ...outputs, notes: [...refused, ...notes] };
}

/** Runs the code, and shows what it puts out meanwhile. */
async function recordCell(deps: CodeDeps, call: TakenCall, cell: Cell, recorder: CellRecorder): Promise<void> {
  const lost = new AbortController();
  const signal = AbortSignal.any([cell.signal, lost.signal]);
  const live = new LiveOutputs(
    () => showOutputs(deps, call, cell.code, recorder),
    (error) => lost.abort(error),
  );
  try {
    for await (const event of cell.session.sandbox.exec(cell.code, { timeoutMs: SANDBOX_CELL_TIMEOUT_MS, signal })) {
      await recorder.record(event, signal);
      if (event.type !== "done") live.note();
    }
  } finally {
    await live.stop();
  }
  signal.throwIfAborted();
}

async function showOutputs(deps: CodeDeps, call: TakenCall, code: string, recorder: CellRecorder): Promise<void> {
  const { outputs, images } = recorder.soFar;
  const shown = toShown(call, code, outputs);
  const added = await showProgress(deps.pool, call, { shown, keep: (tx) => keepImages(tx, images) });
  recorder.forget(images);
  if (added !== undefined) deps.writer.announce(call.run.id, added);
}

async function keepImages(tx: Queryable, images: readonly NewFile[]): Promise<void> {
  for (const image of images) await ensureFile(tx, image);
}

function toShown({ key }: TakenCall, input: string, outputs: CodeOutput[]): BuiltInStepCall {
  return { id: key.callId, type: "code_interpreter", code_interpreter: { input, outputs } };
}

/** What earlier tries of the call have shown. */
function outputsOf({ shown }: TakenCall): CodeOutput[] {
  return shown.type === "code_interpreter" ? shown.code_interpreter.outputs : [];
}

function toInterrupted(call: TakenCall, code: string): ToolOutcome {
  const outputs: CodeOutput[] = [...outputsOf(call), { type: "logs", logs: INTERRUPTED }];
  return { shown: toShown(call, code, outputs), results: outputs.length };
}

/** All of it is written down in one transaction with the end of the call. */
async function toOutcome(deps: CodeDeps, call: TakenCall, { session, code, signal }: Cell): Promise<ToolOutcome> {
  const { outputs, images, notes } = (session.last as NonNullable<typeof session.last>).cell;
  // What a call has written is gone with the session that it took along.
  const isLost = session.sandbox.loss !== undefined;
  const { unkept, ...change } = isLost ? NO_CHANGE : await collectChange(deps, call.run, session, signal);
  const told = [...notes, ...unkept];
  return {
    shown: toShown(call, code, outputs),
    told: told.length === 0 ? undefined : describeOutputs(outputs, told),
    results: outputs.length,
    codeQueue: deps.ownCodeQueue,
    async keep(tx: Queryable) {
      await keepImages(tx, images);
      await keepWorkspace(tx, call.run, change);
      await takeCodeSession(tx, call.run, { id: session.sandbox.id, task_queue: deps.ownCodeQueue });
    },
  };
}
