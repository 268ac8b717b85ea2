// The rows of chunks: what a file in a vector store is searched by. They go after the file's row in the store has gone.
import type { Queryable } from "./pool.ts";
import { codeOf } from "./vector-code.ts";
import { wordsOfText } from "./words.ts";

/** Text search configuration of chunks whose writer names none. */
export const DEFAULT_LANGUAGE = "english";

export interface NewChunk {
  index: number;
  text: string;
  tokens: number;
  /** A unit vector, or null where there is no embedding endpoint. */
  embedding: Float32Array | null;
}

export interface ChunksKey {
  project_id: string;
  vector_store_file_id: number | string;
  /** Text search configuration of Postgres, such as `english` or `simple`. */
  language?: string;
  /** Who made the embeddings. Vectors are compared with those of the same model and length only. */
  embedding_model?: string;
}

/**
 * Writes chunks of one file of a store, inside a transaction that holds the file's row there. Writing the same indexes again changes nothing, and neither does writing to a
 * file that is no longer in the store. Throws when the language is not one of the database's.
 */
export async function insertChunks(db: Queryable, key: ChunksKey, chunks: readonly NewChunk[]): Promise<void> {
  if (chunks.length === 0) return;
  const language = key.language ?? DEFAULT_LANGUAGE;
  await rememberLanguage(db, language);
  const models = new Map<number, number>();
  for (const { embedding } of chunks) {
    if (embedding === null || models.has(embedding.length)) continue;
    const model = { model: key.embedding_model ?? "", dimensions: embedding.length };
    models.set(embedding.length, await rememberModel(db, model));
  }
  const words = chunks.map((chunk) => wordsOfText(chunk.text));
  await db.query(
    `insert into chunks (project_id, vector_store_file_id, chunk_index, text, tokens, words, embedding_model_id, code,
       embedding)
     select file.project_id, file.id, item.index, item.text, item.tokens,
       to_tsvector($3::text::regconfig, item.plain)
         || array_to_tsvector(string_to_array(item.exact, ' ') || ('=' || file.vector_store_id)),
       item.model, item.code::bit varying, item.embedding::real[]
     from vector_store_files file, unnest($4::integer[], $5::text[], $6::integer[], $7::text[], $8::text[],
       $9::smallint[], $10::text[], $11::text[])
       as item (index, text, tokens, plain, exact, model, code, embedding)
     where file.project_id = $1 and file.id = $2::bigint
     order by item.index
     on conflict (vector_store_file_id, chunk_index) do nothing`,
    [
      key.project_id,
      key.vector_store_file_id,
      language,
      chunks.map((chunk) => chunk.index),
      chunks.map((chunk) => chunk.text.replaceAll("\0", "")),
      chunks.map((chunk) => chunk.tokens),
      words.map(({ plain }) => plain),
      words.map(({ exact }) => exact.join(" ")),
      chunks.map(({ embedding }) => (embedding === null ? null : models.get(embedding.length))),
      chunks.map(({ embedding }) => (embedding === null ? null : codeOf(embedding))),
      chunks.map(({ embedding }) => (embedding === null ? null : `{${embedding.join(",")}}`)),
    ],
  );
}

/** The number of a model. One that is new gets its number. */
async function rememberModel(db: Queryable, model: { model: string; dimensions: number }): Promise<number> {
  const values = [model.model, model.dimensions];
  const find = () =>
    db.query<{ id: number }>("select id from embedding_models where model = $1 and dimensions = $2", values);
  const known = (await find()).rows[0];
  if (known) return known.id;
  await db.query("insert into embedding_models (model, dimensions) values ($1, $2) on conflict do nothing", values);
  return (await find()).rows[0]?.id as number;
}

async function rememberLanguage(db: Queryable, language: string): Promise<void> {
  const { rowCount } = await db.query("select 1 from search_languages where name = $1", [language]);
  if (rowCount !== 0) return;
  await db.query(
    "insert into search_languages (name) select $1::text where $1::text::regconfig is not null on conflict do nothing",
    [language],
  );
}
