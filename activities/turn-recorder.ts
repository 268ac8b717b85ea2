// Turns what a model says into steps, messages and deltas, while it says it. At most one step is open at a time; a text
// before tool calls is a message and a step of its own.
import { newId } from "../contract/ids.ts";
import { MAX_TOOL_CALLS_PER_TURN, MAX_TURN_TEXT_LENGTH } from "../contract/limits.ts";
import type { ContentDelta, ToolCallDelta } from "../contract/events.ts";
import type { ContentPart } from "../contract/message.ts";
import type { FunctionCall, Usage } from "../contract/run.ts";
import type { EventChannel, EventWriter } from "../db/event-writer.ts";
import type { Pool } from "../db/pool.ts";
import { completeRun, openMessage, openToolCalls, requireAction } from "../db/run-turns.ts";
import type { Appended } from "../db/run-events.ts";
import type { FinishedMessage, TurnRun } from "../db/run-turns.ts";
import type { ModelEvent } from "../model/model.ts";
import { ModelFailed } from "../model/model.ts";
import { countContentTokens } from "../model/tokens.ts";

/** The identifiers that we hand on as they are; anything else is replaced by our own. */
const CALL_ID = /^call_[A-Za-z0-9]{24}$/;

/** What every endpoint accepts in a history. */
const FUNCTION_NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/** The model called a tool that this server does not have. */
export class ToolUnavailable extends Error {
  override name = "ToolUnavailable";
}

export interface RecorderDeps {
  pool: Pool;
  writer: EventWriter;
  channel: EventChannel;
}

interface OpenMessage {
  id: string;
  /** In the order in which the model began them. */
  parts: { type: "text" | "refusal"; value: string }[];
}

export class TurnRecorder {
  readonly #deps: RecorderDeps;
  readonly #run: TurnRun;
  #message: OpenMessage | undefined;
  #stepId: string | undefined;
  #calls: FunctionCall[] = [];
  /** The model's index of the call that is being written. */
  #callIndex = -1;
  #upstreamCallId: string | undefined;
  #skipping = false;
  /** Half of a surrogate pair that waits for its other half. */
  #half = "";
  #length = 0;

  constructor(deps: RecorderDeps, run: TurnRun) {
    this.#deps = deps;
    this.#run = run;
  }

  get calls(): readonly FunctionCall[] {
    return this.#calls;
  }

