// What may stand in one place of an answer: small builders, out of which the tables of response fields are made.
import type { Field, Row } from "./row.ts";
import type { Life, ObjectName } from "./life.ts";
import type { SchemaName } from "./schemas.ts";

export type Shapes = Readonly<Record<string, Shape>>;

export interface Shape {
  /** For titles: "seconds of Unix time, or null". */
  words: string;
  /** Says what is wrong with a value; undefined when nothing is. */
  problem(value: unknown): string | undefined;
  /** The key may be missing. Every other key is there in every answer, as null when there is nothing to say. */
  optional?: boolean;
  /** Of an object: its keys, and no others. */
  fields?: Shapes;
  /** Of an object whose `type` says which other keys it has. */
  variants?: Readonly<Record<string, Shapes>>;
  item?: Shape;
}

const expects = (words: string, fits: (value: unknown) => boolean): Shape => ({
  words,
  problem: (value) => (fits(value) ? undefined : `is ${JSON.stringify(value)} and not ${words}`),
});

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const string = (): Shape => expects("a text", (value) => typeof value === "string");
export const integer = (): Shape => expects("an integer", (value) => Number.isInteger(value) && Number(value) >= 0);
export const number = (): Shape => expects("a number", (value) => typeof value === "number");
export const boolean = (): Shape => expects("true or false", (value) => typeof value === "boolean");
export const constant = (wanted: string | null): Shape => expects(JSON.stringify(wanted), (value) => value === wanted);
export const word = (...words: readonly string[]): Shape =>
  expects(`one of ${words.join(", ")}`, (value) => words.includes(value as string));

/** A prefix and 24 letters and digits. */
export const id = (prefix: string): Shape => {
  const form = new RegExp(`^${prefix}[A-Za-z0-9]{24}$`);
  return expects(`an id of the form ${prefix}…`, (value) => typeof value === "string" && form.test(value));
};

/** An id of something that a client names: a file, a vector store. */
export const given = (prefix: string): Shape =>
  expects(`an id that begins with ${prefix}`, (value) => typeof value === "string" && value.startsWith(prefix));

/** Between 2020 and 2100: neither milliseconds nor a text. */
export const seconds = (): Shape =>
  expects("seconds of Unix time", (value) => Number.isInteger(value) && Number(value) > 1.5e9 && Number(value) < 4.1e9);

export const map = (words: string): Shape => expects(words, isObject);

export const metadata = (): Shape =>
  expects(
    "a map of texts",
    (value) => isObject(value) && Object.values(value).every((text) => typeof text === "string"),
  );

export const orNull = (shape: Shape): Shape => ({
  ...shape,
  words: `${shape.words}, or null`,
  problem: (value) => (value === null ? undefined : shape.problem(value)),
});

export const optional = (shape: Shape): Shape => ({ ...shape, words: `${shape.words}, or not there`, optional: true });

export const list = (item: Shape): Shape => ({
  words: `a list, each item ${item.words}`,
  problem: (value) =>
    Array.isArray(value)
      ? value.map((one) => item.problem(one)).find((problem) => problem !== undefined)
      : `is ${JSON.stringify(value)} and not a list`,
  item,
});

export const object = (fields: Shapes): Shape => ({
  words: "an object",
  problem: (value) => (isObject(value) ? strangeKey(value, fields) : `is ${JSON.stringify(value)} and not an object`),
  fields,
});

/** `shared` are the keys that objects of every type have. */
export const oneOf = (variants: Readonly<Record<string, Shapes>>, shared: Shapes = {}): Shape => ({
  words: `an object of type ${Object.keys(variants).join(", ")}`,
  problem: (value) => {
    if (!isObject(value)) return `is ${JSON.stringify(value)} and not an object`;
    const fields = variants[String(value["type"])];
    if (fields === undefined) return `has the type ${JSON.stringify(value["type"])}`;
    return strangeKey(value, { ...fields, ...shared, type: string() });
  },
  fields: shared,
  variants,
});

