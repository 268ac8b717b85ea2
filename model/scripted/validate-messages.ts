// The checks that OpenAI makes on the conversation: roles, contents, and that tool calls and tool messages belong
// together. A history that passes here is one that OpenAI itself would accept.
import { badRequest } from "./api-error.ts";
import type { ApiError } from "./api-error.ts";
import { checkName, emptyArray, isSet, missing, notOneOf, stringTooLong, wrongType } from "./complaints.ts";
import { isObject } from "./json.ts";
import type { Json } from "./json.ts";

const MAX_CALL_ID_LENGTH = 40;

/** The types of content part that each role may send. */
const CONTENT_PARTS = new Map<unknown, readonly string[]>([
  ["system", ["text"]],
  ["developer", ["text"]],
  ["user", ["text", "image_url", "input_audio", "file"]],
  ["assistant", ["text", "refusal"]],
  ["tool", ["text"]],
]);

/** Throws the `ApiError` that OpenAI would answer with when it would not accept these messages. */
export function validateMessages(messages: unknown): void {
  if (!isSet(messages)) throw missing("messages");
  if (!Array.isArray(messages)) throw wrongType("messages", "an array of objects", messages);
  if (messages.length === 0) throw emptyArray("messages");
  let unanswered: Set<string> | null = null; // null when no assistant message with calls stands directly before
  for (const [index, message] of messages.entries()) {
    checkMessage(message, `messages[${index}]`);
    if (message.role === "tool") {
      answerCall(message, index, unanswered);
      continue;
    }
    if (unanswered?.size) throw unansweredCalls(unanswered, index);
    unanswered = isSet(message.tool_calls) ? callIds(message.tool_calls, `messages[${index}].tool_calls`) : null;
  }
  if (unanswered?.size) throw unansweredCalls(unanswered, messages.length);
}

function checkMessage(message: unknown, path: string): asserts message is Json {
  if (!isObject(message)) throw wrongType(path, "an object", message);
  const { role } = message;
  const parts = CONTENT_PARTS.get(role);
  if (!parts) throw notOneOf(`${path}.role`, role, [...CONTENT_PARTS.keys()].map(String));
  checkContent(message, parts, `${path}.content`);
  if (isSet(message.tool_calls) && role !== "assistant") {
    throw badRequest(`Unknown parameter: '${path}.tool_calls'.`, `${path}.tool_calls`, "unknown_parameter");
  }
}

function checkContent(message: Json, allowed: readonly string[], path: string): void {
  const { content } = message;
  if (typeof content === "string") return;
  if (!isSet(content)) {
    if (message.role === "assistant" && (isSet(message.tool_calls) || isSet(message.refusal))) return;
    throw badRequest("Invalid value for 'content': expected a string, got null.", path);
  }
  if (!Array.isArray(content)) throw wrongType(path, "one of a string or array of objects", content);
  if (content.length === 0) throw emptyArray(path);
  for (const [index, part] of content.entries()) {
    if (!isObject(part)) throw wrongType(`${path}[${index}]`, "an object", part);
    const type = String(part.type);
    if (!allowed.includes(type)) throw notOneOf(`${path}[${index}].type`, part.type, allowed);
    if (!isSet(part[type])) throw missing(`${path}[${index}].${type}`);
  }
}

function callIds(calls: unknown, path: string): Set<string> {
  if (!Array.isArray(calls)) throw wrongType(path, "an array of objects", calls);
  if (calls.length === 0) throw emptyArray(path);
  const ids = new Set<string>();
  for (const [index, call] of calls.entries()) {
    const id = checkCall(call, `${path}[${index}]`);
    if (ids.has(id)) throw badRequest(`Duplicate value for 'tool_call_id' of '${id}'.`, `${path}[${index}].id`);
    ids.add(id);
  }
  return ids;
}

function checkCall(call: unknown, path: string): string {
  if (!isObject(call)) throw wrongType(path, "an object", call);
  if (typeof call.id !== "string") throw missing(`${path}.id`);
  if (call.id.length > MAX_CALL_ID_LENGTH) throw stringTooLong(`${path}.id`, call.id.length, MAX_CALL_ID_LENGTH);
  if (call.type !== "function") throw notOneOf(`${path}.type`, call.type, ["function"]);
  if (!isObject(call.function)) throw missing(`${path}.function`);
  checkName(call.function.name, `${path}.function.name`);
  const { arguments: args } = call.function;
  if (typeof args !== "string") throw wrongType(`${path}.function.arguments`, "a string", args);
  return call.id;
}

function answerCall({ tool_call_id: id }: Json, index: number, unanswered: Set<string> | null): void {
  const path = `messages.[${index}]`;
  if (typeof id !== "string") {
    const message = "Missing parameter 'tool_call_id': messages with role 'tool' must have a 'tool_call_id'.";
    throw badRequest(message, `${path}.tool_call_id`);
  }
  if (!unanswered) {
    const message = "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."; // their spelling
    throw badRequest(`Invalid parameter: ${message}`, `${path}.role`);
  }
  if (!unanswered.delete(id)) {
    const message = `'tool_call_id' of '${id}' not found in 'tool_calls' of previous message.`;
    throw badRequest(`Invalid parameter: ${message}`, `${path}.tool_call_id`);
  }
}

function unansweredCalls(ids: Set<string>, index: number): ApiError {
  return badRequest(
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. " +
      `The following tool_call_ids did not have response messages: ${[...ids].join(", ")}`,
    `messages.[${index}].role`,
  );
}
