import assert from "node:assert/strict";
import { test } from "node:test";
import { valueFromSchema } from "./from-schema.ts";
import type { JsonSchema } from "./request.ts";

const value = (schema: JsonSchema, text = "", subjects: string[] = []) =>
  valueFromSchema(schema, { text, subjects, fallback: text });
const object = (properties: JsonSchema, required?: string[]) => ({
  type: "object",
  properties,
  ...(required ? { required } : {}),
});
const string = { type: "string" };

test("each type, bound and constant is kept", () => {
  const schema = object({
    a: string,
    b: { type: "integer", minimum: 5 },
    c: { type: "number", maximum: 0.5 },
    d: { type: "boolean" },
    e: { type: "null" },
    f: { enum: ["x", "y"] },
    g: { const: 7 },
    h: { type: "string", format: "date" },
    i: { type: "string", minLength: 4, maxLength: 6 },
    j: { type: ["string", "null"] },
  });
  assert.deepEqual(value(schema, "hi"), {
    a: "hi",
    b: 5,
    c: 0.5,
    d: true,
    e: null,
    f: "x",
    g: 7,
    h: "2025-01-01",
    i: "hi..",
    j: "hi",
  });
});

test("nested objects, arrays and references are filled", () => {
  const schema = {
    ...object({
      list: { type: "array", items: { $ref: "#/$defs/item" }, minItems: 2 },
      one: { anyOf: [{ type: "null" }, { $ref: "#/$defs/item" }] },
    }),
    $defs: { item: object({ n: { type: "integer" } }) },
  };
  assert.deepEqual(value(schema, "take 3"), { list: [{ n: 3 }, { n: 3 }], one: { n: 3 } });
});

test("a schema that contains itself comes to an end", () => {
  const schema = object({ child: { $ref: "#" } });
  assert.ok(JSON.stringify(value(schema)).endsWith("null" + "}".repeat(13)));
  assert.equal(value({ $ref: "#" }), "");
  const tree = {
    $defs: {
      node: object({
        left: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] },
        more: { type: "array", items: { $ref: "#/$defs/node" } },
      }),
    },
    $ref: "#/$defs/node",
  };
  assert.deepEqual((value(tree) as { left: { left: object } }).left.left, {
    left: { left: null, more: [] },
    more: [{ left: null, more: [] }],
  });
});

test("a schema cannot make the value grow without end", () => {
  const names = Array.from({ length: 50 }, (_, n) => [`p${n}`, { $ref: "#" }]);
  const greedy = object({
    list: { type: "array", minItems: 1e9 },
    text: { type: "string", minLength: 1e9 },
    ...Object.fromEntries(names),
  });
  assert.ok(JSON.stringify(value(greedy)).length < 1_000_000);
});

test("optional properties are left out, unless the text names a value of theirs", () => {
  const schema = object({ city: string, unit: { enum: ["celsius", "fahrenheit"] } }, ["city"]);
  assert.deepEqual(value(schema, "", ["Paris"]), { city: "Paris" });
  assert.deepEqual(value(schema, "in Fahrenheit please", ["Paris"]), { city: "Paris", unit: "fahrenheit" });
});

test("a list of strings takes all names, but a list of queries takes the question", () => {
  const list = { type: "array", items: string };
  assert.deepEqual(value(object({ cities: list, queries: list }), "Paris or Rome?", ["Paris", "Rome"]), {
    cities: ["Paris", "Rome"],
    queries: ["Paris or Rome?"],
  });
});

test("a description or a country code is not taken for code", () => {
  assert.deepEqual(value(object({ description: string, country_code: string }), "FR"), {
    description: "FR",
    country_code: "FR",
  });
});

test("code is the block, or the sum, that the text holds", () => {
  const schema = object({ code: string });
  assert.deepEqual(value(schema, "run ```python\nprint(1)\n``` please"), { code: "print(1)\n" });
  assert.deepEqual(value(schema, "what is 12 * (3)? or 12 * 34?"), { code: "print(12 * 34)" });
});