  /** Text that was written and arguments that were made, for counting tokens when the endpoint does not. */
  get written(): string {
    const texts = this.#message?.parts.map((part) => part.value) ?? [];
    return [...texts, ...this.#calls.map((call) => call.function.name + call.function.arguments)].join(" ");
  }

  /** Records one piece. Throws `TurnLost`, `ToolUnavailable`, or `ModelFailed` when the model talks beyond all bounds. */
  async record(event: Exclude<ModelEvent, { type: "finish" }>): Promise<void> {
    this.#length += event.type === "tool_call" ? event.arguments.length : event.text.length;
    if (this.#length > MAX_TURN_TEXT_LENGTH) throw new ModelFailed("The model's answer is too long.");
    if (event.type === "tool_call") await this.#recordCall(event);
    // What a model says behind its calls has no place in the history that endpoints accept.
    else if (this.#stepId === undefined) await this.#recordText(event.type, event.text);
  }

  /** Ends the turn: the run completes with the message. A model that said nothing has said an empty text. */
  async complete(usage: Usage): Promise<Appended> {
    await this.#flushHalf();
    if (this.#message === undefined) await this.#recordText("text", "");
    await this.#deps.channel.flushed();
    return completeRun(this.#deps.pool, this.#run, this.#finishedMessage() as FinishedMessage, usage);
  }

  /** Ends the turn: the run waits for the outputs of its calls. */
  async requireAction(usage: Usage): Promise<Appended> {
    await this.#flushHalf();
    await this.#deps.channel.flushed();
    return requireAction(this.#deps.pool, this.#run, this.#stepId as string, this.#calls, usage);
  }

  /** Lets readers see all that was said, before the turn is ended in another way. */
  async flush(): Promise<void> {
    await this.#flushHalf();
    await this.#deps.channel.flushed();
  }

  async #recordText(type: "text" | "refusal", piece: string): Promise<void> {
    const text = this.#makeStorable(piece);
    const message = (this.#message ??= await this.#openMessage());
    let index = message.parts.findIndex((part) => part.type === type);
    const isFirst = index === -1;
    if (isFirst) index = message.parts.push({ type, value: "" }) - 1;
    if (text === "" && !isFirst) return;
    (message.parts[index] as { value: string }).value += text;
    const render = (value: string) => ({
      id: message.id,
      object: "thread.message.delta",
      delta: { content: [toContentDelta(type, index, value, isFirst)] },
    });
    this.#deps.channel.append("thread.message.delta", text, render, `${type} ${index}`);
  }

  async #recordCall(event: ModelEvent & { type: "tool_call" }): Promise<void> {
    const isNew = event.index !== this.#callIndex || (event.id !== undefined && event.id !== this.#upstreamCallId);
    if (isNew) await this.#openCall(event);
    const call = this.#calls.at(-1);
    if (call === undefined || this.#skipping || event.arguments === "") return;
    const text = this.#makeStorable(event.arguments);
    if (text === "") return;
    call.function.arguments += text;
    const index = this.#calls.length - 1;
    this.#appendCall(text, (value) => ({ index, type: "function", function: { arguments: value } }), `call ${index}`);
  }

  async #openCall(event: ModelEvent & { type: "tool_call" }): Promise<void> {
    await this.#flushHalf();
    this.#callIndex = event.index;
    this.#upstreamCallId = event.id;
    const name = event.name ?? "";
    if (!FUNCTION_NAME.test(name)) throw new ModelFailed("The model called a function by an impossible name.");
    if (this.#run.tools.some((tool) => tool.type !== "function" && tool.type === name)) {
      throw new ToolUnavailable(`The tool '${name}' is not available on this server yet.`);
    }
    this.#skipping = !this.#run.parallel_tool_calls && this.#calls.length > 0;
    if (this.#skipping) return;
    if (this.#calls.length === MAX_TOOL_CALLS_PER_TURN)
      throw new ModelFailed("The model called too many tools at once.");
    if (this.#stepId === undefined) await this.#openStep();
    const known = this.#calls.some((call) => call.id === event.id);
    const id = event.id !== undefined && CALL_ID.test(event.id) && !known ? event.id : newId("call_");
    this.#calls.push({ id, type: "function", function: { name, arguments: "" } });
    const index = this.#calls.length - 1;
    this.#appendCall("", () => ({ index, id, type: "function", function: { name, arguments: "", output: null } }));
  }

  #appendCall(text: string, toDelta: (text: string) => ToolCallDelta, key?: string): void {
    const id = this.#stepId as string;
    const render = (value: string) => ({
      id,
      object: "thread.run.step.delta",
      delta: { step_details: { type: "tool_calls", tool_calls: [toDelta(value)] } },
    });
    this.#deps.channel.append("thread.run.step.delta", text, render, key);
  }

  async #openMessage(): Promise<OpenMessage> {
    const ids = { message: newId("msg_"), step: newId("step_") };
    this.#deps.writer.announce(this.#run.id, await openMessage(this.#deps.pool, this.#run, ids));
    return { id: ids.message, parts: [] };
  }

  async #openStep(): Promise<void> {
    const id = newId("step_");
    await this.#deps.channel.flushed();
    const added = await openToolCalls(this.#deps.pool, this.#run, id, this.#finishedMessage());
    this.#deps.writer.announce(this.#run.id, added);
    this.#stepId = id;
  }

  #finishedMessage(): FinishedMessage | undefined {
    if (this.#message === undefined) return undefined;
    const content = this.#message.parts.map(({ type, value }): ContentPart =>
      type === "text" ? { type, text: { value, annotations: [] } } : { type, refusal: value },
    );
    return { id: this.#message.id, content, tokens: countContentTokens(content) };
  }

  /** Postgres holds neither U+0000 nor half a character; a half waits for the next piece. */
  #makeStorable(piece: string): string {
    let text = (this.#half + piece).replaceAll("\u0000", "\uFFFD");
    this.#half = "";
    const last = text.charCodeAt(text.length - 1);
    if (last >= 0xd8_00 && last <= 0xdb_ff) {
      this.#half = text.slice(-1);
      text = text.slice(0, -1);
    }
    return text.toWellFormed();
  }

  /** A half that stayed alone becomes a replacement character in what it belongs to. */
  async #flushHalf(): Promise<void> {
    if (this.#half === "") return;
    this.#half = "";
    const call = this.#calls.at(-1);
    if (call !== undefined) {
      await this.#recordCall({ type: "tool_call", index: this.#callIndex, arguments: "\uFFFD" });
    } else if (this.#message !== undefined) {
      await this.#recordText(this.#message.parts.at(-1)?.type ?? "text", "\uFFFD");
    }
  }
}

function toContentDelta(type: "text" | "refusal", index: number, value: string, isFirst: boolean): ContentDelta {
  if (type === "refusal") return { index, type, refusal: value };
  return { index, type, text: isFirst ? { value, annotations: [] } : { value } };
}
