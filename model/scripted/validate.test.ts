import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "./api-error.ts";
import { validateRequest } from "./validate.ts";

const user = { role: "user", content: "hello" };
const call = (id: string, name = "f") => ({ id, type: "function", function: { name, arguments: "{}" } });
const calls = (...ids: string[]) => ({ role: "assistant", content: null, tool_calls: ids.map((id) => call(id)) });
const output = (tool_call_id: string) => ({ role: "tool", tool_call_id, content: "1" });
const tool = (name: string, parameters: object = { type: "object", properties: {} }) => ({
  type: "function",
  function: { name, parameters },
});
const request = (messages: unknown, more: object = {}) => ({ model: "m", messages, ...more });
const schema = (json_schema: object) => request([user], { response_format: { type: "json_schema", json_schema } });

const ACCEPTED: Record<string, object> = {
  "calls that are answered in another order": request([user, calls("a", "b"), output("b"), output("a"), user]),
  "two rounds of calls": request([user, calls("a"), output("a"), calls("b"), output("b")]),
  "text beside calls": request([user, { ...calls("a"), content: "let me see" }, output("a")]),
  "content in parts": request([
    {
      role: "user",
      content: [
        { type: "text", text: "" },
        { type: "image_url", image_url: { url: "x" } },
      ],
    },
  ]),
  "nulls for what was not given": request([user], {
    tools: null,
    tool_choice: null,
    max_tokens: null,
    stream_options: null,
    response_format: null,
  }),
  "a function without parameters": request([user], {
    tools: [{ type: "function", function: { name: "f" } }],
    tool_choice: { type: "function", function: { name: "f" } },
  }),
  "a schema with its name": schema({ name: "answer", schema: { type: "object" } }),
  "JSON mode when JSON is asked for": request([{ role: "system", content: "Answer in JSON." }, user], {
    response_format: { type: "json_object" },
  }),
};

for (const [what, body] of Object.entries(ACCEPTED)) {
  test(`OpenAI accepts ${what}`, () => {
    assert.equal(validateRequest(body), body);
  });
}

const UNANSWERED =
  "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ";
const STRAY =
  "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.";

