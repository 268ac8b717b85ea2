// Hybrid search through vector stores: words and vectors, each query for itself, then fused into one order.
import { MAX_QUERY_LENGTH, MAX_SEARCH_QUERIES } from "../contract/limits.ts";
import type { SearchFilter } from "../contract/search-filter.ts";
import { fuse } from "./fusion.ts";
import type { FusionWeights, Scored } from "./fusion.ts";
import type { Pool } from "./pool.ts";
import { scopeValues } from "./search-scope.ts";
import type { SearchScope } from "./search-scope.ts";
import { searchVectors } from "./search-vectors.ts";
import type { VectorMethod } from "./search-vectors.ts";
import { searchWords } from "./search-words.ts";
import { findEmbeddingModel } from "./vector-index.ts";

export interface SearchHit {
  file_id: string;
  filename: string;
  attributes: Record<string, string | number | boolean>;
  /** 0 to 1; docs/file-search.md says what it means. */
  score: number;
  chunk_index: number;
  text: string;
  tokens: number;
}

export interface SearchQuery {
  text: string;
  /** A unit vector, or null for a search by words alone. */
  embedding: Float32Array | null;
}

export interface Search {
  queries: readonly SearchQuery[];
  filters?: SearchFilter | undefined;
  limit: number;
  weights?: FusionWeights | undefined;
  /** Hits with a lower score are left out. */
  score_threshold?: number | undefined;
  /** Who made the embeddings of the queries: only chunks embedded by the same model are compared with them. */
  embedding_model?: string | undefined;
  /** For benchmarks: how vectors are looked for, and whether only one half of the search is made. */
  vectors?: VectorMethod | undefined;
  only?: "words" | "vectors" | undefined;
}

/** The best chunks of the completed files of these stores, best first: by words and, for queries that have one, by vector. */
export async function searchChunks(pool: Pool, scope: SearchScope, search: Search): Promise<SearchHit[]> {
  if (scope.vector_store_ids.length === 0) return [];
  const values = scopeValues(scope, search.filters);
  const queries = search.queries.slice(0, MAX_SEARCH_QUERIES);
  const found = await Promise.all(queries.map((query) => searchOne(pool, values, { query, search })));
  const best = fuse(found, search).filter((hit) => hit.score >= (search.score_threshold ?? 0));
  return readHits(pool, scope, best);
}

async function searchOne(
  pool: Pool,
  scope: readonly unknown[],
  { query, search }: { query: SearchQuery; search: Search },
) {
  const text = query.text.slice(0, MAX_QUERY_LENGTH).replaceAll("\0", " ");
  const [words, vectors] = await Promise.all([
    search.only === "vectors" ? undefined : searchWords(pool, scope, text),
    search.only === "words" ? undefined : searchEmbedding(pool, scope, { query, search }),
  ]);
  return { words, vectors };
}

/** Undefined when there is nothing to compare: no embedding, or no chunk with one of the same model. */
async function searchEmbedding(
  pool: Pool,
  scope: readonly unknown[],
  { query: { embedding }, search }: { query: SearchQuery; search: Search },
) {
  if (embedding === null) return undefined;
  const name = { model: search.embedding_model ?? "", dimensions: embedding.length };
  const model = await findEmbeddingModel(pool, name);
  if (model === undefined) return undefined;
  return searchVectors(pool, scope, { embedding, model, method: search.vectors });
}

async function readHits(pool: Pool, scope: SearchScope, best: readonly Scored[]): Promise<SearchHit[]> {
  if (best.length === 0) return [];
  const { rows } = await pool.query<Omit<SearchHit, "score"> & { id: number }>(
    `select chunks.id, file.file_id, files.filename, file.attributes, chunks.chunk_index, chunks.text, chunks.tokens
     from chunks
     join vector_store_files file on file.id = chunks.vector_store_file_id
     join files on files.id = file.file_id
     where chunks.project_id = $1 and chunks.id = any($2::bigint[])
       and (files.expires_at is null or files.expires_at > now())`,
    [scope.project_id, best.map((hit) => hit.id)],
  );
  const byId = new Map(rows.map(({ id, ...hit }) => [id, hit]));
  return best.flatMap(({ id, score }) => {
    const hit = byId.get(id); // gone if its file was removed in between, or its time is over
    return hit === undefined ? [] : { ...hit, score };
  });
}
