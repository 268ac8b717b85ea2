// From the table of a request's fields to its rows: one for the body and one for every field, however deep it lies.
import assert from "node:assert/strict";
import { ANY, assertRefused, badRequest, missing, shorten, unknownParameter, wrongType } from "./refusals.ts";
import type { Refusal } from "./refusals.ts";
import type { Case, Row } from "./row.ts";
import type { SchemaName } from "./schemas.ts";
import type { Fields, JsonType, Spec } from "./values.ts";
import type { World } from "./world.ts";

export interface Endpoint {
  /** For example `assistants.create`. */
  id: string;
  source: string;
  schema: SchemaName;
  /** The smallest body that is accepted. */
  base(world: World): Promise<Record<string, unknown>>;
  /** Where a request goes that is to be accepted: what it needs is made for it. */
  target(world: World): Promise<string>;
  /** Where a request goes that is to be refused. */
  refusedAt(world: World): Promise<string>;
  /** The answer, arranged so that each field is where it was in the request. `field` is the one that is looked for. */
  view?(world: World, answer: Record<string, unknown>, field: string): Promise<Record<string, unknown>>;
  /** Of a modification: what the object shows before it. */
  before?: Record<string, unknown>;
}

/** One place in a request. */
interface Place {
  /** As errors name it: `tools[1].function.name`. */
  param: string;
  /** As schemas name it: `tools[].function.name`. */
  path: string;
  /** The fields of the body that put a value into this place. Undefined leaves it out. */
  fill(value: unknown): Record<string, unknown>;
  source: string;
  /** A field of the body itself. */
  top: boolean;
}

const SURPRISE = "surprise";

/** A value of each JSON type, with the noun by which errors call it. */
const VALUES: Readonly<Record<JsonType, { value: unknown; noun: string }>> = {
  string: { value: "x", noun: "a string" },
  integer: { value: 5, noun: "an integer" },
  decimal: { value: 1.5, noun: "a decimal" },
  boolean: { value: true, noun: "a boolean" },
  array: { value: [], noun: "an array" },
  object: { value: {}, noun: "an object" },
};

export function requestRows(endpoint: Endpoint, fields: Fields): Row<World>[] {
  return [bodyRow(endpoint, fields), ...fieldRows(endpoint, fields)];
}

/** Only the rows of the fields. */
function fieldRows(endpoint: Endpoint, fields: Fields): Row<World>[] {
  return Object.entries(fields).flatMap(([name, spec]) => {
    const fill = (value: unknown) => ({ [name]: value });
    return rowsOfField(endpoint, { param: name, path: name, fill, source: endpoint.source, top: true }, spec);
  });
}

function bodyRow(endpoint: Endpoint, fields: Fields): Row<World> {
  const surprise = (world: World) => endpoint.base(world).then((base) => ({ ...base, [SURPRISE]: 1 }));
  const isRefused = (what: string, body: unknown, refusal: Refusal): Case<World> => ({
    what,
    check: async (world) => refuse(world, endpoint, body, refusal),
  });
  const wrongBody = badRequest(/./, null, ANY);
  const firstRequired = Object.keys(fields).find((name) => fields[name]?.required);
  return {
    id: endpoint.id,
    source: "0.2",
    title: "the body is a JSON object without unknown fields",
    kind: "request",
    cases: [
      { what: "only what is required", check: async (world) => void (await accept(world, endpoint, {})) },
      {
        what: "an unknown field",
        check: async (world) => refuse(world, endpoint, await surprise(world), unknownParameter(SURPRISE)),
      },
      isRefused("a list", [], wrongBody),
      isRefused("a text", '"text"', wrongBody),
      isRefused("a number", "5", wrongBody),
      ...(firstRequired === undefined
        ? []
        : [
            isRefused("nothing", {}, missing(firstRequired)),
            isRefused("no body at all", undefined, missing(firstRequired)),
          ]),
    ],
  };
}

