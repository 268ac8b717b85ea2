// The conversation that a turn sends to the model: instructions, as much of the thread as fits, and the run's own turns.
// It reads only what fits, so a thread of 100,000 messages costs no more than its newest ones.
import { CONTEXT_BATCH, MAX_CONTEXT_MESSAGES } from "../contract/limits.ts";
import type { Message } from "../contract/message.ts";
import type { StepToolCall } from "../contract/run-step.ts";
import type { Queryable } from "../db/pool.ts";
import { readEarlierTurns, readThreadBackwards } from "../db/run-context.ts";
import type { ContextMessage, EarlierTurn } from "../db/run-context.ts";
import type { TurnRun } from "../db/run-turns.ts";
import type { ChatMessage, ChatPart, ChatToolCall } from "../model/model.ts";
import { countTokens } from "../model/tokens.ts";
import { readMarker } from "../tools/citation-markers.ts";
import { describeOutputs } from "../tools/code-interpreter.ts";
import { describeResults } from "../tools/file-search.ts";
import { NO_IMAGES } from "./images.ts";
import type { Images } from "./images.ts";
import { Passages } from "./passages.ts";

/** Part of the window that is left for the answer when the run does not say how long it may be. */
const ANSWER_SHARE = 0.25;
const MAX_ANSWER_RESERVE = 16_000;
/** Tokens that the protocol spends on each message. */
const PER_MESSAGE = 4;

export interface Context {
  messages: ChatMessage[];
  /** Estimated tokens of the messages. */
  tokens: number;
  /** What the run's searches have found so far, which the answer may cite. */
  passages: Passages;
  /** Files of the images that the run's code has drawn and no answer has shown yet. */
  unshown: string[];
  /** To be called when the messages are not needed any more. */
  release(): void;
}

/** The run's `max_prompt_tokens` cannot hold even its instructions and the newest message. */
export class PromptBudgetExceeded extends Error {
  override name = "PromptBudgetExceeded";
}

export interface ContextLimits {
  /** Tokens that the model can take, prompt and answer together. */
  window: number;
  /** Tokens that the run may still spend on prompts; null when it set no limit. */
  promptBudget: number | null;
  /** Tokens that the run may still spend on answers; null when it set no limit. */
  answerBudget: number | null;
}

export interface ContextSource {
  db: Queryable;
  /** Given the files of a conversation that are images, the newest first. */
  readImages(file_ids: string[]): Promise<Images>;
}

/** Builds the context of a turn. Throws `PromptBudgetExceeded`, and what `readImages` throws. */
export async function buildContext(
  { db, readImages }: ContextSource,
  run: TurnRun,
  limits: ContextLimits,
): Promise<Context> {
  const earlier = await readEarlierTurns(db, run);
  const fixed = [...toInstructions(run), ...toTurns(earlier)];
  const fixedTokens = fixed.reduce((sum, message) => sum + countMessage(message), 0) + countTools(run);
  const reserve = Math.min(limits.answerBudget ?? MAX_ANSWER_RESERVE, limits.window * ANSWER_SHARE);
  const room = Math.min(limits.window - reserve, limits.promptBudget ?? Number.POSITIVE_INFINITY) - fixedTokens;

  const thread = await readFittingMessages(db, run, room);
  const threadTokens = thread.reduce((sum, message) => sum + message.tokens, 0);
  if (limits.promptBudget !== null && fixedTokens + threadTokens > limits.promptBudget)
    throw new PromptBudgetExceeded();

  const instructions = fixed.slice(0, run.instructions === "" ? 0 : 1);
  const turns = fixed.slice(instructions.length);
  const images = await readImages(thread.flatMap(imagesOf));
  const messages = [...instructions, ...thread.toReversed().map((message) => toChatMessage(message, images)), ...turns];
  return {
    // An endpoint takes no empty conversation.
    messages: messages.length > 0 ? messages : [{ role: "user", content: "" }],
    tokens: fixedTokens + threadTokens,
    passages: new Passages(earlier),
    unshown: findUnshown(earlier),
    release: images.release,
  };
}

/** What a turn says comes before what it calls. */
function findUnshown(turns: readonly EarlierTurn[]): string[] {
  let images: string[] = [];
  for (const { content, tool_calls } of turns) {
    if (content !== null) images = [];
    for (const call of tool_calls) {
      if (call.type !== "code_interpreter") continue;
      images.push(...call.code_interpreter.outputs.flatMap((one) => (one.type === "image" ? [one.image.file_id] : [])));
    }
  }
  return images;
}

