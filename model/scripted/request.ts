// The part of a chat-completions request that the scripted model reads, once validate.ts has checked it.
import type { Json } from "./json.ts";

export type ToolCall = { id: string; type: "function"; function: { name: string; arguments: string } };
export type ContentPart = { type: string; text?: string; refusal?: string };

export type ChatMessage = {
  role: "system" | "developer" | "user" | "assistant" | "tool";
  content?: string | ContentPart[] | null;
  tool_calls?: ToolCall[] | null;
  tool_call_id?: string;
};

/** A JSON Schema, or what a client sent in its place. */
export type JsonSchema = Json;

export type ChatTool = {
  type: "function";
  function: { name: string; description?: string | null; parameters?: JsonSchema | null };
};

export type ChatRequest = {
  model: string;
  messages: ChatMessage[];
  stream?: boolean | null;
  stream_options?: { include_usage?: boolean } | null;
  tools?: ChatTool[] | null;
  tool_choice?: "auto" | "none" | "required" | { type: "function"; function: { name: string } } | null;
  parallel_tool_calls?: boolean | null;
  response_format?: {
    type: "text" | "json_object" | "json_schema";
    json_schema?: { name: string; schema: JsonSchema };
  } | null;
  max_tokens?: number | null;
  max_completion_tokens?: number | null;
};

/** The text of a message, its text parts joined by newlines. Never throws, so it may see unchecked messages. */
export function textOf(message: Pick<ChatMessage, "content">): string {
  const { content } = message;
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part) => (typeof part?.text === "string" ? part.text : "")).join("\n");
}

/** Where the newest user message is, or -1. */
export function newestUserIndex(messages: ChatMessage[]): number {
  return messages.findLastIndex((message) => message.role === "user");
}
