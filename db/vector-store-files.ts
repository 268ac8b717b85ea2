// The rows of files in stores, as clients see them. What happens to a file while it is read is in ingests.ts.
import type { Attributes } from "../contract/attributes.ts";
import { fileNotFoundInStore, vectorStoreNotFound } from "../contract/errors.ts";
import type { Page } from "../contract/list.ts";
import type { ListStoreFilesQuery, VectorStoreFile } from "../contract/vector-store-file.ts";
import { readPage } from "./page.ts";
import type { PageSource } from "./page.ts";
import type { Queryable } from "./pool.ts";
import type { FileBatchScope, FileScope, StoreFileScope, StoreScope } from "./scope.ts";
import { findStoreStanding } from "./vector-stores.ts";

/** An entry whose file is on its way: what its workflow is known by. */
export interface IngestKey extends StoreFileScope {
  /** Of the entry. */
  id: number;
}

/** A file goes by its own id in a store; the entry's number is its place in lists. */
const AS_FILES = `(select file_id as id, id as seq, project_id, vector_store_id, batch_id, created_at, status, last_error,
  usage_bytes, max_chunk_size_tokens, chunk_overlap_tokens, attributes from vector_store_files) as files`;

const FILE_COLUMNS = `
  id, 'vector_store.file' as object, usage_bytes, unix(created_at) as created_at, vector_store_id, status, last_error,
  json_build_object('type', 'static', 'static', json_build_object(
    'max_chunk_size_tokens', max_chunk_size_tokens, 'chunk_overlap_tokens', chunk_overlap_tokens)) as chunking_strategy,
  attributes`;

export async function findStoreFile(db: Queryable, scope: StoreFileScope): Promise<VectorStoreFile | undefined> {
  const { rows } = await db.query<VectorStoreFile>(
    `select ${FILE_COLUMNS} from ${AS_FILES} where project_id = $1 and vector_store_id = $2 and id = $3`,
    [scope.project_id, scope.vector_store_id, scope.file_id],
  );
  return rows[0];
}

/** Throws (404) for whichever of the two is not there. */
export async function requireStoreFile(db: Queryable, scope: StoreFileScope): Promise<VectorStoreFile> {
  return (await findStoreFile(db, scope)) ?? missingStoreFile(db, scope);
}

export async function missingStoreFile(db: Queryable, scope: StoreFileScope): Promise<never> {
  throw (await findStoreStanding(db, scope)) === undefined
    ? vectorStoreNotFound(scope.vector_store_id)
    : fileNotFoundInStore(scope.file_id, scope.vector_store_id);
}

export async function listStoreFiles(
  db: Queryable,
  scope: StoreScope,
  query: ListStoreFilesQuery,
): Promise<Page<VectorStoreFile>> {
  return readFiles(db, "project_id = $1 and vector_store_id = $2", [scope.project_id, scope.vector_store_id], query);
}

export async function listBatchFiles(
  db: Queryable,
  scope: FileBatchScope,
  query: ListStoreFilesQuery,
): Promise<Page<VectorStoreFile>> {
  const where = "project_id = $1 and vector_store_id = $2 and batch_id = $3";
  return readFiles(db, where, [scope.project_id, scope.vector_store_id, scope.batch_id], query);
}

function readFiles(
  db: Queryable,
  where: string,
  values: readonly unknown[],
  { filter, ...query }: ListStoreFilesQuery,
): Promise<Page<VectorStoreFile>> {
  const source: PageSource =
    filter === undefined
      ? { table: AS_FILES, columns: FILE_COLUMNS, where, values }
      : {
          table: AS_FILES,
          columns: FILE_COLUMNS,
          where: `${where} and status = $${values.length + 1}`,
          values: [...values, filter],
        };
  return readPage<VectorStoreFile>(db, source, query);
}

/** Replaces the attributes. Undefined when there is no such file in the store. */
export async function setAttributes(
  db: Queryable,
  scope: StoreFileScope,
  attributes: Attributes,
): Promise<VectorStoreFile | undefined> {
  const { rowCount } = await db.query(
    "update vector_store_files set attributes = $4 where project_id = $1 and vector_store_id = $2 and file_id = $3",
    [scope.project_id, scope.vector_store_id, scope.file_id, JSON.stringify(attributes)],
  );
  return rowCount === 0 ? undefined : findStoreFile(db, scope);
}

/** Takes a file out of a store, with its chunks. Returns its entry; undefined when it was not in there. */
export async function removeStoreFile(db: Queryable, scope: StoreFileScope): Promise<IngestKey | undefined> {
  const { rows } = await db.query<IngestKey>(
    `delete from vector_store_files where project_id = $1 and vector_store_id = $2 and file_id = $3
     returning id, project_id, vector_store_id, file_id`,
    [scope.project_id, scope.vector_store_id, scope.file_id],
  );
  return rows[0];
}

/** The entries of a store whose files are on their way. */
export async function findIngests(db: Queryable, scope: StoreScope): Promise<IngestKey[]> {
  const { rows } = await db.query<IngestKey>(
    `select id, project_id, vector_store_id, file_id from vector_store_files
     where project_id = $1 and vector_store_id = $2 and status = 'in_progress'`,
    [scope.project_id, scope.vector_store_id],
  );
  return rows;
}

/** The entries of a file, in whichever stores, that are on their way. */
export async function findIngestsOfFile(db: Queryable, scope: FileScope): Promise<IngestKey[]> {
  const { rows } = await db.query<IngestKey>(
    `select id, project_id, vector_store_id, file_id from vector_store_files
     where project_id = $1 and file_id = $2 and status = 'in_progress'`,
    [scope.project_id, scope.file_id],
  );
  return rows;
}

/** Deletes a store with its files' entries and chunks. Returns whether there was one. */
export async function deleteStore(db: Queryable, scope: StoreScope): Promise<boolean> {
  const { rowCount } = await db.query("delete from vector_stores where project_id = $1 and id = $2", [
    scope.project_id,
    scope.vector_store_id,
  ]);
  return rowCount === 1;
}

/** Takes up to `limit` files out of stores that have expired, with their chunks. Returns how many. */
export async function dropExpiredFiles(db: Queryable, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from vector_store_files where id in (
       select f.id from vector_stores s
       join vector_store_files f on f.vector_store_id = s.id
       where s.expires_after_days is not null and store_expires_at(s.last_active_at, s.expires_after_days) <= now()
       limit $1 for update of f skip locked)`,
    [limit],
  );
  return rowCount ?? 0;
}
