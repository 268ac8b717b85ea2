// The port to language models: what a turn asks for and what comes back while it is written.
import type { ReasoningEffort } from "../contract/model.ts";
import type { ResponseFormat } from "../contract/response-format.ts";

/** One message of the conversation as chat-completions endpoints take it. */
export type ChatMessage =
  | { role: "system"; content: string }
  | { role: "user"; content: string | ChatPart[] }
  | { role: "assistant"; content: string | null; tool_calls?: ChatToolCall[] }
  | { role: "tool"; tool_call_id: string; content: string };
export type ChatPart =
  | { type: "text"; text: string }
  | { type: "image_url"; image_url: { url: string; detail: "auto" | "low" | "high" } };
export interface ChatToolCall {
  id: string;
  type: "function";
  function: { name: string; arguments: string };
}
export interface ChatTool {
  type: "function";
  function: { name: string; description?: string | undefined; parameters: Record<string, unknown>; strict?: boolean };
}
export type ChatToolChoice = "none" | "auto" | "required" | { type: "function"; function: { name: string } };

export interface ModelRequest {
  model: string;
  messages: ChatMessage[];
  tools: ChatTool[];
  tool_choice: ChatToolChoice;
  parallel_tool_calls: boolean;
  temperature: number;
  top_p: number;
  reasoning_effort: ReasoningEffort | null;
  response_format: ResponseFormat;
  /** Most tokens that the answer may have; null for the model's own limit. */
  max_completion_tokens: number | null;
}

export interface TokenCounts {
  prompt_tokens: number;
  completion_tokens: number;
  cached_tokens: number;
  reasoning_tokens: number;
}

/** What a model says, piece by piece, in its order. Ends with `finish`, and with nothing after it. */
export type ModelEvent =
  | { type: "text"; text: string }
  | { type: "refusal"; text: string }
  /** The first piece of a call carries its name; `index` tells parallel calls apart. */
  | { type: "tool_call"; index: number; id?: string; name?: string; arguments: string }
  | { type: "finish"; reason: "stop" | "tool_calls" | "length" | "content_filter"; usage: TokenCounts | undefined };

export interface Model {
  /** Tokens of prompt and answer together that the model can take. */
  contextWindow(name: string): number;
  /**
   * Asks for one turn. Throws `ModelRefused` when asking again cannot help, `ModelBusy` when the endpoint wants us to
   * come later, `ModelFailed` for everything else that went wrong; the signal's reason when it was aborted.
   */
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;
}

/** The endpoint will not take this request, now or later: bad key, unknown model, too long, refused. */
export class ModelRefused extends Error {
  override name = "ModelRefused";
  readonly code: "server_error" | "rate_limit_exceeded" | "invalid_prompt";

  constructor(code: ModelRefused["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The endpoint is over its limit (429). */
export class ModelBusy extends Error {
  override name = "ModelBusy";
  /** Milliseconds after which the endpoint wants to be asked again, if it said so. */
  readonly retryAfterMs: number | undefined;

  constructor(retryAfterMs: number | undefined, message: string, options?: ErrorOptions) {
    super(message, options);
    this.retryAfterMs = retryAfterMs;
  }
}

/** The endpoint failed: 5xx, no connection, a cut or garbled stream, silence. */
export class ModelFailed extends Error {
  override name = "ModelFailed";
}
