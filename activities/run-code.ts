// Code Interpreter in a run: one call of the model's, run in the sandboxed Python of its thread.
import { SANDBOX_CELL_TIMEOUT_MS } from "../contract/limits.ts";
import type { CodeOutput } from "../contract/run-step.ts";
import type { TakenCall } from "../db/built-in-calls.ts";
import { findCodeSession, takeCodeSession } from "../db/code-sessions.ts";
import { insertFile } from "../db/files.ts";
import type { NewFile } from "../db/files.ts";
import type { Queryable } from "../db/pool.ts";
import { keepWorkspace } from "../db/workspace.ts";
import type { WorkspaceChange } from "../db/workspace.ts";
import { SandboxUnavailable } from "../sandbox/sandbox-error.ts";
import { describeOutputs, NO_CODE, readCode } from "../tools/code-interpreter.ts";
import { callTool } from "./call-tool.ts";
import type { CallInput, CallOutcome, ToolOutcome } from "./call-tool.ts";
import { CellRecorder } from "./cell-recorder.ts";
import type { CodeSessions, HeldSession } from "./code-sessions.ts";
import type { ActivityDeps } from "./generate.ts";
import { collectChange, fillWorkspace } from "./workspace.ts";

export interface CodeDeps extends ActivityDeps {
  codeSessions: CodeSessions;
  /** Task queue on which only this worker takes calls. */
  ownCodeQueue: string;
}

/** What came of a call, before it is written down. */
export interface CodeResult {
  outputs: CodeOutput[];
  /** Those among the outputs. */
  images: NewFile[];
  change: WorkspaceChange;
  /** What the model is told besides. */
  notes: string[];
}

const NEW_PYTHON =
  "(This is a new Python: what earlier calls have defined and imported is gone. The files are still there.)";

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
    const { session, notes } = await openSession(deps, call);
    if (session.last?.callId !== call.key.callId) {
      const result = await runIn(deps, call, { session, code, signal });
      session.last = { callId: call.key.callId, result: { ...result, notes: [...notes, ...result.notes] } };
    }
    return toOutcome(deps, call, code, session);
  } catch (error) {
    if (!(error instanceof SandboxUnavailable)) throw error;
    return { error: { code: "server_error", message: `Code Interpreter is not available. ${error.message}` } };
  }
}

/** The session that the thread goes on with, or a new one. */
async function openSession(deps: CodeDeps, call: TakenCall): Promise<{ session: HeldSession; notes: string[] }> {
  const { thread_id } = call.run;
  const standing = await findCodeSession(deps.pool, call.run);
  const held = await deps.codeSessions.find(thread_id, { id: standing?.id, callId: call.key.callId });
  if (held !== undefined) return { session: held, notes: [] };
  return { session: await deps.codeSessions.open(thread_id), notes: standing === undefined ? [] : [NEW_PYTHON] };
}

interface Cell {
  session: HeldSession;
  code: string;
  signal: AbortSignal;
}

async function runIn(deps: CodeDeps, call: TakenCall, { session, code, signal }: Cell): Promise<CodeResult> {
  await fillWorkspace(deps, call.run, session, signal);
  const recorder = new CellRecorder(deps.blobs, call.run.project_id);
  for await (const event of session.sandbox.exec(code, { timeoutMs: SANDBOX_CELL_TIMEOUT_MS, signal })) {
    await recorder.record(event, signal);
  }
  signal.throwIfAborted();
  const { outputs, images, notes } = recorder.finish();
  // What a call has written is gone with the session that it took along.
  const none = { written: [], removed: [], notes: [] };
  const isLost = session.sandbox.loss !== undefined;
  const { notes: unkept, ...change } = isLost ? none : await collectChange(deps, call.run, session, signal);
  return { outputs, images, change, notes: [...notes, ...unkept] };
}

/** All of it is written down in one transaction with the end of the call. */
function toOutcome(deps: CodeDeps, call: TakenCall, code: string, { sandbox, last }: HeldSession): ToolOutcome {
  const { outputs, images, change, notes } = (last as NonNullable<typeof last>).result;
  return {
    shown: { id: call.key.callId, type: "code_interpreter", code_interpreter: { input: code, outputs } },
    told: notes.length === 0 ? undefined : describeOutputs(outputs, notes),
    results: outputs.length,
    codeQueue: deps.ownCodeQueue,
    async keep(tx: Queryable) {
      for (const image of images) await insertFile(tx, image);
      await keepWorkspace(tx, call.run, change);
      await takeCodeSession(tx, call.run, { id: sandbox.id, task_queue: deps.ownCodeQueue });
    },
  };
}
