// Turns what a model says into steps, messages and deltas, while it says it. At most one step is open at a time; a text
// before tool calls is a message and a step of its own.
import { newId } from "../contract/ids.ts";
import { MAX_TOOL_CALLS_PER_TURN, MAX_TURN_TEXT_LENGTH } from "../contract/limits.ts";
import type { CitationDelta, ContentDelta, ToolCallDelta } from "../contract/events.ts";
import type { ContentPart, FileCitation } from "../contract/message.ts";
import type { FunctionCall, Usage } from "../contract/run.ts";
import type { BuiltInStepCall, StepToolCall } from "../contract/run-step.ts";
import type { BuiltInTool } from "../db/built-in-calls.ts";
import type { EventChannel, EventWriter } from "../db/event-writer.ts";
import type { Pool } from "../db/pool.ts";
import { completeRun, leaveToTools, openMessage, openToolCalls, requireAction } from "../db/run-turns.ts";
import type { Appended } from "../db/run-events.ts";
import type { FinishedMessage, TurnRun } from "../db/run-turns.ts";
import type { ModelEvent } from "../model/model.ts";
import { ModelFailed } from "../model/model.ts";
import { countContentTokens } from "../model/tokens.ts";
import { MarkerFinder } from "../tools/citation-markers.ts";
import type { Piece } from "../tools/citation-markers.ts";
import type { Passages } from "./passages.ts";

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
  parts: OpenPart[];
}

interface OpenPart {
  type: "text" | "refusal";
  value: string;
  /** Characters of the value, as the indexes of citations count them. */
  length: number;
  citations: FileCitation[];
  /** Whether readers know of it. */
  isBegun: boolean;
}

/** A call that is being written. Of the server's own tools only the arguments are the model's; the rest is what is shown. */
type OpenCall =
  | { kind: "function"; call: FunctionCall }
  | { kind: "built-in"; call: BuiltInStepCall; arguments: string };

export class TurnRecorder {
  readonly #deps: RecorderDeps;
  readonly #run: TurnRun;
  #message: OpenMessage | undefined;
  #stepId: string | undefined;
  #calls: OpenCall[] = [];
  /** The model's index of the call that is being written. */
  #callIndex = -1;
  #upstreamCallId: string | undefined;
  #skipping = false;
  /** Half of a surrogate pair that waits for its other half. */
  #half = "";
  #length = 0;
  #passages: Passages | undefined;
  /** Looks for citations, in a run that has something to cite. */
  #markers: MarkerFinder | undefined;

  constructor(deps: RecorderDeps, run: TurnRun) {
    this.#deps = deps;
    this.#run = run;
  }

  /** Names of the functions that were called. */
  get functions(): string[] {
    return this.#calls.flatMap((open) => (open.kind === "function" ? [open.call.function.name] : []));
  }

  get hasCalls(): boolean {
    return this.#calls.length > 0;
  }

