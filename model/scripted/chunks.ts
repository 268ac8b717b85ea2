// A turn as the wire shows it: as a stream of chat.completion.chunk objects, and as one chat.completion. Both say
// exactly the same, and both stop where the request's token limit says. Pure.
import type { ChatCompletion, ChatCompletionChunk } from "openai/resources/chat/completions";
import type { CompletionUsage } from "openai/resources/completions";
import { assemble } from "./raw-deltas.ts";
import type { Assembled as Said } from "./raw-deltas.ts";
import { textOf } from "./request.ts";
import type { ChatMessage, ChatRequest, ToolCall } from "./request.ts";
import type { Delta as RawDelta, Turn } from "./script.ts";

const CHARS_PER_TOKEN = 4;
const DEFAULT_CHUNK_CHARS = 4;
const TOKENS_PER_MESSAGE = 4;

type FinishReason = NonNullable<Turn["finish_reason"]>;
type Delta = ChatCompletionChunk.Choice.Delta;

/** What the model says, complete: a turn after the token limit has been applied. */
export type Answer = {
  /** The text as pieces; null when the model says nothing, but calls or refuses. */
  pieces: string[] | null;
  refusal: string | null;
  toolCalls: ToolCall[];
  /** What a stream sends in place of the three above; null when it is cut from them. */
  deltas: RawDelta[] | null;
  finishReason: FinishReason;
  usage: CompletionUsage;
  chunkChars: number;
};

/** What all chunks of one completion share. `created` is in unix seconds. */
export type Identity = { id: string; created: number; model: string };

/** Ids of tool calls are made from the identity's id, so they differ from request to request. */
export function buildAnswer(turn: Turn, request: ChatRequest, identity: Identity): Answer {
  const chunkChars = turn.chunk_chars ?? DEFAULT_CHUNK_CHARS;
  const callId = (index: number) => `call_${identity.id.slice(-21)}${String(index).padStart(3, "0")}`;
  const whole: Said = turn.deltas
    ? assemble(turn.deltas, callId)
    : {
        pieces: piecesOf(turn, chunkChars),
        refusal: turn.refusal ?? null,
        toolCalls: (turn.tool_calls ?? []).map((call, index) => toolCall(call, callId(index))),
      };
  const maxTokens = request.max_completion_tokens ?? request.max_tokens ?? Infinity;
  const isCut = !turn.deltas && countTokens(charsOf(whole)) > maxTokens;
  const said = isCut ? cutTo(maxTokens * CHARS_PER_TOKEN, whole) : whole;
  return {
    ...said,
    deltas: turn.deltas ?? null,
    finishReason: isCut ? "length" : (turn.finish_reason ?? (whole.toolCalls.length > 0 ? "tool_calls" : "stop")),
    usage: usageOf(turn, request.messages, said),
    chunkChars,
  };
}

/** One piece of a stream; `isContent` tells text, refusal and tool calls from the frame around them. */
export type StreamPiece = { chunk: ChatCompletionChunk; isContent: boolean };

/** The stream of an answer: role, text, refusal, tool calls, finish reason and, when asked for, usage. */
export function* streamChunks(answer: Answer, identity: Identity, includeUsage: boolean): Generator<StreamPiece> {
  const chunk = (delta: Delta, finishReason: FinishReason | null = null): ChatCompletionChunk => ({
    ...envelope(identity, "chat.completion.chunk"),
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
    ...(includeUsage ? { usage: null } : {}),
  });
  yield { chunk: chunk({ role: "assistant", content: answer.pieces ? "" : null, refusal: null }), isContent: false };
  for (const delta of contentDeltas(answer)) yield { chunk: chunk(delta), isContent: true };
  yield { chunk: chunk({}, answer.finishReason), isContent: false };
  if (!includeUsage) return;
  yield {
    chunk: { ...envelope(identity, "chat.completion.chunk"), choices: [], usage: answer.usage },
    isContent: false,
  };
}

/** The answer in one piece, for a request without `stream`. */
export function completion(answer: Answer, identity: Identity): ChatCompletion {
  const message: ChatCompletion.Choice["message"] = {
    role: "assistant",
    content: answer.pieces?.join("") ?? null,
    refusal: answer.refusal,
    annotations: [],
    ...(answer.toolCalls.length > 0 ? { tool_calls: answer.toolCalls } : {}),
  };
  return {
    ...envelope(identity, "chat.completion"),
    choices: [{ index: 0, message, logprobs: null, finish_reason: answer.finishReason }],
    usage: answer.usage,
  };
}

