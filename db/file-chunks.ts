// The chunks of files in stores, all of a file together: removed when a file ends otherwise than completed, and read as
// the file's text.
import type { Queryable } from "./pool.ts";

/** Rows that one read of a file's text takes. */
const TEXT_BATCH = 200;

/** Removes whatever was made of files, inside the transaction that ends them. */
export async function removeChunks(tx: Queryable, vectorStoreFileIds: readonly number[]): Promise<void> {
  await tx.query("delete from chunks where vector_store_file_id = any($1::bigint[])", [vectorStoreFileIds]);
  await tx.query("delete from extracted_chunks where vector_store_file_id = any($1::bigint[])", [vectorStoreFileIds]);
}

/** The texts of a completed file's chunks in their order, read a few at a time. Nothing for any other file. */
export async function* readTexts(
  db: Queryable,
  scope: { project_id: string; vector_store_id: string; file_id: string },
): AsyncGenerator<string[]> {
  for (let after = -1; ;) {
    const { rows } = await db.query<{ chunk_index: number; text: string }>(
      `select c.chunk_index, c.text from vector_store_files f
       join chunks c on c.vector_store_file_id = f.id and c.chunk_index > $4
       where f.project_id = $1 and f.vector_store_id = $2 and f.file_id = $3 and f.status = 'completed'
       order by c.chunk_index limit ${TEXT_BATCH}`,
      [scope.project_id, scope.vector_store_id, scope.file_id, after],
    );
    if (rows.length > 0) yield rows.map(({ text }) => text);
    if (rows.length < TEXT_BATCH) return;
    after = rows.at(-1)?.chunk_index ?? after;
  }
}