  /** The calls of the server's own tools. */
  get builtInCalls(): { stepId: string; callId: string; tool: BuiltInTool }[] {
    const stepId = this.#stepId as string;
    return this.#calls.flatMap((open) =>
      open.kind === "built-in" ? [{ stepId, callId: open.call.id, tool: open.call.type }] : [],
    );
  }

  /** Text that was written and arguments that were made, for counting tokens when the endpoint does not. */
  get written(): string {
    const texts = this.#message?.parts.map((part) => part.value) ?? [];
    const calls = this.#calls.map((open) =>
      open.kind === "function"
        ? open.call.function.name + open.call.function.arguments
        : open.call.type + open.arguments,
    );
    return [...texts, ...calls].join(" ");
  }

  /** Tells what the answer may cite. Before the first piece. */
  mayCite(passages: Passages): void {
    if (passages.isEmpty) return;
    this.#passages = passages;
    this.#markers = new MarkerFinder((passage) => passages.fileOf(passage) !== undefined);
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
    await this.#settle();
    if (this.#message === undefined) await this.#recordText("text", "");
    await this.#deps.channel.flushed();
    return completeRun(this.#deps.pool, this.#run, this.#finishedMessage() as FinishedMessage, usage);
  }

  /** Ends the turn: the run waits for the outputs of its calls. */
  async requireAction(usage: Usage): Promise<Appended> {
    await this.flush();
    const calls = this.#calls.flatMap((open) => (open.kind === "function" ? [open.call] : []));
    return requireAction(this.#deps.pool, this.#run, this.#stepId as string, calls, usage);
  }

  /** Ends the turn: the run goes on when its calls of the server's own tools are done. */
  async leaveToTools(usage: Usage): Promise<void> {
    await this.flush();
    const step = { id: this.#stepId as string, tool_calls: this.#calls.map(toStepCall) };
    const calls = this.#calls.flatMap((open, position) =>
      open.kind === "built-in" ? [{ id: open.call.id, tool: open.call.type, arguments: open.arguments, position }] : [],
    );
    await leaveToTools(this.#deps.pool, this.#run, step, { calls, usage });
  }

  /** Lets readers see all that was said, before the turn is ended in another way. */
  async flush(): Promise<void> {
    await this.#settle();
    await this.#deps.channel.flushed();
  }

  async #recordText(type: "text" | "refusal", piece: string): Promise<void> {
    const text = this.#makeStorable(piece);
    const message = (this.#message ??= await this.#openMessage());
    let index = message.parts.findIndex((part) => part.type === type);
    const isNew = index === -1;
    // What is held back belongs to the part before, which readers have to know first.
    if (isNew) this.#releaseMarker(message);
    if (isNew) index = message.parts.push({ type, value: "", length: 0, citations: [], isBegun: false }) - 1;
    if (type === "refusal" || this.#markers === undefined) return this.#say(message, index, text);
    const pieces = this.#markers.take(text);
    if (isNew && text === "") this.#say(message, index, "");
    for (const found of pieces) this.#sayPiece(message, index, found);
  }

  #sayPiece(message: OpenMessage, index: number, piece: Piece): void {
    const file_id = piece.kind === "citation" ? this.#passages?.fileOf(piece.passage) : undefined;
    if (file_id === undefined) this.#say(message, index, piece.text);
    else this.#cite(message, index, piece.text, file_id);
  }

  #say(message: OpenMessage, index: number, text: string): void {
    const part = message.parts[index] as OpenPart;
    const isFirst = !part.isBegun;
    if (text === "" && !isFirst) return;
    part.isBegun = true;
    part.value += text;
    if (this.#markers !== undefined) part.length += countCharacters(text);
    const { type } = part;
    this.#appendContent(message, text, (value) => toContentDelta(type, index, value, isFirst), `${type} ${index}`);
  }

  /** A marker comes in one piece together with what it means. */
  #cite(message: OpenMessage, index: number, text: string, file_id: string): void {
    const part = message.parts[index] as OpenPart;
    if (!part.isBegun) this.#say(message, index, "");
    const start_index = part.length;
    part.value += text;
    part.length += countCharacters(text);
    const place = { type: "file_citation", text, start_index, end_index: part.length } as const;
    const citation: CitationDelta = {
      index: part.citations.length,
      ...place,
      file_citation: { file_id, quote: "" },
    };
    part.citations.push({ ...place, file_citation: { file_id } });
    this.#appendContent(message, "", () => ({
      index,
      type: "text",
      text: { value: text, annotations: [citation] },
    }));
  }

  #appendContent(message: OpenMessage, text: string, toDelta: (text: string) => ContentDelta, key?: string): void {
    const render = (value: string) => ({
      id: message.id,
      object: "thread.message.delta",
      delta: { content: [toDelta(value)] },
    });
    this.#deps.channel.append("thread.message.delta", text, render, key);
  }

  async #recordCall(event: ModelEvent & { type: "tool_call" }): Promise<void> {
    const isNew = event.index !== this.#callIndex || (event.id !== undefined && event.id !== this.#upstreamCallId);
    if (isNew) await this.#openCall(event);
    const open = this.#calls.at(-1);
    if (open === undefined || this.#skipping || event.arguments === "") return;
    const text = this.#makeStorable(event.arguments);
    if (text === "") return;
    if (open.kind === "built-in") {
      open.arguments += text;
      return;
    }
    open.call.function.arguments += text;
    const index = this.#calls.length - 1;
    this.#appendCall(text, (value) => ({ index, type: "function", function: { arguments: value } }), `call ${index}`);
  }

  async #openCall(event: ModelEvent & { type: "tool_call" }): Promise<void> {
    await this.#settle();
    this.#callIndex = event.index;
    this.#upstreamCallId = event.id;
    const name = event.name ?? "";
    if (!FUNCTION_NAME.test(name)) throw new ModelFailed("The model called a function by an impossible name.");
    const tool = this.#run.tools.find(({ type }) => type !== "function" && type === name);
    if (tool?.type === "code_interpreter") {
      throw new ToolUnavailable(`The tool '${name}' is not available on this server yet.`);
    }
    this.#skipping = !this.#run.parallel_tool_calls && this.#calls.length > 0;
    if (this.#skipping) return;
    if (this.#calls.length === MAX_TOOL_CALLS_PER_TURN)
      throw new ModelFailed("The model called too many tools at once.");
    if (this.#stepId === undefined) await this.#openStep();
    const known = this.#calls.some(({ call }) => call.id === event.id);
    const id = event.id !== undefined && CALL_ID.test(event.id) && !known ? event.id : newId("call_");
    const index = this.#calls.length;
    if (tool?.type === "file_search") {
      const { ranker, score_threshold } = tool.file_search.ranking_options;
      const shown = { ranking_options: { ranker, score_threshold }, results: [] as [] };
      this.#calls.push({ kind: "built-in", call: { id, type: "file_search", file_search: shown }, arguments: "" });
      this.#appendCall("", () => ({ index, id, type: "file_search", file_search: shown }));
      return;
    }
    this.#calls.push({ kind: "function", call: { id, type: "function", function: { name, arguments: "" } } });
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
    const content = this.#message.parts.map(({ type, value, citations }): ContentPart =>
      type === "text" ? { type, text: { value, annotations: citations } } : { type, refusal: value },
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

  /** Says what was held back: nothing follows to which it might belong. */
  async #settle(): Promise<void> {
    await this.#flushHalf();
    if (this.#message !== undefined) this.#releaseMarker(this.#message);
  }

  #releaseMarker(message: OpenMessage): void {
    const text = this.#markers?.release() ?? "";
    const index = message.parts.findIndex((part) => part.type === "text");
    if (text !== "" && index !== -1) this.#say(message, index, text);
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

/** Citations count characters, not UTF-16 units. */
function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

function toStepCall(open: OpenCall): StepToolCall {
  if (open.kind === "built-in") return open.call;
  return { ...open.call, function: { ...open.call.function, output: null } };
}