function* contentDeltas({ pieces, refusal, toolCalls, deltas, chunkChars }: Answer): Generator<Delta> {
  if (deltas) return yield* deltas as Delta[];
  for (const piece of pieces ?? []) yield { content: piece };
  for (const piece of split(refusal ?? "", chunkChars)) yield { refusal: piece };
  for (const [index, { id, type, function: called }] of toolCalls.entries()) {
    yield { tool_calls: [{ index, id, type, function: { name: called.name, arguments: "" } }] };
    for (const piece of split(called.arguments, chunkChars))
      yield { tool_calls: [{ index, function: { arguments: piece } }] };
  }
}

function envelope<T extends string>({ id, created, model }: Identity, object: T) {
  return { id, object, created, model, service_tier: "default" as const, system_fingerprint: "fp_scripted_demo" };
}

function piecesOf({ text, chunks, repeat = 1, tool_calls, refusal }: Turn, chunkChars: number): string[] | null {
  if (text === undefined && chunks === undefined && (tool_calls || refusal !== undefined)) return null;
  return chunks ? Array.from({ length: repeat }, () => chunks).flat() : split((text ?? "").repeat(repeat), chunkChars);
}

/** Pieces of about `size` characters that never part a surrogate pair. */
function split(text: string, size: number): string[] {
  const pieces: string[] = [];
  for (let start = 0, end = 0; start < text.length; start = end) {
    end = Math.min(start + size, text.length);
    if (partsPair(text, end)) end++;
    pieces.push(text.slice(start, end));
  }
  return pieces;
}

function partsPair(text: string, at: number): boolean {
  return (text.charCodeAt(at - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(at) & 0xfc00) === 0xdc00;
}

/** Keeps the first characters of what is said; calls that were not begun are dropped, like with a real model. */
function cutTo(chars: number, { pieces, refusal, toolCalls }: Said): Said {
  let left = chars;
  const take = (text: string): string => {
    const end = Math.min(Math.max(left, 0), text.length);
    left -= text.length;
    return text.slice(0, partsPair(text, end) ? end - 1 : end);
  };
  return {
    pieces: pieces?.map(take).filter((piece) => piece !== "") ?? null,
    refusal: refusal === null ? null : take(refusal),
    toolCalls: toolCalls
      .map((call) => ({
        call,
        isBegun: take(call.function.name) === call.function.name,
        args: take(call.function.arguments),
      }))
      .filter(({ isBegun }) => isBegun)
      .map(({ call, args }) => ({ ...call, function: { ...call.function, arguments: args } })),
  };
}

function toolCall(call: NonNullable<Turn["tool_calls"]>[number], id: string): ToolCall {
  const args = typeof call.arguments === "string" ? call.arguments : JSON.stringify(call.arguments);
  return { id: call.id ?? id, type: "function", function: { name: call.name, arguments: args } };
}

function usageOf({ usage }: Turn, messages: ChatMessage[], said: Said): CompletionUsage {
  const prompt = usage?.prompt_tokens ?? messages.reduce((sum, message) => sum + promptTokens(message), 0);
  const completed = usage?.completion_tokens ?? countTokens(charsOf(said));
  return {
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
    ...usage,
    prompt_tokens: prompt,
    completion_tokens: completed,
    total_tokens: usage?.total_tokens ?? prompt + completed,
  };
}

function promptTokens(message: ChatMessage): number {
  const calls = message.tool_calls ?? [];
  return (
    TOKENS_PER_MESSAGE +
    countTokens(textOf(message).length + charsOf({ pieces: null, refusal: null, toolCalls: calls }))
  );
}

function charsOf({ pieces, refusal, toolCalls }: Said): number {
  const text = (pieces ?? []).reduce((sum, piece) => sum + piece.length, 0);
  const calls = toolCalls.reduce((sum, call) => sum + call.function.name.length + call.function.arguments.length, 0);
  return text + (refusal?.length ?? 0) + calls;
}

function countTokens(chars: number): number {
  return Math.ceil(chars / CHARS_PER_TOKEN);
}
