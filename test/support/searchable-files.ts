// Vector stores with files that can be searched, for tests of what runs do with them.
import { toFile } from "openai";
import { insertChunks } from "../../db/chunks.ts";
import { countTokens } from "../../model/tokens.ts";
import type { Stack } from "./stack.ts";
import { storeFile } from "./stored-files.ts";

export interface StoreOptions {
  /** Days after the last use. */
  expiresAfterDays?: number;
  /** How long ago it was used. */
  idleDays?: number;
}

/** Makes an empty store and returns its id. */
export async function makeStore(
  { openai, db }: Pick<Stack, "openai" | "db">,
  { expiresAfterDays: days, idleDays = 0 }: StoreOptions = {},
): Promise<string> {
  const { id } = await openai.vectorStores.create(
    days === undefined ? {} : { expires_after: { anchor: "last_active_at", days } },
  );
  await db.query("update vector_stores set last_active_at = now() - $2 * interval '24 hours' where id = $1", [
    id,
    idleDays,
  ]);
  return id;
}

export interface TextOptions {
  filename: string;
  /** Short enough to be one chunk. */
  text: string;
  attributes?: Record<string, string>;
}

/** Adds a file as clients do, waits until it can be searched, and returns its id. Wants a worker. */
export async function addText(
  { openai }: Pick<Stack, "openai">,
  storeId: string,
  { filename, text, attributes = {} }: TextOptions,
): Promise<string> {
  const { id } = await openai.files.create({ file: await toFile(Buffer.from(text), filename), purpose: "assistants" });
  const added = await openai.vectorStores.files.createAndPoll(
    storeId,
    { file_id: id, attributes },
    { pollIntervalMs: 50 },
  );
  if (added.status !== "completed") throw new Error(`${filename} is ${added.status}: ${added.last_error?.message}`);
  return id;
}

export interface ChunkOptions {
  filename: string;
  chunks: readonly string[];
  status?: "in_progress" | "completed";
  attributes?: Record<string, string>;
}

/** Adds a file with just these chunks, without vectors, written straight into the tables, and returns its id. */
export async function addChunks(
  stack: Pick<Stack, "db" | "folder">,
  storeId: string,
  { filename, chunks, status = "completed", attributes = {} }: ChunkOptions,
): Promise<string> {
  const id = await storeFile(stack, { content: chunks.join("\n"), filename });
  // Nobody looks at one that is on its way, so it stays on its way.
  const { rows } = await stack.db.query<{ id: string; project_id: string }>(
    `insert into vector_store_files (project_id, vector_store_id, file_id, status, max_chunk_size_tokens,
       chunk_overlap_tokens, attributes, chunks, text_bytes, usage_bytes, check_at)
     select project_id, $1, $2, $3, 800, 400, $4, $5, $6::bigint, case when $3 = 'completed' then $6::bigint else 0 end, 'infinity'
     from vector_stores where id = $1 returning id, project_id`,
    [storeId, id, status, JSON.stringify(attributes), chunks.length, Buffer.byteLength(chunks.join(""))],
  );
  const row = rows[0];
  if (row === undefined) throw new Error(`there is no store ${storeId}`);
  await insertChunks(
    stack.db,
    { project_id: row.project_id, vector_store_file_id: row.id },
    chunks.map((text, index) => ({ index, text, tokens: countTokens(text), embedding: null })),
  );
  return id;
}

/** Makes the files of a store searchable that were not yet. */
export async function completeFiles({ db }: Pick<Stack, "db">, storeId: string): Promise<void> {
  await db.query(
    "update vector_store_files set status = 'completed', usage_bytes = text_bytes where vector_store_id = $1",
    [storeId],
  );
}