/** The newest messages whose tokens fit into `room`, newest first. The newest one always belongs. */
async function readFittingMessages(db: Queryable, run: TurnRun, room: number): Promise<ContextMessage[]> {
  const { truncation_strategy: strategy } = run;
  const most = Math.min(strategy.last_messages ?? MAX_CONTEXT_MESSAGES, MAX_CONTEXT_MESSAGES);
  const fitting: ContextMessage[] = [];
  let left = room;
  let before = Number.MAX_SAFE_INTEGER;
  while (fitting.length < most) {
    const limit = Math.min(CONTEXT_BATCH, most - fitting.length);
    const batch: ContextMessage[] = await readThreadBackwards(db, run, before, limit);
    for (const message of batch) {
      if (message.tokens > left && fitting.length > 0) return fitting;
      fitting.push(message);
      left -= message.tokens;
    }
    if (batch.length < limit) break;
    before = (batch.at(-1) as ContextMessage).seq;
  }
  return fitting;
}

function toInstructions(run: TurnRun): ChatMessage[] {
  return run.instructions === "" ? [] : [{ role: "system", content: run.instructions }];
}

/** Every call is answered, in the order of the calls: the only history that endpoints accept. */
function toTurns(turns: readonly EarlierTurn[]): ChatMessage[] {
  return turns.flatMap((turn) => {
    const content = turn.content === null ? null : toText(turn.content);
    if (turn.tool_calls.length === 0) return [{ role: "assistant" as const, content: content ?? "" }];
    const asked: ChatMessage = {
      role: "assistant",
      content,
      tool_calls: turn.tool_calls.map((call) => toChatCall(call, turn)),
    };
    const answers = turn.tool_calls.map((call): ChatMessage => ({
      role: "tool",
      tool_call_id: call.id,
      content: toAnswer(call, turn),
    }));
    return [asked, ...answers];
  });
}

function toChatCall(call: StepToolCall, { built_in }: EarlierTurn): ChatToolCall {
  const called =
    call.type === "function"
      ? { name: call.function.name, arguments: call.function.arguments }
      : { name: call.type, arguments: built_in.get(call.id)?.arguments ?? "{}" };
  return { id: call.id, type: "function", function: called };
}

/** What came back of a call. */
function toAnswer(call: StepToolCall, { built_in }: EarlierTurn): string {
  if (call.type === "function") return call.function.output ?? "";
  const { told, number } = built_in.get(call.id) ?? { told: null, number: 0 };
  if (told !== null) return told;
  return call.type === "file_search"
    ? describeResults(number, call.file_search)
    : describeOutputs(call.code_interpreter.outputs);
}

/** Endpoints take images from users only. */
function imagesOf({ role, content }: ContextMessage): string[] {
  if (role !== "user") return [];
  return content.flatMap((part) => (part.type === "image_file" ? [part.image_file.file_id] : []));
}

function toChatMessage(message: ContextMessage, images: Images): ChatMessage {
  if (message.role === "assistant") return { role: "assistant", content: toText(message.content.map(withoutMarkers)) };
  const parts = message.content.map((part) => toChatPart(part, images));
  const onlyText = parts.every((part) => part.type === "text");
  return { role: "user", content: onlyText ? joinTexts(parts) : parts };
}

/** The markers of earlier runs name passages that this run has not found: the model might repeat them. */
function withoutMarkers(part: Message["content"][number]): Message["content"][number] {
  if (part.type !== "text" || part.text.annotations.length === 0) return part;
  const letters = Array.from(part.text.value);
  const markers = part.text.annotations.filter(({ text }) => readMarker(text) !== undefined);
  for (const { start_index, end_index } of markers.toReversed()) letters.splice(start_index, end_index - start_index);
  return { type: "text", text: { value: letters.join(""), annotations: [] } };
}

function toChatPart(part: Message["content"][number], images: Images): ChatPart {
  switch (part.type) {
    case "text":
      return { type: "text", text: part.text.value };
    case "refusal":
      return { type: "text", text: part.refusal };
    case "image_url":
      return { type: "image_url", image_url: { url: part.image_url.url, detail: part.image_url.detail ?? "auto" } };
    case "image_file":
      return images.toPart(part.image_file);
  }
}

function toText(content: Message["content"]): string {
  return joinTexts(content.map((part) => toChatPart(part, NO_IMAGES)));
}

function joinTexts(parts: readonly ChatPart[]): string {
  return parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n\n");
}

function countMessage(message: ChatMessage): number {
  const text = typeof message.content === "string" ? message.content : "";
  const calls = message.role === "assistant" ? JSON.stringify(message.tool_calls ?? "") : "";
  return PER_MESSAGE + countTokens(text) + (calls === '""' ? 0 : countTokens(calls));
}

function countTools(run: TurnRun): number {
  return run.tools.length === 0 ? 0 : countTokens(JSON.stringify(run.tools));
}
