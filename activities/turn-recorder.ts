// Turns what a model says into steps, messages and deltas, while it says it. At most one step is open at a time; a text
// before tool calls is a message and a step of its own.
import { newId } from "../contract/ids.ts";
import { MAX_TURN_TEXT_LENGTH } from "../contract/limits.ts";
import type { Usage } from "../contract/run.ts";
import type { BuiltInTool } from "../db/built-in-calls.ts";
import type { EventChannel, EventWriter } from "../db/event-writer.ts";
import type { Pool } from "../db/pool.ts";
import { completeRun, leaveToTools, openMessage, openToolCalls, requireAction } from "../db/run-turns.ts";
import type { Appended } from "../db/run-events.ts";
import type { TurnRun } from "../db/run-turns.ts";
import type { ModelEvent } from "../model/model.ts";
import { ModelFailed } from "../model/model.ts";
import { AnswerRecorder } from "./answer-recorder.ts";
import type { AnswerSources } from "./answer-recorder.ts";
import { CallsRecorder, checkCall } from "./calls-recorder.ts";
import type { CallPiece } from "./calls-recorder.ts";
import { StorableText } from "./storable-text.ts";

export interface RecorderDeps {
  pool: Pool;
  writer: EventWriter;
  channel: EventChannel;
}

export class TurnRecorder {
  readonly #deps: RecorderDeps;
  readonly #run: TurnRun;
  readonly #text = new StorableText();
  #answer: AnswerRecorder | undefined;
  #calls: CallsRecorder | undefined;
  #length = 0;
  #sources: AnswerSources | undefined;

  constructor(deps: RecorderDeps, run: TurnRun) {
    this.#deps = deps;
    this.#run = run;
  }

  get hasCalls(): boolean {
    return this.#calls !== undefined;
  }

  /** Names of the functions that were called. */
  get functions(): string[] {
    return this.#calls?.functions ?? [];
  }

  /** The calls of the server's own tools. */
  get builtInCalls(): { stepId: string; callId: string; tool: BuiltInTool }[] {
    const calls = this.#calls;
    return calls?.builtInCalls.map(({ id, tool }) => ({ stepId: calls.stepId, callId: id, tool })) ?? [];
  }

  /** Text that was written and arguments that were made, for counting tokens when the endpoint does not. */
  get written(): string {
    return [this.#answer?.written ?? "", this.#calls?.written ?? ""].join(" ");
  }

  /** Tells what the answer may refer to. Before the first piece. */
  mayUse(sources: AnswerSources): void {
    this.#sources = sources;
  }

  /** Records one piece. Throws `TurnLost`, or `ModelFailed` when the model talks beyond all bounds. */
  async record(event: Exclude<ModelEvent, { type: "finish" }>): Promise<void> {
    this.#length += event.type === "tool_call" ? event.arguments.length : event.text.length;
    if (this.#length > MAX_TURN_TEXT_LENGTH) throw new ModelFailed("The model's answer is too long.");
    if (event.type === "tool_call") await this.#recordCall(event);
    // What a model says behind its calls has no place in the history that endpoints accept.
    else if (this.#calls === undefined) await this.#recordText(event.type, this.#text.take(event.text));
  }

  /** Ends the turn: the run completes with the message. A model that said nothing has said an empty text. */
  async complete(usage: Usage): Promise<Appended> {
    await this.#settle();
    if (this.#answer === undefined) await this.#recordText("text", "");
    await this.#deps.channel.flushed();
    return completeRun(this.#deps.pool, this.#run, (this.#answer as AnswerRecorder).finish(), usage);
  }

  /** Ends the turn: the run waits for the outputs of its calls. */
  async requireAction(usage: Usage): Promise<Appended> {
    await this.flush();
    const { stepId, functionCalls } = this.#calls as CallsRecorder;
    return requireAction(this.#deps.pool, this.#run, stepId, functionCalls, usage);
  }

  /** Ends the turn: the run goes on when its calls of the server's own tools are done. */
  async leaveToTools(usage: Usage): Promise<void> {
    await this.flush();
    const { stepId, shown, builtInCalls } = this.#calls as CallsRecorder;
    const step = { id: stepId, tool_calls: shown };
    await leaveToTools(this.#deps.pool, this.#run, step, { calls: builtInCalls, usage });
  }

  /** Lets readers see all that was said, before the turn is ended in another way. */
  async flush(): Promise<void> {
    await this.#settle();
    await this.#deps.channel.flushed();
  }

  async #recordText(type: "text" | "refusal", text: string): Promise<void> {
    this.#answer ??= await this.#openAnswer();
    await this.#answer.write(type, text);
  }

  async #recordCall(piece: CallPiece): Promise<void> {
    if (this.#calls?.isNext(piece) !== false) {
      await this.#settle();
      checkCall(piece);
      this.#calls ??= await this.#openCalls();
      this.#calls.begin(piece);
    }
    this.#calls?.write(this.#text.take(piece.arguments));
  }

  async #openAnswer(): Promise<AnswerRecorder> {
    const ids = { message: newId("msg_"), step: newId("step_") };
    this.#deps.writer.announce(this.#run.id, await openMessage(this.#deps.pool, this.#run, ids));
    return new AnswerRecorder(ids.message, this.#deps.channel, this.#sources);
  }

  async #openCalls(): Promise<CallsRecorder> {
    const id = newId("step_");
    await this.#deps.channel.flushed();
    const added = await openToolCalls(this.#deps.pool, this.#run, id, this.#answer?.finish());
    this.#deps.writer.announce(this.#run.id, added);
    return new CallsRecorder(id, this.#deps.channel, this.#run);
  }

  /** Says what was held back: nothing follows to which it might belong. */
  async #settle(): Promise<void> {
    const half = this.#text.release();
    if (this.#calls !== undefined) return this.#calls.write(half);
    if (this.#answer === undefined) return;
    if (half !== "") await this.#answer.write(this.#answer.lastType, half);
    await this.#answer.settle();
  }
}
