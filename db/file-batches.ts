// Batches: files that were added to a store together, and can be cancelled together.
import { fileBatchNotFound, vectorStoreNotFound } from "../contract/errors.ts";
import type { FileBatch } from "../contract/vector-store-file.ts";
import { removeChunks } from "./file-chunks.ts";
import type { Queryable } from "./pool.ts";
import type { FileBatchScope } from "./scope.ts";
import type { IngestKey } from "./vector-store-files.ts";
import { countFiles, findStoreStanding, lockStore } from "./vector-stores.ts";

const BATCH_COLUMNS = `
  id, 'vector_store.file_batch' as object, unix(created_at) as created_at, vector_store_id,
  case when cancelled_at is not null then 'cancelled'
    when exists (select 1 from vector_store_files f
      where f.batch_id = vector_store_file_batches.id and f.status = 'in_progress') then 'in_progress'
    else 'completed' end as status,
  ${countFiles("f.batch_id = vector_store_file_batches.id")} as file_counts`;

/** Throws (404) for whichever of store and batch is not there. */
export async function requireBatch(db: Queryable, scope: FileBatchScope): Promise<FileBatch> {
  const { rows } = await db.query<FileBatch>(
    `select ${BATCH_COLUMNS} from vector_store_file_batches
     where project_id = $1 and vector_store_id = $2 and id = $3`,
    [scope.project_id, scope.vector_store_id, scope.batch_id],
  );
  if (rows[0] !== undefined) return rows[0];
  throw (await findStoreStanding(db, scope)) === undefined
    ? vectorStoreNotFound(scope.vector_store_id)
    : fileBatchNotFound(scope.batch_id, scope.vector_store_id);
}

/**
 * Cancels the files of a batch that are still on their way, inside a transaction, and removes what was made of them.
 * A batch that is through stays as it is. Returns the entries that were cancelled.
 */
export async function cancelBatch(tx: Queryable, scope: FileBatchScope): Promise<IngestKey[]> {
  await lockStore(tx, scope); // as whoever adds files does: the files of a batch are locked by one of the two
  const { rows } = await tx.query<IngestKey>(
    `update vector_store_files set status = 'cancelled'
     where project_id = $1 and vector_store_id = $2 and batch_id = $3 and status = 'in_progress'
     returning id, project_id, vector_store_id, file_id`,
    [scope.project_id, scope.vector_store_id, scope.batch_id],
  );
  if (rows.length === 0) return rows;
  await removeChunks(
    tx,
    rows.map(({ id }) => id),
  );
  await tx.query("update vector_store_file_batches set cancelled_at = now() where project_id = $1 and id = $2", [
    scope.project_id,
    scope.batch_id,
  ]);
  return rows;
}
