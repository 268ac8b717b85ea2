import assert from "node:assert/strict";
import { test } from "node:test";
import { requireFunctionTools } from "./response-format.ts";

test("an answer that must be JSON goes with functions only", () => {
  const text =
    /^ApiError: Invalid tools: all tools must be of type `function` when `response_format` is of type `json_object`\.$/;
  assert.throws(() => requireFunctionTools([{ type: "code_interpreter" }], { type: "json_object" }), text);
  requireFunctionTools([{ type: "code_interpreter" }], "auto");
  requireFunctionTools([{ type: "code_interpreter" }], { type: "text" });
  requireFunctionTools([], { type: "json_object" });
});
