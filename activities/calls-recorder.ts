// The tool calls of one turn, made into a step and its deltas while the model writes them.
import type { ToolCallDelta } from "../contract/events.ts";
import { newId } from "../contract/ids.ts";
import { MAX_TOOL_CALLS_PER_TURN } from "../contract/limits.ts";
import type { FunctionCall } from "../contract/run.ts";
import type { BuiltInStepCall, StepToolCall } from "../contract/run-step.ts";
import type { BuiltInTool, NewBuiltInCall } from "../db/built-in-calls.ts";
import type { EventChannel } from "../db/event-writer.ts";
import type { TurnRun } from "../db/run-turns.ts";
import type { ModelEvent } from "../model/model.ts";
import { ModelFailed } from "../model/model.ts";
import { CodeReader } from "../tools/code-interpreter.ts";

export type CallPiece = ModelEvent & { type: "tool_call" };

/** The identifiers that we hand on as they are; anything else is replaced by our own. */
const CALL_ID = /^call_[A-Za-z0-9]{24}$/;
/** What every endpoint accepts in a history. */
const FUNCTION_NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/** A call that is being written. Of the server's own tools only the arguments are the model's; the rest is what is shown. */
type OpenCall =
  | { kind: "function"; call: FunctionCall }
  | { kind: "file_search"; call: Extract<BuiltInStepCall, { type: "file_search" }>; arguments: string }
  | {
      kind: "code_interpreter";
      call: Extract<BuiltInStepCall, { type: "code_interpreter" }>;
      arguments: string;
      code: CodeReader;
    };

export class CallsRecorder {
  readonly stepId: string;
  readonly #channel: EventChannel;
  readonly #run: TurnRun;
  readonly #calls: OpenCall[] = [];
  /** The model's index of the call that is being written. */
  #upstreamIndex = -1;
  #upstreamId: string | undefined;
  /** Whether the call that is being written is one too many for a run without parallel calls. */
  #skipping = false;

  /** @param stepId of the step, which is open */
  constructor(stepId: string, channel: EventChannel, run: TurnRun) {
    this.stepId = stepId;
    this.#channel = channel;
    this.#run = run;
  }

  /** Names of the functions that were called. */
  get functions(): string[] {
    return this.functionCalls.map((call) => call.function.name);
  }

  get functionCalls(): FunctionCall[] {
    return this.#calls.flatMap((open) => (open.kind === "function" ? [open.call] : []));
  }

  /** The calls of the server's own tools. */
  get builtInCalls(): NewBuiltInCall[] {
    return this.#calls.flatMap((open, position) =>
      open.kind === "function"
        ? []
        : [{ id: open.call.id, tool: open.kind satisfies BuiltInTool, arguments: open.arguments, position }],
    );
  }

  /** The calls as their step shows them. */
  get shown(): StepToolCall[] {
    return this.#calls.map((open) =>
      open.kind === "function" ? { ...open.call, function: { ...open.call.function, output: null } } : open.call,
    );
  }

  /** All that the model wrote. */
  get written(): string {
    return this.#calls
      .map((open) =>
        open.kind === "function" ? open.call.function.name + open.call.function.arguments : open.kind + open.arguments,
      )
      .join(" ");
  }

  /** Whether a piece begins another call than the one that is being written. */
  isNext(piece: CallPiece): boolean {
    return piece.index !== this.#upstreamIndex || (piece.id !== undefined && piece.id !== this.#upstreamId);
  }

  /** Begins a call. Throws `ModelFailed` when there are too many. */
  begin({ index, id, name = "" }: CallPiece): void {
    this.#upstreamIndex = index;
    this.#upstreamId = id;
    this.#skipping = !this.#run.parallel_tool_calls && this.#calls.length > 0;
    if (this.#skipping) return;
    if (this.#calls.length === MAX_TOOL_CALLS_PER_TURN) {
      throw new ModelFailed("The model called too many tools at once.");
    }
    const isKnown = this.#calls.some(({ call }) => call.id === id);
    this.#open(id !== undefined && CALL_ID.test(id) && !isKnown ? id : newId("call_"), name);
  }

  /** Goes on with the arguments of the call that was begun last. */
  write(text: string): void {
    const open = this.#calls.at(-1);
    if (open === undefined || this.#skipping || text === "") return;
    const index = this.#calls.length - 1;
    if (open.kind !== "function") open.arguments += text;
    switch (open.kind) {
      case "function":
        open.call.function.arguments += text;
        this.#append(text, (value) => ({ index, type: "function", function: { arguments: value } }), `call ${index}`);
        break;
      case "code_interpreter": {
        const input = open.code.take(text);
        open.call.code_interpreter.input += input;
        if (input === "") break;
        const type = open.kind;
        this.#append(input, (value) => ({ index, type, code_interpreter: { input: value } }), `call ${index}`);
        break;
      }
      case "file_search":
        break;
    }
  }

  #open(id: string, name: string): void {
    const index = this.#calls.length;
    const tool = this.#run.tools.find(({ type }) => type !== "function" && type === name);
    switch (tool?.type) {
      case "file_search": {
        const { ranker, score_threshold } = tool.file_search.ranking_options;
        const shown = { ranking_options: { ranker, score_threshold }, results: [] as [] };
        this.#calls.push({ kind: tool.type, call: { id, type: tool.type, file_search: shown }, arguments: "" });
        this.#append("", () => ({ index, id, type: "file_search", file_search: shown }));
        break;
      }
      case "code_interpreter": {
        const call = { id, type: tool.type, code_interpreter: { input: "", outputs: [] } };
        this.#calls.push({ kind: tool.type, call, arguments: "", code: new CodeReader() });
        const code_interpreter = { input: "", outputs: [] };
        this.#append("", () => ({ index, id, type: "code_interpreter", code_interpreter }));
        break;
      }
      default:
        this.#calls.push({ kind: "function", call: { id, type: "function", function: { name, arguments: "" } } });
        this.#append("", () => ({ index, id, type: "function", function: { name, arguments: "", output: null } }));
    }
  }

  #append(text: string, render: (text: string) => ToolCallDelta, key?: string): void {
    const id = this.stepId;
    const whole = (value: string) => ({
      id,
      object: "thread.run.step.delta",
      delta: { step_details: { type: "tool_calls", tool_calls: [render(value)] } },
    });
    this.#channel.append("thread.run.step.delta", text, whole, key);
  }
}

/** Throws `ModelFailed` for a call that no endpoint would take back. */
export function checkCall({ name = "" }: CallPiece): void {
  if (!FUNCTION_NAME.test(name)) throw new ModelFailed("The model called a function by an impossible name.");
}
