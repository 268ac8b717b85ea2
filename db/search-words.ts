// Full-text search: the chunks that have the query's words, best first by BM25, which Postgres does not offer itself.
import { MAX_QUERY_WORDS, SEARCH_CANDIDATES, WORD_CANDIDATES } from "../contract/limits.ts";
import type { Queryable } from "./pool.ts";
import { FILES } from "./search-scope.ts";
import type { Candidate } from "./search-scope.ts";
import { wordsOfQuery } from "./words.ts";

/** How soon more of the same word counts no more, and how much longer chunks are held back: the usual values. */
const SATURATION = 1.2;
const LENGTH_WEIGHT = 0.75;

export interface WordMatch extends Candidate {
  /** The share of the query's words, weighted by how rare they are, that the chunk has: 0 to 1. */
  coverage: number;
}

/**
 * Any word of the query will do, rare ones count more. First the words alone decide, which the index knows; how often
 * they occur is looked up for the best of those only.
 */
const SEARCH_WORDS = `
  with ${FILES},
  stores as (
    select string_agg((array_to_tsvector(array['=' || id])::text), ' | ')::tsquery as query from unnest($2::text[]) id),
  stems as (
    select distinct unnest(tsvector_to_array(to_tsvector(name::regconfig, $5))) as word from search_languages),
  terms as materialized (
    select word, bool_or(is_stem) as is_stem, stores.query && array_to_tsvector(array[word])::text::tsquery as query
    from stores, (
      select word, true from stems
      union all
      -- Words that the language passes over are no identifiers either, unless they have more than letters.
      select word, false from unnest($6::text[]) word
      where exists (select from search_languages where length(to_tsvector(name::regconfig, word)) > 0)
    ) as found (word, is_stem)
    group by word, stores.query),
  postings as materialized (
    select terms.word, matching.id
    from terms cross join lateral (
      select id, vector_store_file_id from chunks where words @@ terms.query and project_id = $1
      offset 0) as matching -- one look into the index for each word, and never a scan of the texts
    where matching.vector_store_file_id in (select id from files)),
  total as (
    select count(*) as chunks from chunks where vector_store_file_id in (select id from files)),
  weights as materialized (
    select word, is_stem, ln(1 + (total.chunks - count(postings.id) + 0.5)::float8 / (count(postings.id) + 0.5)::float8) as weight
    from total, terms left join postings using (word)
    group by word, is_stem, total.chunks),
  best as materialized (
    select postings.id, sum(weight) as score, sum(weight) filter (where is_stem) as stem_score
    from postings join weights using (word)
    group by postings.id
    order by score desc, postings.id
    limit ${WORD_CANDIDATES}),
  mean as (select avg(tokens)::float8 as tokens from chunks where id in (select id from best))
  select chunks.id, files.file_id, chunks.chunk_index,
    coalesce(best.stem_score / nullif((select sum(weight) from weights where is_stem), 0), 0)::float8 as coverage
  from best
  join chunks on chunks.id = best.id
  join files on files.id = chunks.vector_store_file_id
  cross join mean
  cross join lateral (
    select sum(weight * tf * ${1 + SATURATION}
      / (tf + ${SATURATION} * (1 - ${LENGTH_WEIGHT} + ${LENGTH_WEIGHT} * chunks.tokens / greatest(mean.tokens, 1)))) as bm25
    from unnest(chunks.words) as entry
    join weights on weights.word = entry.lexeme
    cross join lateral (select coalesce(cardinality(entry.positions), 1)::float8 as tf) as frequency
  ) as rank
  order by rank.bm25 desc, chunks.id
  limit ${SEARCH_CANDIDATES}`;

/** The best chunks for one query; none when it has no words but those that the language passes over. */
export async function searchWords(db: Queryable, scope: readonly unknown[], text: string): Promise<WordMatch[]> {
  const { plain, exact } = wordsOfQuery(text, MAX_QUERY_WORDS);
  if (plain === "") return [];
  const { rows } = await db.query<WordMatch>(SEARCH_WORDS, [...scope, plain, exact]);
  return rows;
}
