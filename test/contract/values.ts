// What may stand in one place of a request: small builders, out of which the tables of request fields are made.
// Each knows values that are taken, with what the answer then shows, and values that are refused, with the error.
import {
  ANY,
  arrayTooLong,
  arrayTooShort,
  invalid,
  stringTooLong,
  tooBig,
  tooSmall,
  unsupported,
  unsupportedInAnyOrder,
  wrongPrefix,
  wrongType,
} from "./refusals.ts";
import type { Refusal } from "./refusals.ts";

export type JsonType = "string" | "integer" | "decimal" | "boolean" | "array" | "object";

export interface Accepted {
  value: unknown;
  /** What the answer shows in the same place; undefined when nothing, ANY when the contract does not say. */
  echo: unknown;
  what?: string;
}

export interface Refused {
  value: unknown;
  /** Takes the way to the place, for example `tools[1].function.name`. */
  refusal: (param: string) => Refusal;
  what?: string;
}

export type Fields = Readonly<Record<string, Spec>>;

export interface Spec {
  /** For titles: "a text of at most 256 characters". */
  words: string;
  /** The type as an error names it: "a string". */
  expected: string;
  /** The JSON types that are taken; every other one is refused. */
  types: readonly JsonType[];
  /** A value that is taken, for trying the places around this one. */
  sample: unknown;
  /** What the answer shows for the sample. */
  sampleEcho: unknown;
  required?: boolean;
  /** The contract does not say what happens when it is not given. */
  absenceUnknown?: boolean;
  /** What the answer shows when the field is not given, or null. */
  fallback: unknown;
  /** On modification neither null nor an empty object clears it, only its lists are replaced. */
  merges?: boolean;
  source?: string;
  accepts: readonly Accepted[];
  refuses: readonly Refused[];
  /** Of an object: what may be in it, and nothing else. */
  fields?: Fields;
  /** Of an object whose `type` says what else is in it. */
  variants?: Readonly<Record<string, Fields>>;
  /** Of such an object: its `type`. */
  variantType?: Spec;
  item?: Spec;
  /** Of a list: an item that may stand before the one that is tried. */
  neighbour?: unknown;
  /** Of a list: whether it takes more than one item. */
  single?: boolean;
}

// --- changes of a spec -------------------------------------------------------------------------

export const required = (spec: Spec): Spec => ({ ...spec, required: true });

/** What is shown when the field is not given. */
export const without = (fallback: unknown, spec: Spec): Spec => ({ ...spec, fallback });

export const from = (source: string, spec: Spec): Spec => ({ ...spec, source });

/** Sends the values and looks only at whether they are taken. */
export const unseen = (spec: Spec): Spec => ({
  ...spec,
  fallback: ANY,
  sampleEcho: ANY,
  accepts: spec.accepts.map((accepted) => ({ ...accepted, echo: ANY })),
});

/** The same for a list and what is in it. */
export const unseenList = (spec: Spec): Spec => ({
  ...unseen(spec),
  ...(spec.item === undefined ? {} : { item: unseen(spec.item) }),
});

/** What the answer shows is made from what was sent. */
export const shownAs = (show: (value: unknown) => unknown, spec: Spec): Spec => ({
  ...spec,
  sampleEcho: show(spec.sample),
  accepts: spec.accepts.map(({ value, ...more }) => ({ ...more, value, echo: show(value) })),
});

// --- scalars -----------------------------------------------------------------------------------

const same = (value: unknown, what?: string): Accepted => ({
  value,
  echo: value,
  ...(what === undefined ? {} : { what }),
});
const lettersOf = (length: number): string => "x".repeat(length);

export function text({ max, sample = "some words" }: { max?: number; sample?: string } = {}): Spec {
  return {
    words: max === undefined ? "a text" : `a text of at most ${max} characters`,
    expected: "a string",
    types: ["string"],
    sample,
    sampleEcho: sample,
    fallback: null,
    accepts: [
      same(sample),
      same('Zoë, \u201c名前\u201d \ud83d\ude00\n\t"quoted" \\ </b>', "all kinds of characters"),
      ...(max === undefined ? [] : longest(max)),
    ],
    refuses: max === undefined ? [] : tooLong(max),
  };
}