const REFUSED: [what: string, body: unknown, message: string, param: string | null, code?: string][] = [
  ["no messages", { model: "m" }, "Missing required parameter: 'messages'.", "messages", "missing_required_parameter"],
  ["no model", { messages: [user] }, "you must provide a model parameter", null],
  [
    "an empty list of messages",
    request([]),
    "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
    "messages",
    "empty_array",
  ],
  [
    "an unknown parameter",
    request([user], { thread_id: "t" }),
    "Unrecognized request argument supplied: thread_id",
    null,
  ],
  [
    "an unknown role",
    request([{ role: "owner", content: "x" }]),
    "Invalid value: 'owner'. Supported values are: 'system', 'developer', 'user', 'assistant', 'tool'.",
    "messages[0].role",
    "invalid_value",
  ],
  [
    "an image from the assistant",
    request([{ role: "assistant", content: [{ type: "image_url", image_url: {} }] }]),
    "Invalid value: 'image_url'. Supported values are: 'text', 'refusal'.",
    "messages[0].content[0].type",
    "invalid_value",
  ],
  [
    "an assistant message that says nothing",
    request([user, { role: "assistant", content: null }]),
    "Invalid value for 'content': expected a string, got null.",
    "messages[1].content",
  ],
  ["a call that is not answered", request([user, calls("a")]), `${UNANSWERED}a`, "messages.[2].role"],
  [
    "a user message between a call and its output",
    request([user, calls("a"), user, output("a")]),
    `${UNANSWERED}a`,
    "messages.[2].role",
  ],
  [
    "one of two calls answered",
    request([user, calls("a", "b"), output("a"), user]),
    `${UNANSWERED}b`,
    "messages.[3].role",
  ],
  ["an output without a call", request([user, output("a")]), STRAY, "messages.[1].role"],
  [
    "an output after the user spoke",
    request([user, calls("a"), output("a"), user, output("a")]),
    STRAY,
    "messages.[4].role",
  ],
  [
    "an output for another call",
    request([user, calls("a"), output("b")]),
    "Invalid parameter: 'tool_call_id' of 'b' not found in 'tool_calls' of previous message.",
    "messages.[2].tool_call_id",
  ],
  [
    "a call answered twice",
    request([user, calls("a"), output("a"), output("a")]),
    "Invalid parameter: 'tool_call_id' of 'a' not found in 'tool_calls' of previous message.",
    "messages.[3].tool_call_id",
  ],
  [
    "an output that names no call",
    request([user, calls("a"), { role: "tool", content: "1" }]),
    "Missing parameter 'tool_call_id': messages with role 'tool' must have a 'tool_call_id'.",
    "messages.[2].tool_call_id",
  ],
  [
    "two calls of one id",
    request([user, calls("a", "a"), output("a")]),
    "Duplicate value for 'tool_call_id' of 'a'.",
    "messages[1].tool_calls[1].id",
  ],
  [
    "an empty list of calls",
    request([user, { role: "assistant", content: "x", tool_calls: [] }]),
    "Invalid 'messages[1].tool_calls': empty array. Expected an array with minimum length 1, but got an empty array instead.",
    "messages[1].tool_calls",
    "empty_array",
  ],
  [
    "a call with a long id",
    request([user, calls("x".repeat(41))]),
    "Invalid 'messages[1].tool_calls[0].id': string too long. Expected a string with maximum length 40, but got a string with length 41 instead.",
    "messages[1].tool_calls[0].id",
    "string_above_max_length",
  ],
  [
    "a tool with a space in its name",
    request([user], { tools: [tool("get weather")] }),
    "Invalid 'tools[0].function.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
    "tools[0].function.name",
    "invalid_value",
  ],
  [
    "a tool with a long name",
    request([user], { tools: [tool("x".repeat(65))] }),
    "Invalid 'tools[0].function.name': string too long. Expected a string with maximum length 64, but got a string with length 65 instead.",
    "tools[0].function.name",
    "string_above_max_length",
  ],
  [
    "a built-in tool of the Assistants API",
    request([user], { tools: [{ type: "file_search" }] }),
    "Invalid value: 'file_search'. Supported values are: 'function'.",
    "tools[0].type",
    "invalid_value",
  ],
  [
    "a tool whose schema has no properties",
    request([user], { tools: [tool("f", { type: "object" })] }),
    "Invalid schema for function 'f': In context=(), object schema missing properties.",
    "tools[0].function.parameters",
    "invalid_function_parameters",
  ],
  [
    "a choice without tools",
    request([user], { tool_choice: "auto" }),
    "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
    "tool_choice",
  ],
  [
    "parallel calls without tools",
    request([user], { parallel_tool_calls: false }),
    "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified.",
    "parallel_tool_calls",
  ],
  [
    "the choice of an absent tool",
    request([user], { tools: [tool("f")], tool_choice: { type: "function", function: { name: "g" } } }),
    "Invalid value for 'tool_choice': no function named 'g' was specified in the 'tools' parameter.",
    "tool_choice",
  ],
  [
    "a schema without a name",
    schema({ schema: {} }),
    "Missing required parameter: 'response_format.json_schema.name'.",
    "response_format.json_schema.name",
    "missing_required_parameter",
  ],
  [
    "a schema without a schema",
    schema({ name: "x" }),
    "Missing required parameter: 'response_format.json_schema.schema'.",
    "response_format.json_schema.schema",
    "missing_required_parameter",
  ],
  [
    "JSON mode when nobody asks for JSON",
    request([user], { response_format: { type: "json_object" } }),
    "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
    "messages",
  ],
  [
    "stream options without a stream",
    request([user], { stream_options: {} }),
    "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
    "stream_options",
  ],
  [
    "metadata that is not stored",
    request([user], { metadata: {} }),
    "The 'metadata' parameter is only allowed when 'store' is enabled.",
    "metadata",
  ],
  [
    "no room for an answer",
    request([user], { max_completion_tokens: 0 }),
    "Invalid 'max_completion_tokens': integer below minimum value. Expected a value >= 1, but got 0 instead.",
    "max_completion_tokens",
    "integer_below_min_value",
  ],
  [
    "both names of the token limit",
    request([user], { max_tokens: 1, max_completion_tokens: 1 }),
    "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
    "max_tokens",
    "invalid_parameter_combination",
  ],
  [
    "a temperature above 2",
    request([user], { temperature: 2.5 }),
    "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 2.5 instead.",
    "temperature",
    "decimal_above_max_value",
  ],
];

for (const [what, body, message, param, code = null] of REFUSED) {
  test(`OpenAI refuses ${what}`, () => {
    assert.throws(
      () => validateRequest(body),
      (error) => {
        assert.ok(error instanceof ApiError);
        assert.equal(error.status, 400);
        assert.deepEqual(error.body, { error: { message, type: "invalid_request_error", param, code } });
        return true;
      },
    );
  });
}

test("whatever is sent, the check ends in a request or in an ApiError", () => {
  for (const body of [
    request([{ role: "constructor", content: "x" }]),
    undefined,
    null,
    3,
    "x",
    [],
    {},
    request(3),
    request([null]),
    request([user], { tools: [null] }),
    request([user], { response_format: 1 }),
  ]) {
    assert.throws(() => validateRequest(body), ApiError);
  }
});
