import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { z } from "zod";
import { CreateAssistant } from "./assistant.ts";
import { ApiError } from "./errors.ts";
import { PageQuery } from "./list.ts";
import { CreateMessage } from "./message.ts";
import { CreateRun, CreateThreadAndRun, SubmitToolOutputs } from "./run.ts";
import { CreateThread } from "./thread.ts";
import { parse } from "./validation.ts";
import { SearchVectorStore } from "./vector-store-search.ts";

const assistant = { model: "gpt-4o" };
const message = { role: "user", content: "Hi" };
const run = { assistant_id: "asst_A" };
const functionTool = (definition: unknown) => ({ ...assistant, tools: [{ type: "function", function: definition }] });

interface Refusal {
  message: string;
  param: string | null;
  code: string;
}

function refusalOf(schema: z.ZodType, input: unknown): Refusal {
  try {
    parse(schema, input);
  } catch (error) {
    assert.ok(error instanceof ApiError);
    assert.equal(error.status, 400);
    assert.equal(error.type, "invalid_request_error");
    return { message: error.message, param: error.param, code: error.code ?? "" };
  }
  return assert.fail("nothing was refused");
}

/** One row: what is sent, and what has to come back. */
type Row = [schema: z.ZodType, input: unknown, message: string, param: string | null, code: string];

function table(rows: readonly Row[]): void {
  for (const [schema, input, text, param, code] of rows) {
    test(text.length > 120 ? `${text.slice(0, 120)}…` : text, () => {
      assert.deepEqual(refusalOf(schema, input), { message: text, param, code });
    });
  }
}

describe("the texts that clients were seen to match on", () => {
  table([
    [CreateRun, {}, "Missing required parameter: 'assistant_id'.", "assistant_id", "missing_required_parameter"],
    [
      CreateAssistant,
      { ...assistant, file_ids: [] },
      "Unknown parameter: 'file_ids'.",
      "file_ids",
      "unknown_parameter",
    ],
    [
      CreateMessage,
      { ...message, role: "human" },
      "Invalid value: 'human'. Supported values are: 'user' and 'assistant'.",
      "role",
      "invalid_value",
    ],
    [
      CreateAssistant,
      { ...assistant, tools: [{ type: "retrieval" }] },
      "Invalid value: 'retrieval'. Supported values are: 'code_interpreter', 'function', and 'file_search'.",
      "tools[0].type",
      "invalid_value",
    ],
    [
      CreateRun,
      { assistant_id: "X" },
      "Invalid 'assistant_id': 'X'. Expected an ID that begins with 'asst'.",
      "assistant_id",
      "invalid_value",
    ],
    [
      CreateThread,
      { messages: [{ ...message, attachments: [{ file_id: "X" }] }] },
      "Invalid 'messages[0].attachments[0].file_id': 'X'. Expected an ID that begins with 'file'.",
      "messages[0].attachments[0].file_id",
      "invalid_value",
    ],
    [
      CreateMessage,
      { ...message, attachments: Array(22).fill({ file_id: "file-A" }) },
      "Invalid 'attachments': array too long. Expected an array with maximum length 20, but got an array with length 22 instead.",
      "attachments",
      "array_above_max_length",
    ],
    [
      CreateMessage,
      { ...message, content: [] },
      "Invalid 'content': array too short. Expected an array with minimum length 1, but got an empty array instead.",
      "content",
      "array_below_min_length",
    ],
    [
      CreateMessage,
      { ...message, content: "x".repeat(256_001) },
      "Invalid 'content': string too long. Expected a string with maximum length 256000, but got a string with length 256001 instead.",
      "content",
      "string_above_max_length",
    ],
    [
      SubmitToolOutputs,
      { tool_outputs: [{ output: "" }, {}, { tool_call_id: "call_A", output: "x".repeat(1_048_577) }] },
      "Invalid 'tool_outputs[2].output': string too long. Expected a string with maximum length 1048576, but got a string with length 1048577 instead.",
      "tool_outputs[2].output",
      "string_above_max_length",
    ],
    [
      PageQuery,
      { limit: "101" },
      "Invalid 'limit': integer above maximum value. Expected a value <= 100, but got 101 instead.",
      "limit",
      "integer_above_max_value",
    ],
    [
      CreateRun,
      { ...run, max_prompt_tokens: 1 },
      "Invalid 'max_prompt_tokens': integer below minimum value. Expected a value >= 256, but got 1 instead.",
      "max_prompt_tokens",
      "integer_below_min_value",
    ],
    [
      CreateAssistant,
      { ...assistant, temperature: 2.5 },
      "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 2.5 instead.",
      "temperature",
      "decimal_above_max_value",
    ],
    [
      CreateAssistant,
      { ...assistant, top_p: -1 },
      "Invalid 'top_p': decimal below minimum value. Expected a value >= 0, but got -1 instead.",
      "top_p",
      "decimal_below_min_value",
    ],
    [
      CreateAssistant,
      { ...assistant, tools: "x" },
      "Invalid type for 'tools': expected an array of objects, but got a string instead.",
      "tools",
      "invalid_type",
    ],
  ]);
});

