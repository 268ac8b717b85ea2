// The checks that OpenAI makes before a model sees a request, with its error texts. Our tests rely on them to prove
// that what is sent upstream would be accepted there: whatever OpenAI refuses in what we can send is refused here.
import type { ChatCompletionCreateParams } from "openai/resources/chat/completions";
import { badRequest } from "./api-error.ts";
import { arrayTooLong, checkName, emptyArray, isSet, missing, notOneOf, outOfRange, wrongType } from "./complaints.ts";
import { isObject } from "./json.ts";
import type { Json } from "./json.ts";
import { textOf } from "./request.ts";
import type { ChatRequest } from "./request.ts";
import { validateMessages } from "./validate-messages.ts";

const MAX_TOOLS = 128;
const TOOL_CHOICES: readonly string[] = ["none", "auto", "required"];
const FORMATS: readonly string[] = ["json_object", "json_schema", "text"];

const RANGES = {
  temperature: { kind: "decimal", minimum: 0, maximum: 2 },
  top_p: { kind: "decimal", minimum: 0, maximum: 1 },
  frequency_penalty: { kind: "decimal", minimum: -2, maximum: 2 },
  presence_penalty: { kind: "decimal", minimum: -2, maximum: 2 },
  max_tokens: { kind: "integer", minimum: 1, maximum: Infinity },
  max_completion_tokens: { kind: "integer", minimum: 1, maximum: Infinity },
  n: { kind: "integer", minimum: 1, maximum: 1 }, // ours: there is one scripted answer
};

/** Every parameter that OpenAI knows; the compiler tells when the official client learns a new one. */
const PARAMETERS: Record<keyof ChatCompletionCreateParams, true> = {
  audio: true,
  frequency_penalty: true,
  function_call: true,
  functions: true,
  logit_bias: true,
  logprobs: true,
  max_completion_tokens: true,
  max_tokens: true,
  messages: true,
  metadata: true,
  modalities: true,
  model: true,
  moderation: true,
  n: true,
  parallel_tool_calls: true,
  prediction: true,
  presence_penalty: true,
  prompt_cache_key: true,
  prompt_cache_options: true,
  prompt_cache_retention: true,
  reasoning_effort: true,
  response_format: true,
  safety_identifier: true,
  seed: true,
  service_tier: true,
  stop: true,
  store: true,
  stream: true,
  stream_options: true,
  temperature: true,
  tool_choice: true,
  tools: true,
  top_logprobs: true,
  top_p: true,
  user: true,
  verbosity: true,
  web_search_options: true,
};

/** Returns the request, typed, when OpenAI would accept it. Throws the `ApiError` that OpenAI would answer with. */
export function validateRequest(body: unknown): ChatRequest {
  if (!isObject(body)) throw badRequest("Invalid type for the body: expected an object.", null, "invalid_type");
  for (const name of Object.keys(body)) {
    if (!Object.hasOwn(PARAMETERS, name)) throw badRequest(`Unrecognized request argument supplied: ${name}`, null);
  }
  if (typeof body.model !== "string" || body.model === "") throw badRequest("you must provide a model parameter", null);
  validateMessages(body.messages);
  checkNumbers(body);
  checkOptions(body);
  checkTools(body.tools);
  checkToolChoice(body);
  checkResponseFormat(body);
  return body as ChatRequest;
}

function checkNumbers(body: Json): void {
  for (const [name, range] of Object.entries(RANGES)) {
    const value = body[name];
    if (!isSet(value)) continue;
    if (typeof value !== "number") throw wrongType(name, `a ${range.kind}`, value);
    if (range.kind === "integer" && !Number.isInteger(value)) throw wrongType(name, "an integer", value);
    if (value < range.minimum || value > range.maximum) throw outOfRange(name, value, range);
  }
}

