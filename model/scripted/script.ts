// The language in which a request says how the scripted model shall answer: `#script {"turns": [...]}` on a line of
// the newest user message or, failing that, of the instructions. Pure: the same request always finds the same turn.
import { z } from "zod";
import { badRequest } from "./api-error.ts";
import { parseJson } from "./json.ts";
import { newestUserIndex, textOf } from "./request.ts";
import type { ChatMessage } from "./request.ts";

const MAX_TURNS = 1000;
const MAX_DELTAS = 10_000;
const MAX_WAIT_MS = 3_600_000;
const MAX_ANSWER_CHARS = 2_000_000;

const count = z.number().int().min(0);
const times = z.number().int().min(1);
const waitMs = z.number().min(0).max(MAX_WAIT_MS);

const ToolCallTurn = z.strictObject({
  name: z.string(),
  /** An object is sent as JSON, a string exactly as it is: also one that is no JSON. */
  arguments: z.union([z.string(), z.record(z.string(), z.unknown())]).default({}),
  id: z.string().optional(),
});

export const ErrorTurn = z.strictObject({
  status: z.number().int().min(400).max(599),
  /** Sent instead of OpenAI's usual body for this status; a string is sent as it is. */
  body: z.unknown().optional(),
  /** Seconds, for the header `retry-after`. */
  retry_after: z.number().min(0).optional(),
  /** Milliseconds, for the header `retry-after-ms`. */
  retry_after_ms: z.number().min(0).optional(),
  /** Only the first requests of this turn fail, then it goes on as if there were no error. */
  times: times.optional(),
});

/** A delta as it goes over the wire. What is not named here is sent as well. */
const Delta = z.looseObject({
  content: z.string().nullish(),
  refusal: z.string().nullish(),
  tool_calls: z
    .array(
      z.looseObject({
        index: z.number().int().min(0).optional(),
        id: z.string().optional(),
        function: z.looseObject({ name: z.string().optional(), arguments: z.string().nullish() }),
      }),
    )
    .nullish(),
});
export type Delta = z.infer<typeof Delta>;

/** The fields of a turn that say the same as `deltas`, in another way. */
const SAYING = ["text", "chunks", "repeat", "refusal", "tool_calls"] as const;

/** One answer of the model. Without text, calls or refusal it is an empty text. */
export const Turn = z
  .strictObject({
    text: z.string().optional(),
    /** The text in exactly these pieces, which may split a surrogate pair. */
    chunks: z.array(z.string()).optional(),
    /** Characters per chunk of text, refusal and arguments; 4 unless told. */
    chunk_chars: z.number().int().min(1).optional(),
    /** Sends the text this many times over. */
    repeat: z.number().int().min(1).optional(),
    tool_calls: z.array(ToolCallTurn).min(1).max(128).optional(),
    refusal: z.string().optional(),
    /** Sends exactly these deltas in place of everything above, as other endpoints would; no token limit cuts them. */
    deltas: z.array(Delta).min(1).max(MAX_DELTAS).optional(),
    /** `tool_calls` or `stop` unless told. */
    finish_reason: z.enum(["stop", "length", "tool_calls", "content_filter"]).optional(),
    /** Counted from the lengths of the texts unless told. */
    usage: z.looseObject({ prompt_tokens: count, completion_tokens: count, total_tokens: count.optional() }).optional(),
    /** Wait before the first byte, errors included. */
    delay_ms: waitMs.optional(),
    /** Time from one chunk to the next. */
    chunk_ms: waitMs.optional(),
    /** Replaces every chunk of text by the moment at which it is sent: milliseconds of Unix time and a space. */
    stamp: z.boolean().optional(),
    error: ErrorTurn.optional(),
    /** Drops the connection after so many chunks of content; 0 is before the first byte. */
    cut_after_chunks: count.optional(),
    /** Goes silent after so many chunks of content, with the connection open. */
    hang_after_chunks: count.optional(),
    /** Sends one event that is not JSON after so many chunks of content, then goes on. */
    garbage_after_chunks: count.optional(),
    /** Only the first requests of this turn are cut, hang or get garbage. */
    times: times.optional(),
  })
  .refine((turn) => turn.text === undefined || turn.chunks === undefined, "give either text or chunks")
  .refine(
    ({ deltas, ...turn }) => deltas === undefined || !SAYING.some((key) => turn[key] !== undefined),
    `deltas take the place of ${SAYING.join(", ")}`,
  )
  .refine(
    ({ text = "", chunks = [text], repeat = 1 }) => repeat * chunks.join("").length <= MAX_ANSWER_CHARS,
    `an answer has at most ${MAX_ANSWER_CHARS} characters`,
  );
export type Turn = z.infer<typeof Turn>;

export const Script = z
  .strictObject({
    turns: z.array(Turn).min(1).max(MAX_TURNS),
    /** Names the script: for `times`, and to find its requests again. */
    key: z.string().min(1).max(200).optional(),
  })
  .refine(
    ({ key, turns }) =>
      key !== undefined || turns.every((turn) => turn.times === undefined && turn.error?.times === undefined),
    "times needs a key, under which the requests are counted",
  );
export type Script = z.infer<typeof Script>;

/**
 * The script of a conversation, or null. May be given messages that were not checked yet.
 * Throws an `ApiError` (400) that says what is wrong with the script.
 */
export function findScript(messages: ChatMessage[]): Script | null {
  const user = messages[newestUserIndex(messages)];
  const instructions = messages.find((message) => message.role === "system" || message.role === "developer");
  const source = directiveOf(user) ?? directiveOf(instructions);
  return source === null ? null : parseScript(source);
}

/**
 * Index of the turn to answer: as many assistant messages as have come since the newest user message.
 * The last turn answers all further requests.
 */
export function turnIndex(script: Script, messages: ChatMessage[]): number {
  const answered = messages
    .slice(newestUserIndex(messages) + 1)
    .filter((message) => message.role === "assistant").length;
  return Math.min(answered, script.turns.length - 1);
}

const DIRECTIVE = /^[ \t]*#script\s+/m;

function directiveOf(message: ChatMessage | undefined): string | null {
  const text = message ? textOf(message) : "";
  const found = DIRECTIVE.exec(text);
  return found ? text.slice(found.index + found[0].length) : null;
}

/** The JSON is the rest of the line, or else the whole rest of the text. */
function parseScript(source: string): Script {
  const line = source.split("\n", 1)[0] ?? "";
  const json = parseJson(line) ?? parseJson(source);
  if (!json) throw badScript("what follows #script is not JSON");
  const script = Script.safeParse(json.value);
  if (!script.success) throw badScript(z.prettifyError(script.error));
  return script.data;
}

function badScript(problem: string) {
  return badRequest(`The script cannot be followed: ${problem}`, "messages", "invalid_script");
}
