import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { ApiError } from "../contract/errors.ts";
import { MAX_FILTER_COMPARISONS, MAX_FILTER_DEPTH } from "../contract/limits.ts";
import { SearchFilter } from "../contract/search-filter.ts";
import { parse } from "../contract/validation.ts";
import { createTestDatabase } from "../test/support/database.ts";
import { holdsForAll } from "../test/support/property.ts";
import { createPool } from "./pool.ts";
import { toFilterPath } from "./search-filter.ts";

const { url, drop } = await createTestDatabase();
const pool = createPool({ url, max: 8, name: "test", onError: () => undefined });
after(async () => {
  await pool.end();
  await drop();
});

type Value = string | number | boolean;
type Attributes = Record<string, Value>;

/** Which of these attributes fit, by the database. */
async function matches(filter: SearchFilter, attributes: readonly Attributes[]): Promise<boolean[]> {
  const { path, values } = toFilterPath(filter);
  const { rows } = await pool.query<{ fits: boolean }>(
    `select jsonb_path_match(attributes::jsonb, $1::text::jsonpath, $2::text::jsonb, true) is true as fits
     from unnest($3::text[]) with ordinality as given (attributes, position) order by position`,
    [path, values, attributes.map((one) => JSON.stringify(one))],
  );
  return rows.map((row) => row.fits);
}

/** The same in plain JavaScript. */
function fits(filter: SearchFilter, attributes: Attributes): boolean {
  if (filter.type === "and") return filter.filters.every((inner) => fits(inner, attributes));
  if (filter.type === "or") return filter.filters.some((inner) => fits(inner, attributes));
  const { type, key, value } = filter as { type: string; key: string; value: Value | Value[] };
  const had = Object.hasOwn(attributes, key) ? attributes[key] : undefined;
  const order = (wanted: Value) => {
    if (had === undefined || typeof had !== typeof wanted) return Number.NaN;
    if (typeof had === "string") return Buffer.compare(Buffer.from(had), Buffer.from(wanted as string));
    return Number(had) - Number(wanted);
  };
  const among = (values: Value[]) => values.some((wanted) => order(wanted) === 0);
  switch (type) {
    case "eq":
      return order(value as Value) === 0;
    case "ne":
      return order(value as Value) !== 0;
    case "gt":
      return order(value as Value) > 0;
    case "gte":
      return order(value as Value) >= 0;
    case "lt":
      return order(value as Value) < 0;
    case "lte":
      return order(value as Value) <= 0;
    case "in":
      return among(value as Value[]);
    default:
      return !among(value as Value[]);
  }
}