/** Characters outside of the first 65536 count as one. Only tried where they do not make a body of megabytes. */
const ASTRAL_TO = 1000;
const astral = (length: number) => "\u{1F600}".repeat(length);

function longest(max: number): Accepted[] {
  const letters = same(lettersOf(max), `exactly ${max} characters`);
  return max > ASTRAL_TO ? [letters] : [letters, same(astral(max), `exactly ${max} emojis`)];
}

function tooLong(max: number): Refused[] {
  const refusal = (param: string) => stringTooLong(param, max, max + 1);
  const letters = { what: `${max + 1} characters`, value: lettersOf(max + 1), refusal };
  return max > ASTRAL_TO ? [letters] : [letters, { what: `${max + 1} emojis`, value: astral(max + 1), refusal }];
}

/** Names of functions and schemas: letters, digits, `_` and `-`. */
export function identifier({ max, sample }: { max: number; sample: string }): Spec {
  const spec = text({ max, sample });
  return {
    ...spec,
    words: `a name of at most ${max} characters of [a-zA-Z0-9_-]`,
    accepts: [sample, "f", "look-up_2", "0", lettersOf(max)].map((value) => same(value)),
    refuses: [
      {
        what: `${max + 1} characters`,
        value: lettersOf(max + 1),
        refusal: (param) => stringTooLong(param, max, max + 1),
      },
      ...["", "two words", "a.b", "naïve", "a/b"].map((value) => ({ value, refusal: invalid })),
    ],
  };
}

export function decimal({ min, max, fallback }: { min: number; max: number; fallback: unknown }): Spec {
  const middle = (min + max) / 4;
  return {
    words: `a number from ${min} to ${max}`,
    expected: "a decimal",
    types: ["integer", "decimal"],
    sample: middle,
    sampleEcho: middle,
    fallback,
    accepts: [min, middle, max].map((value) => same(value)),
    refuses: [
      { value: min - 0.01, refusal: (param) => tooSmall(param, "decimal", min, min - 0.01) },
      { value: min - 1, refusal: (param) => tooSmall(param, "decimal", min, min - 1) },
      { value: max + 0.01, refusal: (param) => tooBig(param, "decimal", max, max + 0.01) },
      { value: max + 1, refusal: (param) => tooBig(param, "decimal", max, max + 1) },
    ],
  };
}

export function integer({ min, max, fallback = null }: { min: number; max?: number; fallback?: unknown }): Spec {
  const words = max === undefined ? `an integer from ${min}` : `an integer from ${min} to ${max}`;
  return {
    words,
    expected: "an integer",
    types: ["integer"],
    sample: min,
    sampleEcho: min,
    fallback,
    accepts: [min, min + 1, max ?? min * 1000].map((value) => same(value)),
    refuses: [
      { value: min - 1, refusal: (param) => tooSmall(param, "integer", min, min - 1) },
      { value: -min - 1, refusal: (param) => tooSmall(param, "integer", min, -min - 1) },
      ...(max === undefined
        ? []
        : [{ value: max + 1, refusal: (param: string) => tooBig(param, "integer", max, max + 1) }]),
    ],
  };
}

export function flag(fallback: unknown): Spec {
  return {
    words: "true or false",
    expected: "a boolean",
    types: ["boolean"],
    sample: true,
    sampleEcho: true,
    fallback,
    accepts: [same(true), same(false)],
    refuses: [],
  };
}

