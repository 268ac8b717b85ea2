// A search through one vector store.
import { z } from "zod";
import { Attributes } from "./attributes.ts";
import { DEFAULT_SEARCH_RESULTS, MAX_QUERY_LENGTH, MAX_SEARCH_QUERIES, MAX_SEARCH_RESULTS } from "./limits.ts";
import { withDefault } from "./nullish.ts";
import { SearchFilter } from "./search-filter.ts";
import { text } from "./text.ts";

const Query = text({ min: 1, max: MAX_QUERY_LENGTH });

const RankingOptions = z.strictObject({
  ranker: withDefault(z.enum(["none", "auto", "default-2024-11-15"]), "auto"),
  score_threshold: withDefault(z.number().min(0).max(1), 0),
});

export const SearchVectorStore = z.strictObject({
  query: z.union([Query, z.array(Query).min(1).max(MAX_SEARCH_QUERIES)]),
  rewrite_query: withDefault(z.boolean(), false),
  max_num_results: withDefault(z.int().min(1).max(MAX_SEARCH_RESULTS), DEFAULT_SEARCH_RESULTS),
  filters: SearchFilter.nullish(),
  ranking_options: withDefault(RankingOptions, { ranker: "auto", score_threshold: 0 }),
});
export type SearchVectorStore = z.infer<typeof SearchVectorStore>;

export const SearchResultsPage = z.strictObject({
  object: z.literal("vector_store.search_results.page"),
  search_query: z.array(z.string()),
  data: z.array(
    z.strictObject({
      file_id: z.string(),
      filename: z.string(),
      score: z.number(),
      attributes: Attributes,
      content: z.array(z.strictObject({ type: z.literal("text"), text: z.string() })),
    }),
  ),
  has_more: z.literal(false),
  next_page: z.null(),
});
export type SearchResultsPage = z.infer<typeof SearchResultsPage>;