// Few keys and values, so that they meet; among them what would mean something in JSON, in a path, or in SQL.
const KEYS = ["a", "b c", 'quo"te', "$.a", "back\\slash", "ä🙂", "__proto__", "'; drop table chunks; --", "*", "1"];
const key = fc.constantFrom(...KEYS);
const word = fc.constantFrom("", "a", "b", "B", "ä", "\uffee", "🙂", "1", "true", 'x"y', "$v0", "null", "\u0001", "aa");
const number = fc.oneof(
  fc.constantFrom(0, -0, 1, 1.5, -1, 1e21, 1e-7, 0.1, 0.30000000000000004, 9007199254740992, 1.7976931348623157e308),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const value: fc.Arbitrary<Value> = fc.oneof(word, number, fc.boolean(), fc.string({ unit: "binary" }).map(storable));
const attributes = fc.dictionary(key, value, { maxKeys: 6 });
const comparison = fc.oneof(
  fc.record({ type: fc.constantFrom("eq", "ne", "gt", "gte", "lt", "lte"), key, value }),
  fc.record({ type: fc.constantFrom("in", "nin"), key, value: fc.array(value, { maxLength: 4 }) }),
);
const filter = fc.letrec((tie) => ({
  filter: fc.oneof({ maxDepth: MAX_FILTER_DEPTH - 1, withCrossShrink: true }, comparison, tie("compound")),
  compound: fc.record({
    type: fc.constantFrom("and", "or"),
    filters: fc.array(tie("filter"), { minLength: 1, maxLength: 3 }),
  }),
})).filter as fc.Arbitrary<SearchFilter>;

function storable(text: string): string {
  return text.replaceAll("\0", "").toWellFormed();
}

test("Postgres finds what plain JavaScript finds", async (t) => {
  const cases = fc.record({ filter, attributes: fc.array(attributes, { minLength: 1, maxLength: 20 }) });
  await holdsForAll({ test: t, cases: 1500, atATime: 8 }, cases, async ({ filter: given, attributes: list }) => {
    const checked = parse(SearchFilter, JSON.parse(JSON.stringify(given)));
    const kept = list.map((one) => JSON.parse(JSON.stringify(one)) as Attributes);
    assert.deepEqual(
      await matches(checked, kept),
      kept.map((one) => fits(checked, one)),
    );
  });
});

test("types are not mixed, and an attribute that is missing is only ever unequal", async () => {
  const all: Attributes[] = [{ a: 1 }, { a: "1" }, { a: true }, {}];
  const of = (given: object) => matches(given as SearchFilter, all);
  assert.deepEqual(await of({ type: "eq", key: "a", value: 1 }), [true, false, false, false]);
  assert.deepEqual(await of({ type: "ne", key: "a", value: 1 }), [false, true, true, true]);
  assert.deepEqual(await of({ type: "gte", key: "a", value: "0" }), [false, true, false, false]);
  assert.deepEqual(await of({ type: "in", key: "a", value: [1, true] }), [true, false, true, false]);
  assert.deepEqual(await of({ type: "nin", key: "a", value: [1, true] }), [false, true, false, true]);
  assert.deepEqual(await of({ type: "in", key: "a", value: [] }), [false, false, false, false]);
  assert.deepEqual(await of({ type: "nin", key: "a", value: [] }), [true, true, true, true]);
});

function nested(levels: number): object {
  const leaf = { type: "eq", key: "a", value: 1 };
  return levels === 1 ? leaf : { type: "and", filters: [nested(levels - 1)] };
}

function refusal(input: unknown): string {
  try {
    parse(SearchFilter, input);
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
  return "taken";
}

test("filters are limited in depth and size, and deep nesting does no harm", () => {
  const leaf = nested(1);
  assert.equal(refusal(nested(MAX_FILTER_DEPTH)), "taken");
  assert.match(refusal(nested(MAX_FILTER_DEPTH + 1)), /nested at most 6 levels deep/);
  assert.match(refusal(nested(5000)), /nested at most 6 levels deep/);
  const wide = (count: number) => ({ type: "or", filters: Array.from({ length: count }, () => leaf) });
  assert.equal(refusal(wide(MAX_FILTER_COMPARISONS)), "taken");
  assert.match(refusal(wide(MAX_FILTER_COMPARISONS + 1)), /array too long/);
  assert.match(refusal({ type: "and", filters: [wide(60), wide(60)] }), /at most 100 comparisons/);
});

for (const [what, input, message] of [
  ["an operator that is none", { type: "like", key: "a", value: "x" }, /Invalid value: 'like'\. Supported values are/],
  ["no operator", { key: "a", value: "x" }, /Missing required parameter: 'type'/],
  ["no key", { type: "eq", value: "x" }, /Missing required parameter: 'key'/],
  ["an empty key", { type: "eq", key: "", value: "x" }, /Invalid 'key': string too short/],
  ["no value", { type: "eq", key: "a" }, /Missing required parameter: 'value'/],
  ["null", { type: "eq", key: "a", value: null }, /Invalid type for 'value'/],
  ["a list for eq", { type: "eq", key: "a", value: ["x"] }, /Invalid type for 'value'/],
  ["a string for in", { type: "in", key: "a", value: "x" }, /Invalid type for 'value': expected an array/],
  ["an object in a list", { type: "in", key: "a", value: [{}] }, /Invalid type for 'value\[0\]'/],
  ["no filters", { type: "and" }, /Missing required parameter: 'filters'/],
  ["an empty list of filters", { type: "or", filters: [] }, /array too short/],
  ["what no filter has", { type: "eq", key: "a", value: 1, boost: 2 }, /Unknown parameter: 'boost'/],
  ["a mistake further in", { type: "and", filters: [{ type: "eq", key: "a" }] }, /'filters\[0\]\.value'/],
  ["a string", "a = 1", /expected/],
] as const) {
  test(`${what} is refused`, () => assert.match(refusal(input), message));
}