describe("other values that do not fit", () => {
  table([
    [
      CreateAssistant,
      [],
      "Invalid type for the request body: expected an object, but got an array instead.",
      null,
      "invalid_type",
    ],
    [
      CreateAssistant,
      null,
      "Invalid type for the request body: expected an object, but got null instead.",
      null,
      "invalid_type",
    ],
    [
      CreateAssistant,
      { model: null },
      "Invalid type for 'model': expected a string, but got null instead.",
      "model",
      "invalid_type",
    ],
    [
      CreateAssistant,
      { model: "" },
      "Invalid 'model': string too short. Expected a string with minimum length 1, but got an empty string instead.",
      "model",
      "string_below_min_length",
    ],
    [
      CreateAssistant,
      { ...assistant, tools: [{}] },
      "Missing required parameter: 'tools[0].type'.",
      "tools[0].type",
      "missing_required_parameter",
    ],
    [
      CreateAssistant,
      { ...assistant, tools: [{ type: 5 }] },
      "Invalid type for 'tools[0].type': expected a string, but got an integer instead.",
      "tools[0].type",
      "invalid_type",
    ],
    [
      CreateAssistant,
      { ...assistant, tools: [null] },
      "Invalid type for 'tools[0]': expected an object, but got null instead.",
      "tools[0]",
      "invalid_type",
    ],
    [
      CreateAssistant,
      functionTool({ name: "two words" }),
      "Invalid 'tools[0].function.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
      "tools[0].function.name",
      "invalid_value",
    ],
    [
      CreateAssistant,
      functionTool({ name: "f", parameters: nested(70) }),
      "Invalid 'tools[0].function.parameters': the schema is nested deeper than 64 levels.",
      "tools[0].function.parameters",
      "invalid_value",
    ],
    [
      CreateAssistant,
      { ...assistant, metadata: { a: 1 } },
      "Invalid type for 'metadata.a': expected a string, but got an integer instead.",
      "metadata.a",
      "invalid_type",
    ],
    [
      CreateAssistant,
      { ...assistant, metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, "v"])) },
      "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object with 17 properties instead.",
      "metadata",
      "object_above_max_properties",
    ],
    [
      CreateAssistant,
      { ...assistant, metadata: { ["k".repeat(65)]: "v" } },
      "Invalid 'metadata': property name too long. Expected a name with maximum length 64, but got a name with length 65 instead.",
      "metadata",
      "property_name_above_max_length",
    ],
    [
      CreateAssistant,
      { ...assistant, response_format: { type: "json" } },
      "Invalid value: 'json'. Supported values are: 'text', 'json_object', and 'json_schema'.",
      "response_format.type",
      "invalid_value",
    ],
    [
      CreateAssistant,
      { ...assistant, response_format: 5 },
      "Invalid type for 'response_format': expected one of a string or object, but got an integer instead.",
      "response_format",
      "invalid_type",
    ],
    [
      CreateMessage,
      { role: "user" },
      "Missing required parameter: 'content'.",
      "content",
      "missing_required_parameter",
    ],
    [
      CreateMessage,
      { ...message, content: null },
      "Invalid type for 'content': expected one of a string or array of objects, but got null instead.",
      "content",
      "invalid_type",
    ],
    [
      CreateMessage,
      { ...message, content: [{ type: "text", text: { value: "Hi" } }] },
      "Invalid type for 'content[0].text': expected a string, but got an object instead.",
      "content[0].text",
      "invalid_type",
    ],
    [
      CreateMessage,
      { ...message, content: [{ type: "image_file", image_file: { file_id: "X" } }] },
      "Invalid 'content[0].image_file.file_id': 'X'. Expected an ID that begins with 'file'.",
      "content[0].image_file.file_id",
      "invalid_value",
    ],
    [
      CreateRun,
      { ...run, tool_choice: "always" },
      "Invalid value: 'always'. Supported values are: 'none', 'auto', and 'required'.",
      "tool_choice",
      "invalid_value",
    ],
    [
      CreateRun,
      { ...run, tool_choice: { type: "function" } },
      "Missing required parameter: 'tool_choice.function'.",
      "tool_choice.function",
      "missing_required_parameter",
    ],
    [
      CreateRun,
      { ...run, truncation_strategy: { type: "last_messages" } },
      "Missing required parameter: 'truncation_strategy.last_messages'.",
      "truncation_strategy.last_messages",
      "missing_required_parameter",
    ],
    [
      CreateRun,
      { ...run, max_completion_tokens: 300.5 },
      "Invalid type for 'max_completion_tokens': expected an integer, but got a decimal instead.",
      "max_completion_tokens",
      "invalid_type",
    ],
    [
      CreateRun,
      { ...run, max_completion_tokens: 1e12 },
      "Invalid 'max_completion_tokens': integer above maximum value. Expected a value <= 2147483647, but got 1000000000000 instead.",
      "max_completion_tokens",
      "integer_above_max_value",
    ],
    [
      CreateRun,
      { ...run, temperature: Infinity },
      "Invalid type for 'temperature': expected a decimal, but got a number out of range instead.",
      "temperature",
      "invalid_type",
    ],
    [
      CreateRun,
      { ...run, stream: "yes" },
      "Invalid type for 'stream': expected a boolean, but got a string instead.",
      "stream",
      "invalid_type",
    ],
    [
      CreateThreadAndRun,
      { ...run, thread: { messages: [{ role: "user" }] } },
      "Missing required parameter: 'thread.messages[0].content'.",
      "thread.messages[0].content",
      "missing_required_parameter",
    ],
    [
      CreateThread,
      { tool_resources: { file_search: { vector_store_ids: ["file-A"] } } },
      "Invalid 'tool_resources.file_search.vector_store_ids[0]': 'file-A'. Expected an ID that begins with 'vs'.",
      "tool_resources.file_search.vector_store_ids[0]",
      "invalid_value",
    ],
    [
      CreateThread,
      { tool_resources: { code_interpreter: { file_ids: "file-A" } } },
      "Invalid type for 'tool_resources.code_interpreter.file_ids': expected an array of strings, but got a string instead.",
      "tool_resources.code_interpreter.file_ids",
      "invalid_type",
    ],
    [
      SearchVectorStore,
      { query: 3 },
      "Invalid type for 'query': expected one of a string or array of strings, but got an integer instead.",
      "query",
      "invalid_type",
    ],
    [
      SearchVectorStore,
      { query: "x", filters: { type: "in", key: "year", value: 2024 } },
      "Invalid type for 'filters.value': expected an array, but got an integer instead.",
      "filters.value",
      "invalid_type",
    ],
    [
      SearchVectorStore,
      { query: "x", filters: { type: "eq", key: "year", value: [2024] } },
      "Invalid type for 'filters.value': expected one of a string or decimal or boolean, but got an array instead.",
      "filters.value",
      "invalid_type",
    ],
    [
      PageQuery,
      { order: "up" },
      "Invalid value: 'up'. Supported values are: 'asc' and 'desc'.",
      "order",
      "invalid_value",
    ],
    [
      PageQuery,
      { limit: "ten" },
      "Invalid type for 'limit': expected an integer, but got a string instead.",
      "limit",
      "invalid_type",
    ],
    [
      PageQuery,
      { after: ["a", "b"] },
      "Invalid type for 'after': expected a string, but got an array instead.",
      "after",
      "invalid_type",
    ],
  ]);
});

