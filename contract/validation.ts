// Turns what zod found wrong into the error that the original service would have answered.
import type { z } from "zod";
import { ApiError, missingParameter, shorten, unknownParameter } from "./errors.ts";
import { countCharacters } from "./text.ts";

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/**
 * Checks `input` and returns the parsed value.
 * Throws an `ApiError` (400) that names the first problem. The issues carry their input because of `reportInput`.
 */
export function parse<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input, { reportInput: true });
  if (result.success) return result.data;
  throw toApiError(result.error.issues[0] as Issue, []);
}

function toApiError(issue: Issue, parents: Path): ApiError {
  const path = [...parents, ...issue.path];
  const param = formatPath(path);
  const invalid = (problem: string, code: string) =>
    new ApiError(400, `Invalid '${param}': ${problem}`, { param, code });

  switch (issue.code) {
    case "invalid_type":
      if (issue.input === undefined) return missingParameter(param);
      return wrongType(param, typeName(issue.expected, path), issue.input);
    case "unrecognized_keys": {
      return unknownParameter(formatPath([...path, issue.keys[0] ?? ""]));
    }
    case "invalid_value":
      if (issue.input === undefined) return missingParameter(param);
      if (typeof issue.input !== "string") return wrongType(param, article(typeof issue.values[0]), issue.input);
      return unsupportedValue(param, issue.input, issue.values);
    case "too_big":
    case "too_small":
      return invalid(...outOfRange(issue, param));
    case "invalid_format":
      return invalid(
        `string does not match pattern. Expected a string that matches the pattern '${bare(issue.pattern)}'.`,
        "invalid_value",
      );
    case "invalid_union":
      return fromUnion(issue, path);
    case "custom": {
      const given: unknown = issue.params?.["code"];
      const code = typeof given === "string" || given === null ? given : "invalid_value";
      return new ApiError(
        400,
        issue.message.replace("{path}", () => param),
        { param, code },
      );
    }
    default:
      return invalid(issue.message, "invalid_value");
  }
}

/** Of a union's branches, the one that was meant: the one that the input has the right JSON type for. */
function fromUnion(issue: Issue & { code: "invalid_union" }, path: Path): ApiError {
  const param = formatPath(path);
  if ("options" in issue && issue.options !== undefined) {
    // No branch has this `type`; zod has put the discriminator at the end of the path.
    const given = (issue.input as Record<string, unknown>)[issue.discriminator ?? "type"];
    if (given === undefined) return missingParameter(param);
    if (typeof given !== "string") return wrongType(param, "a string", given);
    return unsupportedValue(param, given, issue.options);
  }
  if (issue.input === undefined) return missingParameter(param);
  const branches = issue.errors.map((issues) => issues[0] as Issue);
  const meant =
    branches.find((branch) => branch.path.length > 0 || !isTypeMismatch(branch)) ??
    branches.find((branch) => branch.code === "invalid_value" && typeof branch.input === "string");
  if (meant !== undefined) return toApiError(meant, path);
  const expected = branches.map((branch) =>
    branch.code === "invalid_type" ? typeName(branch.expected, path) : "a string",
  );
  return wrongType(param, `one of ${joinTypes([...new Set(expected)])}`, issue.input);
}

/** `a string or array of objects` */
function joinTypes([first, ...others]: readonly string[]): string {
  return [first, ...others.map((type) => type.replace(/^an? /, ""))].join(" or ");
}

function isTypeMismatch(issue: Issue): boolean {
  return issue.code === "invalid_type" || (issue.code === "invalid_value" && typeof issue.input !== "string");
}

/** What the original says of each end of a range. */
const ABOVE = { side: "above", adjective: "long", bound: "maximum", short: "max", sign: "<=" };
const BELOW = { side: "below", adjective: "short", bound: "minimum", short: "min", sign: ">=" };

/** The problem and its code. */
function outOfRange(issue: Issue & { code: "too_big" | "too_small" }, param: string): [string, string] {
  const { side, adjective, bound, short, sign } = issue.code === "too_big" ? ABOVE : BELOW;
  const limit = issue.code === "too_big" ? issue.maximum : issue.minimum;
  const { origin, input } = issue;
  if (origin === "string" || origin === "array") {
    const length = typeof input === "string" ? countCharacters(input) : (input as unknown[]).length;
    const given = length === 0 ? `an empty ${origin}` : `${article(origin)} with length ${length}`;
    return [
      `${origin} too ${adjective}. Expected ${article(origin)} with ${bound} length ${limit}, but got ${given} instead.`,
      `${origin}_${side}_${short}_length`,
    ];
  }
  const kind = isDecimal(param) ? "decimal" : "integer";
  return [
    `${kind} ${side} ${bound} value. Expected a value ${sign} ${limit}, but got ${String(input)} instead.`,
    `${kind}_${side}_${short}_value`,
  ];
}

function wrongType(param: string, expected: string, input: unknown): ApiError {
  const where = param === "" ? "the request body" : `'${param}'`;
  return new ApiError(400, `Invalid type for ${where}: expected ${expected}, but got ${describe(input)} instead.`, {
    param: param === "" ? null : param,
    code: "invalid_type",
  });
}

function unsupportedValue(param: string, given: string, values: readonly unknown[]): ApiError {
  return new ApiError(400, `Invalid value: '${shorten(given)}'. ${supportedValues(values.map(String))}`, {
    param,
    code: "invalid_value",
  });
}

/** `Supported values are: 'a', 'b', and 'c'.` */
function supportedValues(values: readonly string[]): string {
  const quoted = values.map((value) => `'${value}'`);
  const last = quoted.at(-1) ?? "";
  if (quoted.length === 1) return `Supported values are: ${last}.`;
  if (quoted.length === 2) return `Supported values are: ${quoted[0]} and ${last}.`;
  return `Supported values are: ${quoted.slice(0, -1).join(", ")}, and ${last}.`;
}

/** The way to a value inside a request, for example `tools[0].function.name`. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    const name = shorten(String(part));
    return text === "" ? name : `${text}.${name}`;
  }, "");
}

/** The names under which the contract has fractions; every other number is an integer. */
const DECIMALS = /(^|\.)(temperature|top_p|score_threshold|embedding_weight|text_weight|value)$/;
/** What lists hold that do not hold objects, by their names. */
const ITEMS: Record<string, string> = { query: " of strings", value: "" };

function isDecimal(param: string): boolean {
  return DECIMALS.test(param);
}

/** What zod expected, in the words of the original: "an array of objects", "an integer". */
function typeName(expected: string, path: Path): string {
  switch (expected) {
    case "array":
      return `an array${itemsOf(String(path.at(-1)))}`;
    case "record":
      return "an object";
    case "int":
      return "an integer";
    case "null":
      return "null";
    case "number":
      return isDecimal(String(path.at(-1))) ? "a decimal" : "an integer";
    default:
      return article(expected);
  }
}

function itemsOf(name: string): string {
  return name.endsWith("_ids") ? " of strings" : (ITEMS[name] ?? " of objects");
}

function describe(input: unknown): string {
  if (input === null) return "null";
  if (Array.isArray(input)) return "an array";
  if (input === Infinity || input === -Infinity) return "a number out of range";
  if (typeof input === "number") return Number.isInteger(input) ? "an integer" : "a decimal";
  return article(typeof input);
}

function article(noun: string): string {
  return /^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`;
}

/** A pattern without the slashes that zod prints around it. */
function bare(pattern: string | undefined): string {
  return (pattern ?? "").replace(/^\/|\/[a-z]*$/g, "");
}