/** `ordered` when the contract shows the text of the error, and with it the order. */
export function choice(values: readonly string[], fallback: unknown = null, { ordered = false } = {}): Spec {
  const [sample = ""] = values;
  const refusal = (given: string) => (param: string) =>
    ordered ? unsupported(param, given, values) : unsupportedInAnyOrder(param, given, values);
  return {
    words: `one of ${values.join(", ")}`,
    expected: "a string",
    types: ["string"],
    sample,
    sampleEcho: sample,
    fallback,
    accepts: values.map((value) => same(value)),
    refuses: ["surprise", "", sample.toUpperCase()].map((value) => ({ value, refusal: refusal(value) })),
  };
}

/** A reference to an object of another kind, which begins with that kind's prefix. */
export function reference(prefix: string, sample: string): Spec {
  return {
    words: `an id that begins with ${prefix}`,
    expected: "a string",
    types: ["string"],
    sample,
    sampleEcho: sample,
    fallback: null,
    accepts: [same(sample)],
    refuses: ["X", "msg_abc", ""].map((value) => ({
      value,
      refusal: (param: string) => wrongPrefix(param, value, prefix),
    })),
  };
}

// --- maps --------------------------------------------------------------------------------------

/** Up to 16 pairs of texts. Of the texts of its errors the contract knows only those of the values. */
export function metadata(): Spec {
  const pairs = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`key${index}`, "v"]));
  const value = (given: unknown) => ({ key: given });
  return {
    words: "up to 16 pairs of a key of at most 64 and a text of at most 512 characters",
    expected: "an object",
    types: ["object"],
    sample: { team: "blue" },
    sampleEcho: { team: "blue" },
    fallback: {},
    source: "0.2",
    accepts: [
      same({}),
      same({ team: "blue", "a key": "" }),
      same(pairs(16), "16 pairs"),
      same({ ["k".repeat(64)]: "v" }, "a key of 64 characters"),
      same(value("v".repeat(512)), "a value of 512 characters"),
      same({ [astral(64)]: astral(512) }, "a key of 64 emojis and a value of 512"),
    ],
    refuses: [
      { what: "17 pairs", value: pairs(17), refusal: invalid },
      { what: "a key of 65 characters", value: { ["k".repeat(65)]: "v" }, refusal: invalid },
      {
        what: "a value of 513 characters",
        value: value("v".repeat(513)),
        refusal: (param) => stringTooLong(`${param}.key`, 512, 513),
      },
      ...(
        [
          [1, "an integer"],
          [true, "a boolean"],
          [null, "null"],
          [["v"], "an array"],
          [{ a: "v" }, "an object"],
        ] as const
      ).map(([given, noun]) => ({
        value: value(given),
        refusal: (param: string) => wrongType(`${param}.key`, "a string", noun),
      })),
    ],
  };
}

/** A JSON Schema of the client's, which comes back as it was sent. */
export function jsonSchema(fallback: unknown): Spec {
  const schema = {
    $schema: "http://json-schema.org/draft-07/schema#",
    type: "object",
    properties: { z: { type: "string", description: "a z" }, a: { enum: [1, null, "x"] } },
    required: ["z"],
    additionalProperties: false,
  };
  return {
    words: "a JSON Schema, which is kept as it is",
    expected: "an object",
    types: ["object"],
    sample: schema,
    sampleEcho: schema,
    fallback,
    accepts: [same({}), same({ type: "object", properties: {} }), same(schema)],
    refuses: [],
  };
}

// --- lists and objects -------------------------------------------------------------------------

interface ListOptions {
  max?: number;
  min?: number;
  fallback?: unknown;
  neighbour?: unknown;
  /** The items in the words of an error; objects unless told. */
  of?: "objects" | "strings";
}

