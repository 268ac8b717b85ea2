// Vector search: the chunks whose embeddings are nearest to the query's. With pgvector's index where there is one and the
// search is large enough to need it, otherwise by a look at the codes of all chunks and at the vectors of the best.
import { MAX_SCANNED_CHUNKS, SEARCH_CANDIDATES, VECTOR_CANDIDATES } from "../contract/limits.ts";
import { withTransaction } from "./pool.ts";
import type { Pool } from "./pool.ts";
import { FILES } from "./search-scope.ts";
import type { Candidate } from "./search-scope.ts";
import { codeOf } from "./vector-code.ts";
import { findVectorIndex, indexedExpression } from "./vector-index.ts";
import type { EmbeddingModel } from "./vector-index.ts";

export interface VectorMatch extends Candidate {
  /** Cosine of the angle to the query. */
  similarity: number;
}

/** Which way to take: the tests and the benchmark compare them. */
export type VectorMethod = "auto" | "scan" | "index";

const OF_MODEL = `chunks.project_id = $1 and chunks.vector_store_file_id in (select id from files)
  and chunks.embedding_model_id = $5::smallint`;

const COUNT = `with ${FILES} select count(*) as count
  from (select 1 from chunks where ${OF_MODEL} limit ${MAX_SCANNED_CHUNKS + 1}) as counted`;

const SCAN = `with ${FILES},
  nearest as materialized (
    select chunks.id from chunks where ${OF_MODEL} order by bit_count(chunks.code # $6::bit varying) limit ${VECTOR_CANDIDATES})
  select chunks.id, files.file_id, chunks.chunk_index, array_send(chunks.embedding) as embedding
  from nearest join chunks on chunks.id = nearest.id join files on files.id = chunks.vector_store_file_id`;

/** The best chunks for one embedding: exactly the best among up to ${VECTOR_CANDIDATES} chunks, nearly so beyond. */
export async function searchVectors(
  pool: Pool,
  scope: readonly unknown[],
  query: { embedding: Float32Array; model: EmbeddingModel; method?: VectorMethod | undefined },
): Promise<VectorMatch[]> {
  const method = query.method ?? "auto";
  const index = method === "scan" ? undefined : await findVectorIndex(pool, query.model);
  if (index === undefined) return scan(pool, scope, query);
  if (method === "auto" && !(await isLarge(pool, scope, query.model))) return scan(pool, scope, query);
  const found = await searchIndex(pool, scope, query);
  // The index gives up after some thousand chunks that are out of scope.
  return found.length < SEARCH_CANDIDATES && method === "auto" ? scan(pool, scope, query) : found;
}

async function isLarge(pool: Pool, scope: readonly unknown[], model: EmbeddingModel): Promise<boolean> {
  const { rows } = await pool.query<{ count: number }>(COUNT, [...scope, model.id]);
  return (rows[0]?.count ?? 0) > MAX_SCANNED_CHUNKS;
}

interface Stored extends Candidate {
  /** Postgres's own form of the array. */
  embedding: Buffer;
}

async function scan(
  pool: Pool,
  scope: readonly unknown[],
  { embedding, model }: { embedding: Float32Array; model: EmbeddingModel },
): Promise<VectorMatch[]> {
  const { rows } = await pool.query<Stored>(SCAN, [...scope, model.id, codeOf(embedding)]);
  return rank(embedding, rows);
}

async function searchIndex(
  pool: Pool,
  scope: readonly unknown[],
  { embedding, model }: { embedding: Float32Array; model: EmbeddingModel },
): Promise<VectorMatch[]> {
  const distance = `(${indexedExpression(model)}) <=> $5::text::halfvec(${model.dimensions})`;
  return withTransaction(pool, async (tx) => {
    await tx.query(INDEX_SETTINGS);
    const { rows } = await tx.query<Stored>(
      `select chunks.id, file.file_id, chunks.chunk_index, array_send(chunks.embedding) as embedding
       from chunks join vector_store_files file on file.id = chunks.vector_store_file_id
       where chunks.embedding_model_id = ${model.id} and file.project_id = $1 and file.vector_store_id = any($2::text[])
         and file.status = 'completed'
         and ($3::text is null or jsonb_path_match(file.attributes, $3::text::jsonpath, $4::text::jsonb, true) is true)
       order by ${distance} limit ${2 * SEARCH_CANDIDATES}`,
      [...scope, `[${embedding.join(",")}]`],
    );
    return rank(embedding, rows); // the index holds halves
  });
}

/** Sorting everything would be the planner's other way. With an iterative scan, what is out of scope is made up for. */
const INDEX_SETTINGS = `set local enable_seqscan = off; set local enable_sort = off;
  set local hnsw.ef_search = ${2 * SEARCH_CANDIDATES}; set local hnsw.iterative_scan = relaxed_order`;

function rank(query: Float32Array, rows: readonly Stored[]): VectorMatch[] {
  const matches = rows.map(({ embedding, ...candidate }) => ({ ...candidate, similarity: multiply(query, embedding) }));
  return matches.toSorted((a, b) => b.similarity - a.similarity || a.id - b.id).slice(0, SEARCH_CANDIDATES);
}

/** A head, then the length and the big-endian value of each element. */
const ARRAY_HEAD_BYTES = 20;
const LENGTH_BYTES = 4;

function multiply(vector: Float32Array, array: Buffer): number {
  const view = new DataView(array.buffer, array.byteOffset, array.byteLength);
  let sum = 0;
  for (let index = 0, at = ARRAY_HEAD_BYTES + LENGTH_BYTES; index < vector.length; index += 1, at += 8) {
    sum += (vector[index] as number) * view.getFloat32(at);
  }
  return sum;
}
