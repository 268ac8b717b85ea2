// The table is complete: every field of every schema has a row, and every row names a field that there is.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { z } from "zod";
import { contractRows, lifeRows, routeRows } from "./all-rows.ts";
import { walkSchema } from "./schema-fields.ts";
import type { Side } from "./schema-fields.ts";
import { MODULES, REQUESTS, RESPONSES } from "./schemas.ts";
import { WAITING_ROWS } from "./waiting-rows.ts";

const rows = [...routeRows, ...lifeRows];

/** Of a schema, what the rows name. */
function coveredFields(schema: string): Set<string> {
  const fields = rows.flatMap((row) => row.covers ?? []);
  return new Set(fields.filter((field) => field.schema === schema).map(({ path }) => path));
}

function compare(schemas: Record<string, z.ZodType>, side: Side): void {
  for (const [name, schema] of Object.entries(schemas)) {
    test(`every field of ${name} has a row, and every row a field`, () => {
      const { paths } = walkSchema(schema, side);
      const covered = coveredFields(name);
      assert.ok(paths.size > 0);
      assert.deepEqual(without(paths, covered), [], "fields without a row");
      assert.deepEqual(without(covered, paths), [], "rows without a field");
    });
  }
}

const without = (some: Set<string>, others: Set<string>): string[] => [...some].filter((path) => !others.has(path));

describe("requests", () => compare(REQUESTS, "input"));
describe("answers", () => compare(RESPONSES, "output"));

test("no schema of the contract is left out", () => {
  const met = new Set([
    ...Object.values(REQUESTS).flatMap((schema) => [...walkSchema(schema, "input").met]),
    ...Object.values(RESPONSES).flatMap((schema) => [...walkSchema(schema, "output").met]),
  ]);
  const leftOut = Object.entries(MODULES).flatMap(([module, exported]) =>
    Object.entries(exported)
      .filter(([, value]) => value instanceof z.ZodObject && !met.has(value))
      .map(([name]) => `${module}.${name}`),
  );
  assert.deepEqual(leftOut, []);
});

test("every row has an id of its own, a title, a source and something that is tried", () => {
  const all = contractRows();
  const ids = all.map(({ id }) => id);
  assert.deepEqual(
    ids.filter((id, index) => ids.indexOf(id) !== index),
    [],
  );
  for (const { id, source, title } of all) assert.ok(id !== "" && source !== "" && title !== "", id);
  for (const row of rows) assert.ok(row.cases.length > 0, row.id);
});

test("every row that waits for a part is a row", () => {
  const ids = new Set(contractRows().map(({ id }) => id));
  assert.deepEqual(
    [...WAITING_ROWS.keys()].filter((id) => !ids.has(id)),
    [],
  );
});
