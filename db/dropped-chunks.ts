// Removes the chunks of files that are no longer in their store. Entries are deleted at once and their chunks here, batch by
// batch; a trigger notes which entries are gone.
import { DROPPED_CHUNKS_BATCH, DROPPED_ENTRIES_BATCH } from "../contract/limits.ts";
import { withTransaction } from "./pool.ts";
import type { Pool } from "./pool.ts";

/** Removes some of them. Returns whether there may be more; what another process has in hand is left to it. */
export async function removeDroppedChunks(pool: Pool): Promise<boolean> {
  return withTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ id: number }>(
      `select vector_store_file_id as id from dropped_entries
       order by vector_store_file_id limit ${DROPPED_ENTRIES_BATCH} for update skip locked`,
    );
    if (rows.length === 0) return false;
    const ids = rows.map(({ id }) => id);
    const remove = (table: string) =>
      tx.query(
        `delete from ${table} where ctid = any(array(
           select ctid from ${table} where vector_store_file_id = any($1::bigint[]) limit ${DROPPED_CHUNKS_BATCH}))`,
        [ids],
      );
    const removed = await Promise.all([remove("chunks"), remove("extracted_chunks")]);
    const isDone = removed.every(({ rowCount }) => (rowCount ?? 0) < DROPPED_CHUNKS_BATCH);
    if (isDone) await tx.query("delete from dropped_entries where vector_store_file_id = any($1::bigint[])", [ids]);
    return true;
  });
}
