// What a search may ask of the attributes of files: comparisons, joined by `and` and `or`.
import { z } from "zod";
import {
  MAX_FILTER_COMPARISONS,
  MAX_FILTER_DEPTH,
  MAX_FILTER_VALUES,
  MAX_METADATA_KEY_LENGTH,
  MAX_METADATA_VALUE_LENGTH,
} from "./limits.ts";
import { text } from "./text.ts";

const Key = text({ min: 1, max: MAX_METADATA_KEY_LENGTH });
const Value = z.union([text({ max: MAX_METADATA_VALUE_LENGTH }), z.number(), z.boolean()]);

const Comparison = z.strictObject({
  type: z.enum(["eq", "ne", "gt", "gte", "lt", "lte"]),
  key: Key,
  value: Value,
});
const Membership = z.strictObject({
  type: z.enum(["in", "nin"]),
  key: Key,
  value: z.array(Value).max(MAX_FILTER_VALUES),
});

export type ComparisonFilter = z.infer<typeof Comparison> | z.infer<typeof Membership>;
export interface CompoundFilter {
  type: "and" | "or";
  filters: SearchFilter[];
}
export type SearchFilter = ComparisonFilter | CompoundFilter;

/** Built level by level, so that nothing recurses deeper than what a client is allowed to send. */
function filterOf(levels: number): z.ZodType<SearchFilter> {
  if (levels > 1) return z.discriminatedUnion("type", [Comparison, Membership, compoundOf(filterOf(levels - 1))]);
  return z.discriminatedUnion("type", [
    Comparison,
    Membership,
    compoundOf(z.unknown() as z.ZodType<SearchFilter>)
      .refine(() => false, {
        message: `Invalid '{path}': filters may be nested at most ${MAX_FILTER_DEPTH} levels deep.`,
        abort: true, // what is inside is not looked at
      })
      .meta({ not: {} }),
  ]);
}

function compoundOf(filter: z.ZodType<SearchFilter>) {
  return z.strictObject({ type: z.enum(["and", "or"]), filters: z.array(filter).min(1).max(MAX_FILTER_COMPARISONS) });
}

export const SearchFilter: z.ZodType<SearchFilter> = filterOf(MAX_FILTER_DEPTH).refine(
  (filter) => countComparisons(filter) <= MAX_FILTER_COMPARISONS,
  { message: `Invalid '{path}': a filter may have at most ${MAX_FILTER_COMPARISONS} comparisons.` },
);

function countComparisons(filter: SearchFilter): number {
  if (filter.type !== "and" && filter.type !== "or") return 1;
  return filter.filters.reduce((count, inner) => count + countComparisons(inner), 0);
}
