// One turn of a run: take it in hand, ask the model, record what it says, and tell the workflow what is next.
// Temporal may call this more than once; `beginTurn` reads from the row what is still to be done.
import { ApplicationFailure, Context, log } from "@temporalio/activity";
import type { Blobs } from "../blobs/blobs.ts";
import {
  FILES_LOOK_MAX_MS,
  FILES_LOOK_MIN_MS,
  MAX_TURNS_PER_RUN,
  MAX_TURN_TRIES,
  MODEL_RETRY_MAX_MS,
  MODEL_RETRY_MIN_MS,
  SUSPECT_WAIT_MS,
} from "../contract/limits.ts";
import type { RunStatus } from "../contract/run-state.ts";
import type { LastError, Usage } from "../contract/run.ts";
import type { BuiltInTool } from "../db/built-in-calls.ts";
import { findCodeSession } from "../db/code-sessions.ts";
import type { EventWriter } from "../db/event-writer.ts";
import type { Pool } from "../db/pool.ts";
import type { RunEnd } from "../db/run-ends.ts";
import { beginTurn, endTurn, forgiveTry, noteFailure, TurnLost } from "../db/run-turns.ts";
import type { TurnRun, TurnStart } from "../db/run-turns.ts";
import type { RunKey } from "../db/scope.ts";
import { isUnavailable } from "../db/unavailable.ts";
import { publishWrittenFile } from "../db/workspace.ts";
import type { ChatTool, ChatToolChoice, Model, ModelRequest, TokenCounts } from "../model/model.ts";
import { ModelBusy, ModelFailed, ModelRefused } from "../model/model.ts";
import { countTokens } from "../model/tokens.ts";
import { offerCode } from "../tools/code-interpreter.ts";
import { fileSearchTool } from "../tools/file-search.ts";
import { backoff } from "./backoff.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { buildContext, PromptBudgetExceeded } from "./context.ts";
import { readImages } from "./images.ts";
import type { Suspects } from "./suspects.ts";
import { TurnRecorder } from "./turn-recorder.ts";
import { TurnWatch } from "./turn-watch.ts";
import { listWorkspace, NO_FILES } from "./workspace.ts";
import type { WorkspaceNames } from "./workspace.ts";

const RETRY = { min: MODEL_RETRY_MIN_MS, max: MODEL_RETRY_MAX_MS };

export interface ActivityDeps {
  pool: Pool;
  suspects: Suspects;
  writer: EventWriter;
  model: Model;
  blobs: Blobs;
  /** Of images that turns hold in memory. */
  imageBudget: ByteBudget;
}

/** Which run; nothing else travels through Temporal. */
export interface RunInput {
  runId: string;
  projectId: string;
}

export interface RunEnded {
  kind: "ended";
  status: RunStatus | "deleted";
  turn?: number;
}

export interface ActionRequired {
  kind: "requires_action";
  turn: number;
  /** Milliseconds of Unix time. */
  expiresAtMs: number;
  /** Names of the functions that were called. */
  tools: string[];
}

/** The turn has called tools of the server's own: each call is an activity, and then there is another look. */
export interface ToolsCalled {
  kind: "tools";
  turn: number;
  calls: { stepId: string; callId: string; tool: BuiltInTool }[];
  /** Task queue of the worker that has the Python of the thread. */
  codeQueue?: string;
}

/** What the workflow does next. Carries ids, names and numbers, never content. */
export type TurnOutcome = RunEnded | ActionRequired | ToolsCalled;

/** Fails, to be retried, when the model or the database cannot be had; every other end is an outcome. */
export async function generate(deps: ActivityDeps, input: RunInput): Promise<TurnOutcome> {
  const key = { id: input.runId, project_id: input.projectId };
  let start = await beginTurn(deps.pool, key, false);
  const leave = start.kind === "suspect" ? deps.suspects.enter() : undefined;
  try {
    if (leave !== undefined) start = await beginTurn(deps.pool, key);
    if (start.kind === "suspect") throw suspectWaits();
    if (start.kind === "files_awaited") throw filesAwaited();
    return await goOn(deps, key, start);
  } finally {
    leave?.();
  }
}