export function list(item: Spec, options: ListOptions = {}): Spec {
  const { max, min = 0, fallback = [], of = "objects" } = options;
  const times = (value: unknown, count: number): unknown[] => Array.from({ length: count }, () => value);
  const echo = (items: unknown[]) => (item.sampleEcho === ANY ? ANY : items);
  return {
    words: `a list of ${max === undefined ? "" : `at most ${max} `}items`,
    expected: `an array of ${of}`,
    types: ["array"],
    sample: [item.sample],
    sampleEcho: echo([item.sampleEcho]),
    fallback,
    item,
    ...("neighbour" in options ? { neighbour: options.neighbour } : {}),
    single: max === 1,
    accepts: [
      ...(min === 0 ? [same([], "an empty list")] : []),
      { value: [item.sample], echo: echo([item.sampleEcho]) },
      ...(max === undefined || max === 1
        ? []
        : [
            {
              what: `exactly ${max} items`,
              value: times(item.sample, max),
              echo: echo(times(item.sampleEcho, max)),
            },
          ]),
    ],
    refuses: [
      ...(max === undefined
        ? []
        : [
            {
              what: `${max + 1} items`,
              value: times(item.sample, max + 1),
              refusal: (param: string) => arrayTooLong(param, max, max + 1),
            },
          ]),
      ...(min === 0 ? [] : [{ value: [], refusal: (param: string) => arrayTooShort(param, min) }]),
    ],
  };
}

/** A list of references that are all different. */
export function references(prefix: string, samples: (count: number) => string[], max: number): Spec {
  const item = reference(prefix, samples(1)[0] as string);
  return {
    ...list(item, { max, of: "strings" }),
    accepts: [same([], "an empty list"), same(samples(1)), same(samples(max), `exactly ${max} ids`)],
    refuses: [
      {
        what: `${max + 1} ids`,
        value: samples(max + 1),
        refusal: (param) => arrayTooLong(param, max, max + 1),
      },
    ],
  };
}

/** What is required of these fields, and what is shown of the others without their being sent. */
function samplesOf(fields: Fields): { sample: Record<string, unknown>; sampleEcho: unknown } {
  const sample: Record<string, unknown> = {};
  const sampleEcho: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(fields)) {
    if (spec.required) sample[name] = spec.sample;
    const echo = spec.required ? spec.sampleEcho : spec.fallback;
    if (echo !== undefined) sampleEcho[name] = echo;
  }
  return { sample, sampleEcho: Object.values(sampleEcho).includes(ANY) ? ANY : sampleEcho };
}

/** An object with these fields and no other. Undefined as its fallback: it is not shown when it is not given. */
export function object(fields: Fields, { fallback }: { fallback?: unknown } = {}): Spec {
  const { sample, sampleEcho } = samplesOf(fields);
  return {
    words: "an object",
    expected: "an object",
    types: ["object"],
    sample,
    sampleEcho,
    fallback,
    fields,
    accepts: [{ value: sample, echo: sampleEcho }],
    refuses: [],
  };
}

/** An object whose `type` says which other fields it has. `ordered` as for a choice. */
export function oneOf(
  variants: Readonly<Record<string, Fields>>,
  { fallback, ordered = false }: { fallback?: unknown; ordered?: boolean } = {},
): Spec {
  const all = Object.entries(variants).map(([type, fields]): Accepted => {
    const { sample, sampleEcho } = samplesOf(fields);
    return {
      value: { type, ...sample },
      echo: sampleEcho === ANY ? ANY : { type, ...(sampleEcho as object) },
      what: type,
    };
  });
  return {
    words: `an object of type ${Object.keys(variants).join(", ")}`,
    expected: "an object",
    types: ["object"],
    sample: all[0]?.value,
    sampleEcho: all[0]?.echo,
    fallback,
    variants,
    variantType: choice(Object.keys(variants), null, { ordered }),
    accepts: all,
    refuses: [],
  };
}

/** A word, or an object. */
export function wordOr(words: readonly string[], spec: Spec, fallback: unknown): Spec {
  const word = choice(words);
  return {
    ...spec,
    words: `${words.join(", ")}, or ${spec.words}`,
    expected: "one of a string or object",
    types: ["string", "object"],
    sample: word.sample,
    sampleEcho: word.sampleEcho,
    fallback,
    accepts: [...word.accepts, ...spec.accepts],
    refuses: word.refuses,
  };
}
