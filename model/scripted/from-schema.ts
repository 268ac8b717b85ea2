// Makes up a value that satisfies a simple JSON Schema, out of the words of a text. The demo uses it for the arguments
// of tool calls and for structured answers. Pure; what a schema says beyond types, enums and bounds is not looked at.
import { isObject } from "./json.ts";
import type { JsonSchema } from "./request.ts";

const MAX_HOPS = 12;
const MAX_DEPTH = 12;
const MAX_VALUES = 1000;
const MAX_LENGTH = 1000;
/** From here on, whatever may be empty is: a schema may contain itself. */
const DEEP = 3;
const EXAMPLE_DATE = "2025-01-01";

/** What the value may speak of. */
export type Hints = {
  /** What the user wrote. */
  text: string;
  /** Places and other names in the text. */
  subjects: string[];
  /** For strings of which nothing better is known. */
  fallback: string;
};

/** A value for the schema. Optional properties are left out, unless the text names one of their enum's values. */
export function valueFromSchema(schema: JsonSchema, hints: Hints): unknown {
  return fill(schema, { ...hints, root: schema, name: "", depth: 0, budget: { left: MAX_VALUES } });
}

type Spot = Hints & { root: JsonSchema; name: string; depth: number; budget: { left: number } };

function fill(given: JsonSchema, spot: Spot): unknown {
  if (spot.depth > MAX_DEPTH || spot.budget.left-- <= 0 || (spot.depth > DEEP && allowsNull(given))) return null;
  const schema = resolve(given, spot.root);
  if ("const" in schema) return schema.const;
  if (Array.isArray(schema.enum)) return mentioned(schema.enum, spot.text) ?? schema.enum[0];
  if ("default" in schema) return schema.default;
  switch (typeOf(schema)) {
    case "object":
      return fillObject(schema, spot);
    case "array":
      return fillArray(schema, spot);
    case "string":
      return fillString(schema, spot);
    case "integer":
    case "number":
      return fillNumber(schema, spot);
    case "boolean":
      return true;
    default:
      return null;
  }
}

function fillObject(schema: JsonSchema, spot: Spot): JsonSchema {
  const properties = Object.entries(isObject(schema.properties) ? schema.properties : {}).map(
    ([name, property]) => [name, isObject(property) ? property : {}] as const,
  );
  const required = Array.isArray(schema.required) && schema.required.length > 0 ? schema.required : null;
  const isWanted = (name: string, property: JsonSchema) =>
    required === null ||
    required.includes(name) ||
    (Array.isArray(property.enum) && mentioned(property.enum, spot.text) !== undefined);
  return Object.fromEntries(
    properties
      .filter(([name, property]) => isWanted(name, resolve(property, spot.root)))
      .map(([name, property]) => [name, fill(property, { ...spot, name, depth: spot.depth + 1 })]),
  );
}

function fillArray(schema: JsonSchema, spot: Spot): unknown[] {
  const items = isObject(schema.items) ? schema.items : { type: "string" };
  const least = Math.min(numberOr(schema.minItems, spot.depth > DEEP ? 0 : 1), MAX_LENGTH);
  if (least === 0 && spot.depth > DEEP) return [];
  const most = numberOr(schema.maxItems, Infinity);
  const isOfSubjects =
    typeOf(resolve(items, spot.root)) === "string" && !ASKS_FOR_TEXT.test(spot.name) && spot.subjects.length > 0;
  const perItem = isOfSubjects ? spot.subjects.map((subject) => [subject]) : [spot.subjects];
  while (perItem.length < least) perItem.push(perItem[0] ?? []);
  return perItem.slice(0, most).map((subjects) => fill(items, { ...spot, subjects, depth: spot.depth + 1 }));
}