describe("what clients send although they need not", () => {
  test("null stands for every optional field that is not given", () => {
    const nothing = { tools: null, metadata: null, temperature: null, response_format: null };
    parse(CreateAssistant, { ...assistant, ...nothing, name: null, tool_resources: null });
    parse(CreateThread, {
      messages: null,
      metadata: null,
      tool_resources: { code_interpreter: null, file_search: null },
    });
    parse(CreateMessage, { ...message, attachments: null, metadata: null });
    const limits = {
      max_prompt_tokens: null,
      max_completion_tokens: null,
      truncation_strategy: null,
      tool_choice: null,
    };
    parse(CreateRun, {
      ...run,
      ...nothing,
      ...limits,
      additional_messages: null,
      stream: null,
    });
  });

  test("a tool choice may say that it names no function", () => {
    const { tool_choice } = parse(CreateRun, { ...run, tool_choice: { type: "file_search", function: null } });
    assert.deepEqual(tool_choice, { type: "file_search" });
  });

  test("with automatic truncation a number of messages is left out", () => {
    const { truncation_strategy } = parse(CreateRun, {
      ...run,
      truncation_strategy: { type: "auto", last_messages: 3 },
    });
    assert.deepEqual(truncation_strategy, { type: "auto", last_messages: null });
  });

  test("empty and unknown query parameters are ignored", () => {
    const query = parse(PageQuery, { limit: "", after: "", before: "", "api-version": "2024" });
    assert.deepEqual(query, { limit: 20, order: "desc", after: undefined, before: undefined });
  });
});

test("a client's own words are cut where an error repeats them", () => {
  const { message: text, param } = refusalOf(CreateAssistant, { ...assistant, ["k".repeat(5000)]: 1 });
  assert.ok(text.length < 400 && (param ?? "").length < 300);
  assert.ok(refusalOf(CreateRun, { assistant_id: "x".repeat(5000) }).message.length < 400);
});

test("a placeholder in a client's own words is left alone", () => {
  assert.equal(
    refusalOf(CreateRun, { assistant_id: "{path}$&" }).message,
    "Invalid 'assistant_id': '{path}$&'. Expected an ID that begins with 'asst'.",
  );
});

function nested(depth: number): object {
  return depth === 0 ? {} : { a: nested(depth - 1) };
}
