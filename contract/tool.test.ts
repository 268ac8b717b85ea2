import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Tool, ToolsInput } from "./tool.ts";
import { parse } from "./validation.ts";

/** What is stored of one tool that a client sent. */
function stored(tool: unknown): Tool {
  return parse(Tool, JSON.parse(JSON.stringify(parse(ToolsInput, [tool])[0])));
}

describe("the stored form of a tool", () => {
  test("fills in what a function leaves out", () => {
    assert.deepEqual(stored({ type: "function", function: { name: "f" } }), {
      type: "function",
      function: { name: "f", parameters: { type: "object", properties: {} }, strict: false },
    });
  });

  test("keeps a function's parameters as they came, in their order and with unknown keywords", () => {
    const parameters = { $schema: "x", type: "object", properties: { z: { type: "string" }, a: { enum: [1, null] } } };
    const tool = stored({ type: "function", function: { name: "f", parameters, strict: null } });
    assert.ok(tool.type === "function");
    assert.equal(JSON.stringify(tool.function.parameters), JSON.stringify(parameters));
  });

  test("shows the ranking of file search, and the number of results only if it was given", () => {
    const ranking_options = { ranker: "default_2024_08_21", score_threshold: 0, hybrid_search: null };
    assert.deepEqual(stored({ type: "file_search" }), { type: "file_search", file_search: { ranking_options } });
    assert.deepEqual(stored({ type: "file_search", file_search: { max_num_results: 5 } }), {
      type: "file_search",
      file_search: { max_num_results: 5, ranking_options },
    });
  });
});
