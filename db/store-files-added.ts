// Adding files to a store: one transaction that holds the store, whether it is one file or a batch of thousands.
import { DEFAULT_SIZES } from "../contract/chunking-strategy.ts";
import { storeHasExpired, storeIsFull, vectorStoreNotFound } from "../contract/errors.ts";
import { newId } from "../contract/ids.ts";
import { MAX_STORE_FILES } from "../contract/limits.ts";
import type { NewStoreFile } from "../contract/vector-store-file.ts";
import { requireFiles } from "./required-files.ts";
import type { Queryable } from "./pool.ts";
import type { FileBatchScope, StoreScope } from "./scope.ts";
import { lockStore, touchStores } from "./vector-stores.ts";

/**
 * Adds files to a store, inside a transaction. A file that is in the store already, or on its way, and is to be cut as it
 * was, is not read again: only its attributes change, if some are given. Any other is read from the beginning.
 * With a batch, all of them belong to it from now on.
 * Throws 404 for what is not there and 400 when the store has expired or would be too full.
 */
export async function addFiles(
  tx: Queryable,
  scope: StoreScope,
  files: readonly NewStoreFile[],
  batch_id?: string,
): Promise<void> {
  if (files.length === 0) return;
  await requireUsable(tx, scope);
  await requireFiles(
    tx,
    scope.project_id,
    files.map(({ file_id }) => file_id),
  );
  const { kept, replaced } = await compare(tx, scope, files);
  await tx.query("delete from vector_store_files where project_id = $1 and id = any($2)", [scope.project_id, replaced]);
  await keep(tx, scope, files, batch_id);
  await insert(
    tx,
    scope,
    files.filter(({ file_id }) => !kept.has(file_id)),
    batch_id,
  );
  const { rows } = await tx.query<{ files: number }>(
    "select count(*) as files from vector_store_files where vector_store_id = $1",
    [scope.vector_store_id],
  );
  if ((rows[0]?.files ?? 0) > MAX_STORE_FILES) throw storeIsFull(scope.vector_store_id, MAX_STORE_FILES);
  await touchStores(tx, scope.project_id, [scope.vector_store_id]);
}

/** Makes a batch of these files, inside a transaction. Throws as `addFiles` does. */
export async function addBatch(
  tx: Queryable,
  scope: StoreScope,
  files: readonly NewStoreFile[],
): Promise<FileBatchScope> {
  await requireUsable(tx, scope);
  const batch_id = newId("vsfb_");
  await tx.query(
    `insert into vector_store_file_batches (id, project_id, vector_store_id, created_at)
     values ($1, $2, $3, clock_timestamp())`,
    [batch_id, scope.project_id, scope.vector_store_id],
  );
  await addFiles(tx, scope, files, batch_id);
  return { ...scope, batch_id };
}

/** Holds the store. Throws 404 when there is none and 400 when it has expired. */
export async function requireUsable(tx: Queryable, scope: StoreScope): Promise<void> {
  const store = await lockStore(tx, scope);
  if (store === undefined) throw vectorStoreNotFound(scope.vector_store_id);
  if (store.is_expired) throw storeHasExpired(scope.vector_store_id);
}

/** Those of the files that stay as they are, and the entries of those that give way to new ones. */
async function compare(
  tx: Queryable,
  scope: StoreScope,
  files: readonly NewStoreFile[],
): Promise<{ kept: Set<string>; replaced: number[] }> {
  const { rows } = await tx.query<{ id: number; file_id: string; is_kept: boolean }>(
    `select f.id, f.file_id, f.status in ('in_progress', 'completed')
       and (given.size is null or (f.max_chunk_size_tokens = given.size and f.chunk_overlap_tokens = given.overlap))
       as is_kept
     from unnest($2::text[], $3::integer[], $4::integer[]) as given (file_id, size, overlap)
     join vector_store_files f on f.vector_store_id = $1 and f.file_id = given.file_id
     order by f.id for update of f`,
    [
      scope.vector_store_id,
      files.map(({ file_id }) => file_id),
      files.map(({ sizes }) => sizes?.max_chunk_size_tokens ?? null),
      files.map(({ sizes }) => sizes?.chunk_overlap_tokens ?? null),
    ],
  );
  return {
    kept: new Set(rows.filter(({ is_kept }) => is_kept).map(({ file_id }) => file_id)),
    replaced: rows.filter(({ is_kept }) => !is_kept).map(({ id }) => id),
  };
}

/** Files that are there already move to the new batch, and take the attributes that are given. */
async function keep(
  tx: Queryable,
  scope: StoreScope,
  files: readonly NewStoreFile[],
  batch_id: string | undefined,
): Promise<void> {
  await tx.query(
    `update vector_store_files f set batch_id = coalesce($4, batch_id), attributes = coalesce(given.attributes, f.attributes)
     from unnest($2::text[], $3::jsonb[]) as given (file_id, attributes)
     where f.vector_store_id = $1 and f.file_id = given.file_id`,
    [scope.vector_store_id, files.map(({ file_id }) => file_id), files.map(toJson), batch_id ?? null],
  );
}

async function insert(
  tx: Queryable,
  scope: StoreScope,
  files: readonly NewStoreFile[],
  batch_id: string | undefined,
): Promise<void> {
  await tx.query(
    `insert into vector_store_files (project_id, vector_store_id, batch_id, created_at, check_at, status, file_id,
       attributes, max_chunk_size_tokens, chunk_overlap_tokens)
     select $1, $2, $3, moment.now, moment.now, 'in_progress', item.file_id, coalesce(item.attributes, '{}'), item.size,
       item.overlap
     from (select clock_timestamp() as now) as moment,
       unnest($4::text[], $5::jsonb[], $6::integer[], $7::integer[]) with ordinality
         as item (file_id, attributes, size, overlap, position)
     order by item.position`,
    [
      scope.project_id,
      scope.vector_store_id,
      batch_id ?? null,
      files.map(({ file_id }) => file_id),
      files.map(toJson),
      files.map(({ sizes = DEFAULT_SIZES }) => sizes.max_chunk_size_tokens),
      files.map(({ sizes = DEFAULT_SIZES }) => sizes.chunk_overlap_tokens),
    ],
  );
}

function toJson({ attributes }: NewStoreFile): string | null {
  return attributes === undefined ? null : JSON.stringify(attributes);
}