const ASKS_FOR_TEXT = /quer|question|prompt|search|text|message|input|answer|summary|reason/i;
const ASKS_FOR_CODE = /^(?:code|script|source|program)$|python/i;
const FORMATS = new Map<unknown, string>([
  ["date", EXAMPLE_DATE],
  ["date-time", `${EXAMPLE_DATE}T12:00:00Z`],
  ["time", "12:00:00Z"],
  ["email", "someone@example.com"],
  ["uri", "https://example.com/"],
  ["uuid", "00000000-0000-4000-8000-000000000000"],
]);

function fillString(schema: JsonSchema, { name, text, subjects, fallback }: Spot): string {
  const fixed = FORMATS.get(schema.format);
  if (fixed !== undefined) return fixed;
  const words = ASKS_FOR_CODE.test(name)
    ? codeFrom(text)
    : ASKS_FOR_TEXT.test(name)
      ? fallback
      : (subjects[0] ?? fallback);
  return words
    .slice(0, numberOr(schema.maxLength, Infinity))
    .padEnd(Math.min(numberOr(schema.minLength, 0), MAX_LENGTH), ".");
}

/** The code block in the text, or the sum it asks for, or a greeting. */
function codeFrom(text: string): string {
  const [, block, closed] = text.split("```");
  if (block !== undefined && closed !== undefined) return block.replace(/^\w*\n/, "");
  const sum = /\d[\d\s.]*(?:(?:\*\*|[-+*/%])\s*[\d.]+\s*)+/.exec(text)?.[0].trim();
  return sum === undefined ? 'print("hello from the scripted demo model")' : `print(${sum})`;
}

function fillNumber(schema: JsonSchema, { text }: Spot): number {
  const written = /-?\d+(?:\.\d+)?/.exec(text)?.[0];
  const whole = typeOf(schema) === "integer";
  const value = written === undefined ? 1 : whole ? Math.trunc(Number(written)) : Number(written);
  const step = whole ? 1 : 0.5;
  const least = numberOr(schema.minimum, numberOr(schema.exclusiveMinimum, -Infinity) + step);
  const most = numberOr(schema.maximum, numberOr(schema.exclusiveMaximum, Infinity) - step);
  return Math.min(Math.max(value, least), most);
}

/** Follows a reference into the schema itself, and takes the first alternative that is not null. */
function resolve(schema: JsonSchema, root: JsonSchema): JsonSchema {
  let current = schema;
  for (let hops = 0; hops < MAX_HOPS; hops++) {
    const next = typeof current.$ref === "string" ? lookUp(current.$ref, root) : alternative(current);
    if (!isObject(next)) break;
    current = next;
  }
  return current;
}

function lookUp(pointer: string, root: JsonSchema): unknown {
  if (!pointer.startsWith("#")) return undefined;
  const steps = pointer.slice(1).split("/").slice(1);
  return steps.reduce<unknown>((at, step) => (isObject(at) ? at[step] : undefined), root);
}

function alternative({ anyOf, oneOf, allOf }: JsonSchema): unknown {
  const options = [anyOf, oneOf, allOf].find(Array.isArray) as unknown[] | undefined;
  return options?.find((option) => isObject(option) && option.type !== "null");
}

function allowsNull({ type, anyOf, oneOf }: JsonSchema): boolean {
  const options = [anyOf, oneOf].find(Array.isArray) as unknown[] | undefined;
  const hasNull = options?.some((option) => isObject(option) && option.type === "null") === true;
  return hasNull || (Array.isArray(type) && type.includes("null"));
}

function typeOf(schema: JsonSchema): unknown {
  if (Array.isArray(schema.type)) return schema.type.find((type) => type !== "null");
  return schema.type ?? ("properties" in schema ? "object" : "string");
}

function mentioned(values: unknown[], text: string): unknown {
  const lower = text.toLowerCase();
  return values.find((value) => typeof value === "string" && value.length > 1 && lower.includes(value.toLowerCase()));
}

function numberOr(value: unknown, fallback: number): number {
  return typeof value === "number" ? value : fallback;
}