function rowsOfField(endpoint: Endpoint, place: Place, spec: Spec): Row<World>[] {
  const source = spec.source ?? place.source;
  const inside = lookInside(endpoint, { ...place, source }, spec);
  const row: Row<World> = {
    id: `${endpoint.id}.${place.path}`,
    source,
    title: titleOf(spec),
    kind: "request",
    covers: [{ schema: endpoint.schema, path: place.path }],
    cases: [...notGiven(endpoint, place, spec), ...inside.cases],
  };
  return [row, ...inside.rows];
}

function titleOf({ words, required = false, absenceUnknown = false, fallback }: Spec): string {
  if (absenceUnknown) return words;
  const shown = fallback === ANY || fallback === undefined ? "" : `; without it ${show(fallback)}`;
  return `${words}${required ? ", required" : `, or null${shown}`}`;
}

/** Left out, and null: both mean "not given", but for a modification, where null clears. */
function notGiven(endpoint: Endpoint, place: Place, spec: Spec): Case<World>[] {
  if (spec.absenceUnknown) return [];
  if (spec.required) {
    return [
      refusedCase(endpoint, place, undefined, missing(place.param), "left out"),
      refusedCase(endpoint, place, null, wrongType(place.param, spec.expected, "null"), "null"),
    ];
  }
  const kept = valueAt(endpoint.before, place.param);
  const stays = endpoint.before !== undefined && (place.top || spec.merges === true);
  return [
    acceptedCase(endpoint, place, undefined, stays ? kept : spec.fallback, "left out"),
    acceptedCase(endpoint, place, null, stays && spec.merges === true ? kept : spec.fallback, "null"),
  ];
}

interface Inside {
  cases: Case<World>[];
  rows: Row<World>[];
}

/** What is taken and refused of the values in a place, and the rows of the fields that these have. */
function lookInside(endpoint: Endpoint, place: Place, spec: Spec): Inside {
  const emptied = (value: unknown) => spec.merges === true && isEmpty(value) && endpoint.before !== undefined;
  const cases = [
    ...spec.accepts.map(({ value, echo, what }) =>
      acceptedCase(endpoint, place, value, emptied(value) ? valueAt(endpoint.before, place.param) : echo, what),
    ),
    ...spec.refuses.map(({ value, refusal, what }) => refusedCase(endpoint, place, value, refusal(place.param), what)),
    ...wrongTypes(endpoint, place, spec),
  ];
  const parts = [
    insideObject(endpoint, place, spec),
    insideVariants(endpoint, place, spec),
    insideList(endpoint, place, spec),
  ];
  return {
    cases: [...cases, ...parts.flatMap((part) => part.cases)],
    rows: parts.flatMap((part) => part.rows),
  };
}

function wrongTypes(endpoint: Endpoint, place: Place, spec: Spec): Case<World>[] {
  return Object.entries(VALUES)
    .filter(([type]) => !spec.types.includes(type as JsonType))
    .map(([, { value, noun }]) =>
      refusedCase(endpoint, place, value, wrongType(place.param, spec.expected, noun), `${noun} in its place`),
    );
}

function insideObject(endpoint: Endpoint, place: Place, { fields, sample }: Spec): Inside {
  if (fields === undefined) return { cases: [], rows: [] };
  return insideFields(endpoint, place, fields, sample as Record<string, unknown>);
}

function insideFields(endpoint: Endpoint, place: Place, fields: Fields, sample: Record<string, unknown>): Inside {
  const surprise = `${place.param}.${SURPRISE}`;
  return {
    cases: [
      refusedCase(endpoint, place, { ...sample, [SURPRISE]: 1 }, unknownParameter(surprise), `an unknown field in it`),
    ],
    rows: Object.entries(fields).flatMap(([name, spec]) => {
      const fill = (value: unknown) => place.fill({ ...sample, [name]: value });
      const [param, path] = [`${place.param}.${name}`, `${place.path}.${name}`];
      return rowsOfField(endpoint, { param, path, fill, source: place.source, top: false }, spec);
    }),
  };
}

function insideVariants(endpoint: Endpoint, place: Place, spec: Spec): Inside {
  if (spec.variants === undefined) return { cases: [], rows: [] };
  const types = Object.keys(spec.variants);
  const parts = Object.entries(spec.variants).map(([type, fields]) => {
    const sample = spec.accepts.find(({ what }) => what === type)?.value as Record<string, unknown>;
    return insideFields(endpoint, place, fields, sample);
  });
  return {
    cases: parts.flatMap((part) => part.cases),
    rows: [typeRow(endpoint, place, spec, types), ...parts.flatMap((part) => part.rows)],
  };
}

