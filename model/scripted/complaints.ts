// OpenAI's sentences about one wrong parameter of a request, each as the 400 that carries it.
import { badRequest } from "./api-error.ts";
import type { ApiError } from "./api-error.ts";

const MAX_NAME_LENGTH = 64;
const NAME_PATTERN = /^[a-zA-Z0-9_-]+$/;

/** OpenAI takes a null for a parameter that was not given. */
export function isSet<T>(value: T): value is NonNullable<T> {
  return value !== undefined && value !== null;
}

export function missing(path: string): ApiError {
  return badRequest(`Missing required parameter: '${path}'.`, path, "missing_required_parameter");
}

export function wrongType(path: string, expected: string, value: unknown): ApiError {
  const got = value === null ? "null" : Array.isArray(value) ? "an array" : `a ${typeof value}`;
  return badRequest(`Invalid type for '${path}': expected ${expected}, but got ${got} instead.`, path, "invalid_type");
}

export function notOneOf(path: string, value: unknown, allowed: readonly string[]): ApiError {
  const list = allowed.map((name) => `'${name}'`).join(", ");
  const shown = typeof value === "string" ? value : JSON.stringify(value);
  return badRequest(`Invalid value: '${shown}'. Supported values are: ${list}.`, path, "invalid_value");
}

export function emptyArray(path: string): ApiError {
  return badRequest(
    `Invalid '${path}': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
    path,
    "empty_array",
  );
}

export function arrayTooLong(path: string, length: number, maximum: number): ApiError {
  return badRequest(
    `Invalid '${path}': array too long. Expected an array with maximum length ${maximum}, but got an array with length ${length} instead.`,
    path,
    "array_above_max_length",
  );
}

export function stringTooLong(path: string, length: number, maximum: number): ApiError {
  return badRequest(
    `Invalid '${path}': string too long. Expected a string with maximum length ${maximum}, but got a string with length ${length} instead.`,
    path,
    "string_above_max_length",
  );
}

export function outOfRange(
  path: string,
  value: number,
  range: { kind: string; minimum: number; maximum: number },
): ApiError {
  const { kind, minimum, maximum } = range;
  const [where, sign, bound, code] =
    value < minimum ? ["below minimum", ">=", minimum, "below_min"] : ["above maximum", "<=", maximum, "above_max"];
  return badRequest(
    `Invalid '${path}': ${kind} ${where} value. Expected a value ${sign} ${bound}, but got ${value} instead.`,
    path,
    `${kind}_${code}_value`,
  );
}

/** Throws unless the value can be the name of a function or of a response format. */
export function checkName(name: unknown, path: string): asserts name is string {
  if (typeof name !== "string") throw missing(path);
  if (name.length > MAX_NAME_LENGTH) throw stringTooLong(path, name.length, MAX_NAME_LENGTH);
  if (NAME_PATTERN.test(name)) return;
  throw badRequest(
    `Invalid '${path}': string does not match pattern. Expected a string that matches the pattern '${NAME_PATTERN.source}'.`,
    path,
    "invalid_value",
  );
}