export const wordOr = (words: readonly string[], shape: Shape): Shape => ({
  ...shape,
  words: `${words.join(", ")}, or ${shape.words}`,
  problem: (value) => (words.includes(value as string) ? undefined : shape.problem(value)),
});

function strangeKey(value: Record<string, unknown>, fields: Shapes): string | undefined {
  const strange = Object.keys(value).find((key) => fields[key] === undefined);
  return strange === undefined ? undefined : `has the unknown key ${strange}`;
}

// --- rows ----------------------------------------------------------------------------------------

export interface Answered {
  /** For example `runs.object`. */
  id: string;
  source: string;
  schema: SchemaName;
  name: ObjectName;
}

/** The objects that have a key, inside of one that was answered. */
type Holders = (root: unknown) => Record<string, unknown>[];

/** One row for the object and one for each of its keys, however deep it lies; all are looked at in every moment. */
export function responseRows(answered: Answered, fields: Shapes): Row<Life>[] {
  const whole = object(fields);
  return [
    {
      id: answered.id,
      source: answered.source,
      title: "has its fields and no others",
      kind: "response",
      cases: [
        {
          what: "the whole object",
          check: (life) =>
            report(life.specimens[answered.name].map(({ moment, value }) => [moment, whole.problem(value)])),
        },
      ],
    },
    ...rowsOfFields(answered, { path: "", holders: (root) => [root].filter(isObject) }, fields),
  ];
}

interface Place {
  path: string;
  holders: Holders;
}

function rowsOfFields(answered: Answered, place: Place, fields: Shapes): Row<Life>[] {
  return Object.entries(fields).flatMap(([name, shape]) => {
    const path = place.path === "" ? name : `${place.path}.${name}`;
    const values: Holders = (root) =>
      place
        .holders(root)
        .flatMap((holder) => [holder[name]].flat(1))
        .filter(isObject);
    return [
      rowOfField(answered, { path, name, holders: place.holders }, shape),
      ...inner(answered, path, values, shape),
    ];
  });
}

/** The rows inside of a value, or of the items of a list. */
function inner(answered: Answered, path: string, values: Holders, shape: Shape): Row<Life>[] {
  const { fields = {}, variants } = shape.item ?? shape;
  const here = shape.item === undefined ? path : `${path}[]`;
  const shared = rowsOfFields(answered, { path: here, holders: values }, fields);
  if (variants === undefined) return shared;
  const types = Object.keys(variants);
  return [
    ...shared,
    rowOfField(answered, { path: `${here}.type`, name: "type", holders: values }, word(...types)),
    ...Object.entries(variants).flatMap(([type, own]) => {
      const ofType: Holders = (root) => values(root).filter((value) => value["type"] === type);
      return rowsOfFields(answered, { path: here, holders: ofType }, own);
    }),
  ];
}

function rowOfField(answered: Answered, place: Place & { name: string }, shape: Shape): Row<Life> {
  const covers: Field[] = [{ schema: answered.schema, path: place.path }];
  return {
    id: `${answered.id}.${place.path}`,
    source: answered.source,
    title: shape.words,
    kind: "response",
    covers,
    cases: [{ what: "in every moment", check: (life) => checkField(life, answered.name, place, shape) }],
  };
}

function checkField(life: Life, name: ObjectName, place: Place & { name: string }, shape: Shape): void {
  let seen = 0;
  const found = life.specimens[name].flatMap(({ moment, value }) =>
    place.holders(value).map((holder): [string, string | undefined] => {
      if (!(place.name in holder)) return [moment, shape.optional === true ? undefined : "is not there"];
      seen += 1;
      return [moment, shape.problem(holder[place.name])];
    }),
  );
  report(found);
  if (seen === 0) throw new Error("no answer shows it");
}

function report(found: readonly (readonly [string, string | undefined])[]): void {
  const problems = found.filter(([, problem]) => problem !== undefined);
  if (problems.length > 0) throw new Error(problems.map(([moment, problem]) => `${moment}: ${problem}`).join("; "));
}
