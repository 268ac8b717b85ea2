// A JSON Schema of the client's, for a function's parameters or for an answer. It is kept as it came; only its nesting
// is bounded.
import { AnyObject } from "./any-object.ts";
import { MAX_SCHEMA_DEPTH } from "./limits.ts";

export const JsonSchema = AnyObject.superRefine((schema, context) => {
  if (nestsDeeperThan(schema, MAX_SCHEMA_DEPTH)) {
    context.addIssue({
      code: "custom",
      message: `Invalid '{path}': the schema is nested deeper than ${MAX_SCHEMA_DEPTH} levels.`,
      params: { code: "invalid_value" },
    });
  }
});

function nestsDeeperThan(root: unknown, levels: number): boolean {
  const open: { value: unknown; depth: number }[] = [{ value: root, depth: 1 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next.value !== "object" || next.value === null) continue;
    if (next.depth > levels) return true;
    for (const value of Object.values(next.value)) open.push({ value, depth: next.depth + 1 });
  }
  return false;
}
