// pgvector's index over the embeddings of one model, where the database has that extension. Without it searches scan.
import pg from "pg";
import { VECTOR_INDEX_CACHE_MS } from "../contract/limits.ts";
import type { Pool } from "./pool.ts";

export interface EmbeddingModel {
  id: number;
  dimensions: number;
}

/** The first release whose index goes on looking when what it found is out of scope. */
const OLDEST_RELEASE = [0, 8];
/** pgvector indexes halves of up to so many dimensions. */
const MAX_INDEXED_DIMENSIONS = 4000;
/** Whoever holds this advisory lock makes indexes. */
const LOCK = 7_316_043;

/** What the index holds; a search must say exactly the same. */
export function indexedExpression({ dimensions }: Pick<EmbeddingModel, "dimensions">): string {
  return `embedding::halfvec(${dimensions})`;
}

/** The numbers of a model under which chunks are found, if any have it. */
export async function findEmbeddingModel(
  pool: Pool,
  model: { model: string; dimensions: number },
): Promise<EmbeddingModel | undefined> {
  const { rows } = await pool.query<EmbeddingModel>(
    "select id, dimensions from embedding_models where model = $1 and dimensions = $2",
    [model.model, model.dimensions],
  );
  return rows[0];
}

const seen = new WeakMap<Pool, { at: number; indexes: Promise<Set<string>> }>();

/** The name of the model's index when it is complete. What is seen is believed for some seconds. */
export async function findVectorIndex(pool: Pool, model: EmbeddingModel): Promise<string | undefined> {
  let known = seen.get(pool);
  if (known === undefined || Date.now() - known.at > VECTOR_INDEX_CACHE_MS) {
    known = { at: Date.now(), indexes: listIndexes(pool) };
    seen.set(pool, known);
    known.indexes.catch(() => seen.delete(pool));
  }
  const name = indexName(model);
  return (await known.indexes).has(name) ? name : undefined;
}

/** For tests: looks again at the next search. */
export function forgetVectorIndexes(pool: Pool): void {
  seen.delete(pool);
}

async function listIndexes(pool: Pool): Promise<Set<string>> {
  const { rows } = await pool.query<{ name: string }>(
    `select class.relname as name from pg_index join pg_class class on class.oid = pg_index.indexrelid
     where indrelid = 'chunks'::regclass and indisvalid and class.relname like 'chunks\\_by\\_embedding\\_%'`,
  );
  return new Set(rows.map((row) => row.name));
}

function indexName({ id }: EmbeddingModel): string {
  return `chunks_by_embedding_${id}`;
}

export type VectorIndexState = "ready" | "no_extension" | "too_many_dimensions" | "busy";

/**
 * Makes the index of a model if it is missing and the database can have it, without locking anybody out. May take hours
 * on a large table, so it has a connection of its own, without time limits. To be called at each start of a worker: this
 * is how a pgvector that was installed later, or a new model, gets its index.
 */
export async function ensureVectorIndex(
  databaseUrl: string,
  { model, dimensions }: { model: string; dimensions: number },
): Promise<VectorIndexState> {
  if (dimensions > MAX_INDEXED_DIMENSIONS) return "too_many_dimensions";
  const client = new pg.Client({ connectionString: databaseUrl, application_name: "vector-index" });
  client.on("error", () => undefined); // the statement under way fails, too
  await client.connect();
  try {
    const lock = await client.query<{ locked: boolean }>("select pg_try_advisory_lock($1) as locked", [LOCK]);
    if (lock.rows[0]?.locked !== true) return "busy";
    if (!(await hasExtension(client))) return "no_extension";
    await client.query("insert into embedding_models (model, dimensions) values ($1, $2) on conflict do nothing", [
      model,
      dimensions,
    ]);
    const { rows } = await client.query<EmbeddingModel>(
      "select id, dimensions from embedding_models where model = $1 and dimensions = $2",
      [model, dimensions],
    );
    await makeIndex(client, rows[0] as EmbeddingModel);
    return "ready";
  } finally {
    await client.end();
  }
}

/** Installs the extension where it is available and we may. */
async function hasExtension(client: pg.Client): Promise<boolean> {
  await client.query("create extension if not exists vector").catch(() => undefined);
  const { rows } = await client.query<{ extversion: string }>(
    "select extversion from pg_extension where extname = 'vector'",
  );
  const release = rows[0]?.extversion.split(".").map(Number);
  if (release === undefined) return false;
  const [major = 0, minor = 0] = release;
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_RELEASE;
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

async function makeIndex(client: pg.Client, model: EmbeddingModel): Promise<void> {
  const name = indexName(model);
  const { rows } = await client.query<{ indisvalid: boolean }>(
    "select indisvalid from pg_index where indexrelid = to_regclass($1)",
    [name],
  );
  if (rows[0]?.indisvalid === true) return;
  if (rows[0] !== undefined) await client.query(`drop index concurrently ${name}`); // somebody was interrupted
  await client.query(
    `create index concurrently ${name} on chunks using hnsw ((${indexedExpression(model)}) halfvec_cosine_ops)
     where embedding_model_id = ${model.id}`,
  );
}