async function goOn(
  deps: ActivityDeps,
  key: RunKey,
  start: Exclude<TurnStart, { kind: "suspect" | "files_awaited" }>,
): Promise<TurnOutcome> {
  if (start.kind === "calling") {
    const calls = start.calls.map(({ step_id, call_id, tool }) => ({ stepId: step_id, callId: call_id, tool }));
    return callTools(deps, key, start.turn, calls);
  }
  if (start.added !== undefined) deps.writer.announce(key.id, start.added);
  if (start.kind === "waiting") {
    const tools = start.calls.map((call) => call.function.name);
    return { kind: "requires_action", turn: start.turn, expiresAtMs: start.expires_at_ms, tools };
  }
  if (start.kind === "ended") return { kind: "ended", status: start.status };
  return new Turn(deps, start.run).make();
}

/** Code is sent to the worker that has the variables of earlier calls. */
async function callTools(
  { pool }: ActivityDeps,
  run: RunKey,
  turn: number,
  calls: ToolsCalled["calls"],
): Promise<ToolsCalled> {
  const hasCode = calls.some(({ tool }) => tool === "code_interpreter");
  const session = hasCode ? await findCodeSession(pool, run) : undefined;
  return {
    kind: "tools",
    turn,
    calls,
    ...(session === undefined || session.is_idle ? {} : { codeQueue: session.task_queue }),
  };
}

class Turn {
  readonly #deps: ActivityDeps;
  readonly #run: TurnRun;
  readonly #watch: TurnWatch;
  readonly #recorder: TurnRecorder;
  readonly #close: () => void;
  #promptTokens = 0;
  #releaseImages: () => void = () => undefined;

  constructor(deps: ActivityDeps, run: TurnRun) {
    this.#deps = deps;
    this.#run = run;
    this.#watch = new TurnWatch(run.expires_in_ms);
    const channel = deps.writer.open(run.id, run.epoch, (reason) => this.#watch.stop(reason));
    this.#recorder = new TurnRecorder({ ...deps, channel }, run);
    this.#close = () => {
      this.#releaseImages();
      this.#watch.close();
      channel.close();
    };
  }

  async make(): Promise<TurnOutcome> {
    try {
      return await this.#ask();
    } catch (error) {
      return await this.#recover(error);
    } finally {
      this.#close();
    }
  }

  async #ask(): Promise<TurnOutcome> {
    const { tries, turn } = this.#run;
    if (tries > MAX_TURN_TRIES) return this.#fail("server_error", `The turn was interrupted ${tries - 1} times.`);
    if (turn > MAX_TURNS_PER_RUN)
      return this.#fail("server_error", `The run made more than ${MAX_TURNS_PER_RUN} turns.`);
    const answerBudget = remaining(this.#run.max_completion_tokens, this.#run.completion_tokens);
    if (answerBudget === 0) return this.#end({ to: "incomplete", reason: "max_completion_tokens" });

    const request = await this.#toRequest(answerBudget);
    const signal = this.#watch.signal;
    for await (const event of this.#deps.model.stream(request, signal)) {
      signal.throwIfAborted();
      if (event.type === "finish") return await this.#finish(event.reason, this.#toUsage(event.usage));
      await this.#recorder.record(event);
    }
    throw new ModelFailed("The model's answer has no end.");
  }