/** The field `type`: each of its values stands with what belongs to it. */
function typeRow(endpoint: Endpoint, place: Place, spec: Spec, types: readonly string[]): Row<World> {
  const type = spec.variantType as Spec;
  const inner: Place = {
    ...place,
    param: `${place.param}.type`,
    path: `${place.path}.type`,
    fill: (value) => place.fill({ type: value }),
    top: false,
  };
  return {
    id: `${endpoint.id}.${inner.path}`,
    source: place.source,
    title: `one of ${types.join(", ")}, required`,
    kind: "request",
    covers: [{ schema: endpoint.schema, path: inner.path }],
    cases: [
      ...spec.accepts
        .filter(({ what }) => what !== undefined && types.includes(what))
        .map(({ value, echo, what }) => acceptedCase(endpoint, place, value, echo, what)),
      ...notGiven(endpoint, inner, { ...type, required: true }),
      ...type.refuses.map(({ value, refusal }) => refusedCase(endpoint, inner, value, refusal(inner.param))),
      ...wrongTypes(endpoint, inner, type),
    ],
  };
}

/** What may be an item is tried as the second of two, where there may be two. */
function insideList(endpoint: Endpoint, place: Place, { item, neighbour, single }: Spec): Inside {
  if (item === undefined) return { cases: [], rows: [] };
  const before = single === true ? [] : [neighbour ?? item.sample];
  const inner: Place = {
    ...place,
    param: `${place.param}[${before.length}]`,
    path: `${place.path}[]`,
    fill: (value) => place.fill([...before, value]),
    top: false,
  };
  const inside = lookInside(endpoint, inner, item);
  const noNull = refusedCase(endpoint, inner, null, wrongType(inner.param, item.expected, "null"), "null as an item");
  return { cases: [...inside.cases, noNull], rows: inside.rows };
}

// --- the cases ---------------------------------------------------------------------------------

function acceptedCase(
  endpoint: Endpoint,
  place: Place,
  value: unknown,
  echo: unknown,
  what = show(value),
): Case<World> {
  return {
    what: `${place.param}: ${what}`,
    check: async (world) => {
      const answer = await accept(world, endpoint, place.fill(value));
      if (echo === ANY) return;
      const view = (await endpoint.view?.(world, answer, place.param)) ?? answer;
      assert.deepEqual(valueAt(view, place.param), echo, "what is shown is not what was sent");
    },
  };
}

function refusedCase(
  endpoint: Endpoint,
  place: Place,
  value: unknown,
  refusal: Refusal,
  what = show(value),
): Case<World> {
  return {
    what: `${place.param}: ${what}`,
    check: async (world) => refuse(world, endpoint, { ...(await endpoint.base(world)), ...place.fill(value) }, refusal),
  };
}

async function accept(world: World, endpoint: Endpoint, fields: object): Promise<Record<string, unknown>> {
  const body = { ...(await endpoint.base(world)), ...fields };
  const { status, body: answer } = await world.call<Record<string, unknown>>("POST", await endpoint.target(world), {
    body,
  });
  assert.equal(status, 200, `was refused: ${shorten(JSON.stringify(answer))}`);
  return answer;
}

async function refuse(world: World, endpoint: Endpoint, body: unknown, refusal: Refusal): Promise<void> {
  assertRefused(await world.call<unknown>("POST", await endpoint.refusedAt(world), { body }), refusal);
}

/** The value at a way like `tools[1].function.name`; undefined when the way ends before. */
function valueAt(root: unknown, param: string): unknown {
  return param
    .split(/[.[\]]+/)
    .filter((part) => part !== "")
    .reduce<unknown>((value, part) => (value as Record<string, unknown> | null | undefined)?.[part], root);
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0 && !Array.isArray(value);
}

function show(value: unknown): string {
  return shorten(JSON.stringify(value));
}
