// What a refused request is told: the texts of the contract as functions of the place that is wrong.
import assert from "node:assert/strict";
import type { Answer, ErrorBody } from "../support/app.ts";

/** Stands where the contract does not say what comes. */
export const ANY: unique symbol = Symbol("anything");

export interface Refusal {
  status: number;
  /** A pattern where the contract knows only the beginning of the text. */
  message: string | RegExp;
  type: string;
  param: string | null | typeof ANY;
  code: string | null | typeof ANY;
}

export function badRequest(
  message: string | RegExp,
  param: Refusal["param"] = null,
  code: Refusal["code"] = null,
): Refusal {
  return { status: 400, message, type: "invalid_request_error", param, code };
}

export function notFound(message: string, param: string | null = null, code: string | null = null): Refusal {
  return { ...badRequest(message, param, code), status: 404 };
}

export function unauthorized(message: string | RegExp, code: string | null): Refusal {
  return { ...badRequest(message, null, code), status: 401 };
}

export const missing = (param: string): Refusal =>
  badRequest(`Missing required parameter: '${param}'.`, param, "missing_required_parameter");

export const unknownParameter = (param: string): Refusal =>
  badRequest(`Unknown parameter: '${param}'.`, param, "unknown_parameter");

/** `expected` and `got` with their articles: `a string`, `an array of objects`. */
export const wrongType = (param: string, expected: string, got: string): Refusal =>
  badRequest(`Invalid type for '${param}': expected ${expected}, but got ${got} instead.`, param, "invalid_type");

export const stringTooLong = (param: string, max: number, length: number): Refusal =>
  badRequest(
    `Invalid '${param}': string too long. Expected a string with maximum length ${max}, but got a string with length ${length} instead.`,
    param,
    "string_above_max_length",
  );

export const arrayTooLong = (param: string, max: number, length: number): Refusal =>
  badRequest(
    `Invalid '${param}': array too long. Expected an array with maximum length ${max}, but got an array with length ${length} instead.`,
    param,
    "array_above_max_length",
  );

export const arrayTooShort = (param: string, min: number): Refusal =>
  badRequest(
    new RegExp(
      `^Invalid '${escape(param)}': array too short\\. Expected an array with minimum length ${min}, but got .+ instead\\.$`,
    ),
    param,
    "array_below_min_length",
  );

export const tooBig = (param: string, kind: "integer" | "decimal", max: number, got: number): Refusal =>
  badRequest(
    `Invalid '${param}': ${kind} above maximum value. Expected a value <= ${max}, but got ${got} instead.`,
    param,
    `${kind}_above_max_value`,
  );

export const tooSmall = (param: string, kind: "integer" | "decimal", min: number, got: number): Refusal =>
  badRequest(
    `Invalid '${param}': ${kind} below minimum value. Expected a value >= ${min}, but got ${got} instead.`,
    param,
    `${kind}_below_min_value`,
  );

export const wrongPrefix = (param: string, id: string, prefix: string): Refusal =>
  badRequest(`Invalid '${param}': '${id}'. Expected an ID that begins with '${prefix}'.`, param, "invalid_value");

/** The values in the order of the contract, where it shows the whole text. */
export const unsupported = (param: string, given: string, values: readonly string[]): Refusal =>
  badRequest(`Invalid value: '${given}'. Supported values are: ${listed(values)}.`, param, "invalid_value");

/** The same where the contract names the values and not their order. */
export const unsupportedInAnyOrder = (param: string, given: string, values: readonly string[]): Refusal => {
  const all = values.map((value) => `(?=.*'${escape(value)}')`).join("");
  const separated = `'[^']+'${"(?:, and |, | and )'[^']+'".repeat(values.length - 1)}`;
  return badRequest(
    new RegExp(`^${all}Invalid value: '${escape(given)}'\\. Supported values are: ${separated}\\.$`),
    param,
    "invalid_value",
  );
};

/** Refused at this place, in words that the contract does not know. */
export const invalid = (param: string): Refusal => badRequest(new RegExp(`^Invalid '${escape(param)}'`), param, ANY);

/** `'a' and 'b'`, or `'a', 'b', and 'c'` */
function listed(values: readonly string[]): string {
  const quoted = values.map((value) => `'${value}'`);
  if (quoted.length < 3) return quoted.join(" and ");
  return `${quoted.slice(0, -1).join(", ")}, and ${quoted.at(-1)}`;
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** Checks an answer word for word, and that its body has the four keys and nothing else. */
export function assertRefused(answer: Answer<unknown>, expected: Refusal): void {
  assert.ok(answer.status >= 400, `was accepted: ${answer.status} ${shorten(JSON.stringify(answer.body))}`);
  const { error, ...others } = answer.body as ErrorBody;
  const { message, type, param, code, ...more } = error;
  assert.deepEqual([others, more], [{}, {}], "the body of an error has message, type, param and code");
  const said = { status: answer.status, message, type, param, code };
  assert.deepEqual(said, {
    ...expected,
    message: matches(expected.message, message) ? message : String(expected.message),
    param: expected.param === ANY ? param : expected.param,
    code: expected.code === ANY ? code : expected.code,
  });
}

function matches(expected: string | RegExp, message: string): boolean {
  return typeof expected === "string" ? expected === message : expected.test(message);
}

/** For messages of failed tests. */
export function shorten(text: string | undefined): string {
  return text === undefined || text.length <= 300 ? String(text) : `${text.slice(0, 300)}…`;
}
