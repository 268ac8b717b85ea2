// Run steps of tools that nothing makes yet: how they read once they are there.
import assert from "node:assert/strict";
import type { Life } from "./life.ts";
import { rule } from "./row.ts";
import type { Row } from "./row.ts";

interface BuiltIn {
  step_details: { tool_calls: { type: string; file_search?: { results: { content?: unknown }[] } }[] };
}

function resultsOf({ specimens }: Life, moment: string): { content?: unknown }[] {
  const step = specimens.step.find((specimen) => specimen.moment === moment)?.value as unknown as BuiltIn;
  return step.step_details.tool_calls.find(({ type }) => type === "file_search")?.file_search?.results ?? [];
}

export const runStepRows: Row<Life>[] = [
  rule(
    "run-steps.include.without",
    "1.0",
    "results of file_search come without content, unless it is asked for",
    (life) => {
      const results = resultsOf(life, "with built-in tools");
      assert.ok(results.length > 0);
      for (const result of results) assert.ok(!("content" in result), "there is content");
    },
  ),
  rule("run-steps.include.with", "1.0", "include[] adds the content of file_search's results", (life) => {
    const results = resultsOf(life, "with built-in tools and content");
    assert.deepEqual(
      results.map(({ content }) => content),
      [[{ type: "text", text: "chunk" }]],
    );
  }),
];