function checkOptions(body: Json): void {
  if (isSet(body.stream) && typeof body.stream !== "boolean") throw wrongType("stream", "a boolean", body.stream);
  if (isSet(body.stream_options) && body.stream !== true) {
    throw badRequest("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options");
  }
  if (isSet(body.metadata) && body.store !== true) {
    throw badRequest("The 'metadata' parameter is only allowed when 'store' is enabled.", "metadata");
  }
  if (isSet(body.max_tokens) && isSet(body.max_completion_tokens)) {
    const message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.";
    throw badRequest(message, "max_tokens", "invalid_parameter_combination");
  }
}

function checkTools(tools: unknown): void {
  if (!isSet(tools)) return;
  if (!Array.isArray(tools)) throw wrongType("tools", "an array of objects", tools);
  if (tools.length === 0) throw emptyArray("tools");
  if (tools.length > MAX_TOOLS) throw arrayTooLong("tools", tools.length, MAX_TOOLS);
  for (const [index, tool] of tools.entries()) {
    const path = `tools[${index}]`;
    if (!isObject(tool)) throw wrongType(path, "an object", tool);
    if (tool.type !== "function") throw notOneOf(`${path}.type`, tool.type, ["function"]);
    if (!isObject(tool.function)) throw missing(`${path}.function`);
    checkName(tool.function.name, `${path}.function.name`);
    checkParameters(tool.function.name, tool.function.parameters, `${path}.function.parameters`);
  }
}

function checkParameters(name: string, parameters: unknown, path: string): void {
  if (!isSet(parameters)) return;
  if (!isObject(parameters)) throw wrongType(path, "an object", parameters);
  const { type, properties } = parameters;
  const problem =
    type !== "object"
      ? `schema must be a JSON Schema of 'type: "object"', got 'type: "${typeof type === "string" ? type : "None"}"'.`
      : isObject(properties)
        ? null
        : "In context=(), object schema missing properties.";
  if (problem === null) return;
  throw badRequest(`Invalid schema for function '${name}': ${problem}`, path, "invalid_function_parameters");
}

function checkToolChoice({ tools, tool_choice, parallel_tool_calls }: Json): void {
  for (const [name, value] of Object.entries({ tool_choice, parallel_tool_calls })) {
    if (!isSet(value) || isSet(tools)) continue;
    throw badRequest(`Invalid value for '${name}': '${name}' is only allowed when 'tools' are specified.`, name);
  }
  if (!isSet(tool_choice)) return;
  if (!isObject(tool_choice)) {
    if (typeof tool_choice === "string" && TOOL_CHOICES.includes(tool_choice)) return;
    throw notOneOf("tool_choice", tool_choice, TOOL_CHOICES);
  }
  if (tool_choice.type !== "function") throw notOneOf("tool_choice.type", tool_choice.type, ["function"]);
  const name = isObject(tool_choice.function) ? tool_choice.function.name : undefined;
  checkName(name, "tool_choice.function.name");
  if ((tools as ChatRequest["tools"])?.some((tool) => tool.function.name === name)) return;
  const problem = `no function named '${name}' was specified in the 'tools' parameter.`;
  throw badRequest(`Invalid value for 'tool_choice': ${problem}`, "tool_choice");
}

function checkResponseFormat({ response_format: format, messages }: Json): void {
  if (!isSet(format)) return;
  if (!isObject(format)) throw wrongType("response_format", "an object", format);
  if (!FORMATS.includes(String(format.type))) throw notOneOf("response_format.type", format.type, FORMATS);
  const speaksOfJson = () => (messages as ChatRequest["messages"]).some((message) => /json/i.test(textOf(message)));
  if (format.type === "json_object" && !speaksOfJson()) {
    const problem = "must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.";
    throw badRequest(`'messages' ${problem}`, "messages");
  }
  if (format.type !== "json_schema") return;
  const path = "response_format.json_schema";
  if (!isObject(format.json_schema)) throw missing(path);
  checkName(format.json_schema.name, `${path}.name`);
  if (!isObject(format.json_schema.schema)) throw missing(`${path}.schema`);
}
