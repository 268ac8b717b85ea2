import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Tool, requireFunctionTools, resolveToolResources } from "./tool.ts";
import { parse } from "./validation.ts";

const interpreter = { type: "code_interpreter" as const };
const files = { code_interpreter: { file_ids: ["file-A"] } };
const stores = { file_search: { vector_store_ids: ["vs_A"] } };

describe("the stored form of a tool", () => {
  test("fills in what a function leaves out", () => {
    assert.deepEqual(JSON.parse(JSON.stringify(parse(Tool, { type: "function", function: { name: "f" } }))), {
      type: "function",
      function: { name: "f", parameters: { type: "object", properties: {} }, strict: false },
    });
  });

  test("keeps a function's parameters as they came, in their order and with unknown keywords", () => {
    const parameters = { $schema: "x", type: "object", properties: { z: { type: "string" }, a: { enum: [1, null] } } };
    const tool = parse(Tool, { type: "function", function: { name: "f", parameters, strict: null } });
    assert.equal(
      JSON.stringify((tool as { function: { parameters: unknown } }).function.parameters),
      JSON.stringify(parameters),
    );
  });

  test("shows the ranking of file search, and the number of results only if it was given", () => {
    const ranking_options = { ranker: "default_2024_08_21", score_threshold: 0, hybrid_search: null };
    const stored = (tool: unknown) => JSON.parse(JSON.stringify(parse(Tool, tool)));
    assert.deepEqual(stored({ type: "file_search" }), { type: "file_search", file_search: { ranking_options } });
    assert.deepEqual(stored({ type: "file_search", file_search: { max_num_results: 5 } }), {
      type: "file_search",
      file_search: { max_num_results: 5, ranking_options },
    });
  });
});

describe("tool resources", () => {
  test("are empty where nothing was configured", () => {
    assert.deepEqual(resolveToolResources(undefined, []), {});
    assert.deepEqual(resolveToolResources({ code_interpreter: null, file_search: null }, []), {});
  });

  test("have a list of files as soon as there is a code interpreter", () => {
    assert.deepEqual(resolveToolResources(null, [interpreter]), { code_interpreter: { file_ids: [] } });
  });

  test("are stored without the tools that would use them", () => {
    assert.deepEqual(resolveToolResources({ ...files, ...stores }, []), { ...files, ...stores });
  });

  test("are replaced list by list", () => {
    const change = { code_interpreter: { file_ids: ["file-B"] } };
    assert.deepEqual(resolveToolResources(change, [], { ...files, ...stores }), { ...change, ...stores });
  });

  test("stay when a list is not given", () => {
    const current = { ...files, ...stores };
    assert.deepEqual(resolveToolResources({ code_interpreter: {}, file_search: null }, [], current), current);
  });

  test("can be emptied", () => {
    assert.deepEqual(resolveToolResources({ code_interpreter: { file_ids: [] } }, [], files), {
      code_interpreter: { file_ids: [] },
    });
  });

  test("take store ids or a store to be made, not both", () => {
    assert.throws(
      () =>
        resolveToolResources({ file_search: { vector_store_ids: ["vs_A"], vector_stores: [{ file_ids: [] }] } }, []),
      /'vector_store_ids' and 'vector_stores' are mutually exclusive/,
    );
  });

  test("refuse a store with files while there are no vector stores", () => {
    const withFiles = { file_search: { vector_stores: [{ file_ids: ["file-A"] }] } };
    assert.throws(() => resolveToolResources(withFiles, []), /this server has no vector stores yet/);
    assert.deepEqual(resolveToolResources({ file_search: { vector_stores: [{}] } }, []), {
      file_search: { vector_store_ids: [] },
    });
  });
});

test("an answer that must be JSON goes with functions only", () => {
  const text =
    /^ApiError: Invalid tools: all tools must be of type `function` when `response_format` is of type `json_object`\.$/;
  assert.throws(() => requireFunctionTools([interpreter], { type: "json_object" }), text);
  requireFunctionTools([interpreter], "auto");
  requireFunctionTools([interpreter], { type: "text" });
  requireFunctionTools([], { type: "json_object" });
});