  async #toRequest(answerBudget: number | null): Promise<ModelRequest> {
    const run = this.#run;
    const { pool, model } = this.#deps;
    const { signal } = this.#watch;
    const source = {
      db: pool,
      readImages: (file_ids: string[]) => readImages(this.#deps, { project_id: run.project_id, file_ids }, signal),
    };
    const context = await buildContext(source, run, {
      window: model.contextWindow(run.model),
      promptBudget: remaining(run.max_prompt_tokens, run.prompt_tokens),
      answerBudget,
    });
    this.#releaseImages = context.release;
    const hasCode = run.tools.some(({ type }) => type === "code_interpreter");
    const files = hasCode ? await listWorkspace(pool, run) : NO_FILES;
    this.#promptTokens = context.tokens;
    this.#recorder.mayUse({
      passages: context.passages,
      images: context.unshown,
      fileNames: files.written,
      publishFile: (name) => publishWrittenFile(pool, run, name),
    });
    return {
      model: run.model,
      messages: context.messages,
      tools: toChatTools(run, files),
      tool_choice: toToolChoice(run),
      parallel_tool_calls: run.parallel_tool_calls,
      temperature: run.temperature,
      top_p: run.top_p,
      reasoning_effort: run.reasoning_effort,
      response_format: run.response_format,
      max_completion_tokens: answerBudget,
    };
  }

  async #finish(reason: "stop" | "tool_calls" | "length" | "content_filter", usage: Usage): Promise<TurnOutcome> {
    if (reason === "length") {
      return this.#end({ to: "incomplete", reason: "max_completion_tokens", usage });
    }
    if (reason === "content_filter") {
      const error: LastError = { code: "invalid_prompt", message: "The model's content filter stopped the answer." };
      return this.#end({ to: "failed", error, messageReason: "content_filter", usage });
    }
    const { id, turn, expires_at_ms } = this.#run;
    if (!this.#recorder.hasCalls) {
      this.#deps.writer.announce(id, await this.#recorder.complete(usage));
      return { kind: "ended", status: "completed", turn };
    }
    const calls = this.#recorder.builtInCalls;
    if (calls.length > 0) {
      await this.#recorder.leaveToTools(usage);
      return callTools(this.#deps, this.#run, turn, calls);
    }
    this.#deps.writer.announce(id, await this.#recorder.requireAction(usage));
    return { kind: "requires_action", turn, expiresAtMs: expires_at_ms, tools: this.#recorder.functions };
  }

  async #end(how: RunEnd): Promise<TurnOutcome> {
    await this.#recorder.flush();
    const { status, added } = await endTurn(this.#deps.pool, this.#run, how);
    this.#deps.writer.announce(this.#run.id, added);
    return { kind: "ended", status, turn: this.#run.turn };
  }

  #fail(code: LastError["code"], message: string): Promise<TurnOutcome> {
    return this.#end({ to: "failed", error: { code, message } });
  }

  /** What became of a turn that did not reach its end. Rethrows what Temporal is to retry. */
  async #recover(error: unknown): Promise<TurnOutcome> {
    const stop = this.#watch.stopped;
    if (error instanceof TurnLost)
      return error.status === "cancelling" ? this.#end({ to: "cancelled" }) : lost(error.status);
    if (stop !== undefined) return this.#stopped(stop);
    if (error instanceof PromptBudgetExceeded) return this.#end({ to: "incomplete", reason: "max_prompt_tokens" });
    if (error instanceof ModelRefused) return this.#fail(error.code, error.message);
    if (error instanceof ModelBusy) {
      await forgiveTry(this.#deps.pool, this.#run);
      throw this.#retry("ModelBusy", error, error.retryAfterMs ?? backoff(Context.current().info.attempt, RETRY));
    }
    if (error instanceof ModelFailed) {
      if (this.#run.tries >= MAX_TURN_TRIES) return this.#fail("server_error", error.message);
      await noteFailure(this.#deps.pool, this.#run);
      throw this.#retry("ModelFailed", error, backoff(this.#run.tries, RETRY));
    }
    // When neither can be told to the database, the try counts as one that died.
    const tell = isUnavailable(error) ? forgiveTry : noteFailure;
    await tell(this.#deps.pool, this.#run).catch(() => undefined);
    throw error;
  }

  async #stopped(stop: NonNullable<TurnWatch["stopped"]>): Promise<TurnOutcome> {
    switch (stop.kind) {
      case "expired":
        return this.#end({ to: "expired" });
      case "cancelled":
        return this.#end({ to: "cancelled" });
      case "status":
        if (stop.status === "cancelling") return this.#end({ to: "cancelled" });
        return lost(stop.status);
      case "superseded":
        return lost(undefined);
      case "released":
        await forgiveTry(this.#deps.pool, this.#run);
        throw stop.failure;
    }
  }

  /** Asks Temporal to try again after a while, but no later than when the run expires. */
  #retry(type: string, error: Error, delayMs: number): ApplicationFailure {
    const nextRetryDelay = Math.min(delayMs, Math.ceil(this.#watch.leftMs) + 1);
    // What the endpoint said may quote the prompt: it is neither for the history nor for ordinary logs.
    log.warn("the model call will be tried again", { type, nextRetryDelay });
    log.debug("what the endpoint said", { reason: error.message });
    return ApplicationFailure.create({ type, message: `${type}: asked again in ${nextRetryDelay} ms`, nextRetryDelay });
  }

  #toUsage(counts: TokenCounts | undefined): Usage {
    const prompt_tokens = counts?.prompt_tokens ?? this.#promptTokens;
    const completion_tokens = counts?.completion_tokens ?? countTokens(this.#recorder.written);
    return {
      prompt_tokens,
      completion_tokens,
      total_tokens: prompt_tokens + completion_tokens,
      prompt_token_details: { cached_tokens: counts?.cached_tokens ?? 0 },
      completion_tokens_details: { reasoning_tokens: counts?.reasoning_tokens ?? 0 },
    };
  }
}

/** The turn is someone else's now. A try that was overtaken ends without an outcome: the newer try has it. */
function lost(status: RunStatus | "deleted" | undefined): TurnOutcome {
  if (status === undefined || status === "in_progress" || status === "queued") {
    throw ApplicationFailure.create({ type: "TurnLost", message: "another try holds this turn", nextRetryDelay: 1000 });
  }
  if (status === "requires_action") {
    throw ApplicationFailure.create({ type: "TurnLost", message: "the turn is already done", nextRetryDelay: 1 });
  }
  return { kind: "ended", status };
}

/** Another worker may take the turn before this one has its hands free. */
function suspectWaits(): ApplicationFailure {
  const message = "workers have died during this turn; it waits until this one makes no other such turn";
  return ApplicationFailure.create({ type: "SuspectWaits", message, nextRetryDelay: SUSPECT_WAIT_MS });
}

/** The run stays queued meanwhile, and no worker holds it: what waits is a timer of Temporal. */
function filesAwaited(): ApplicationFailure {
  const message = "files of the thread's vector store are still being made searchable";
  const nextRetryDelay = Math.min(FILES_LOOK_MIN_MS * Context.current().info.attempt, FILES_LOOK_MAX_MS);
  const category = "BENIGN";
  return ApplicationFailure.create({ type: "FilesAwaited", message, nextRetryDelay, category });
}

function remaining(budget: number | null, used: number): number | null {
  return budget === null ? null : Math.max(budget - used, 0);
}

function toChatTools(run: TurnRun, files: WorkspaceNames): ChatTool[] {
  return run.tools.map((tool) => {
    if (tool.type === "file_search") return fileSearchTool;
    if (tool.type === "code_interpreter") return offerCode([...new Set([...files.given, ...files.written])]);
    const { name, description, parameters, strict } = tool.function;
    return {
      type: "function",
      function: {
        name,
        ...(description === undefined ? {} : { description }),
        parameters,
        ...(strict ? { strict } : {}),
      },
    };
  });
}

/** A forced choice holds for the first turn only; otherwise a run could never end. */
function toToolChoice(run: TurnRun): ChatToolChoice {
  const choice = run.tool_choice;
  if (run.tools.length === 0 || choice === "none") return "none";
  if (choice === "auto" || run.turn > 1) return "auto";
  if (choice === "required") return choice;
  return { type: "function", function: { name: choice.type === "function" ? choice.function.name : choice.type } };
}
