// A search filter as a jsonpath with variables: one parameter each, whatever the filter looks like, so that a client's
// filter never becomes part of a statement.
import type { ComparisonFilter, CompoundFilter, SearchFilter } from "../contract/search-filter.ts";

/** For `jsonb_path_match(attributes, $path::jsonpath, $values::jsonb, true) is true`. */
export interface FilterPath {
  path: string;
  values: string;
}

const OPERATORS = { eq: "==", gt: ">", gte: ">=", lt: "<", lte: "<=" } as const;

/**
 * Values of different types are never equal and never greater or less, and neither is an attribute that is missing.
 * `ne` and `nin` are true wherever `eq` and `in` are not. Strings are in the order of their code points.
 */
export function toFilterPath(filter: SearchFilter): FilterPath {
  const values: Record<string, unknown> = {};
  const add = (value: unknown) => {
    const name = `v${Object.keys(values).length}`;
    values[name] = typeof value === "string" ? value.toWellFormed() : value;
    return `$${name}`;
  };
  return { path: render(filter, add), values: JSON.stringify(values) };
}

type AddValue = (value: unknown) => string;

function render(filter: SearchFilter, add: AddValue): string {
  if (isCompound(filter)) {
    const inner = filter.filters.map((part) => render(part, add));
    return `(${inner.join(filter.type === "and" ? " && " : " || ")})`;
  }
  return renderComparison(filter, add);
}

function isCompound(filter: SearchFilter): filter is CompoundFilter {
  return filter.type === "and" || filter.type === "or";
}

function renderComparison(filter: ComparisonFilter, add: AddValue): string {
  const attribute = `$.${JSON.stringify(filter.key.toWellFormed())}`;
  const compare = (operator: string, value: unknown) => `(${attribute} ${operator} ${add(value)})`;
  const isOneOf = (values: readonly unknown[]) =>
    values.length === 0 ? "(1 == 2)" : `(${values.map((value) => compare("==", value)).join(" || ")})`;
  switch (filter.type) {
    case "ne":
      return negate(compare("==", filter.value));
    case "in":
      return isOneOf(filter.value);
    case "nin":
      return negate(isOneOf(filter.value));
    default:
      return compare(OPERATORS[filter.type], filter.value);
  }
}

/** A comparison of different types is neither true nor false in jsonpath. */
function negate(condition: string): string {
  return `(!${condition} || (${condition} is unknown))`;
}
