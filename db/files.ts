// The rows of files. A row is written when its blob is durable, and its blob is deleted when the row is gone.
import type { FileObject, ListFilesQuery } from "../contract/file.ts";
import type { Page } from "../contract/list.ts";
import { dropReferences } from "./file-references.ts";
import { readPage } from "./page.ts";
import type { Queryable } from "./pool.ts";
import type { FileScope } from "./scope.ts";

const FILE_COLUMNS = `
  id, 'file' as object, purpose, filename, bytes, unix(created_at) as created_at, unix(expires_at) as expires_at,
  'processed' as status, null as status_details`;
/** One whose time is over is gone for everybody, also before the janitor comes. */
const IS_ALIVE = "(expires_at is null or expires_at > now())";

/** A file whose content is durable. */
export interface NewFile {
  id: string;
  project_id: string;
  filename: string;
  purpose: string;
  content_type: string | undefined;
  /** Seconds; null: never. */
  expires_after_seconds: number | null;
  bytes: number;
  sha256: Buffer;
  /** Key of the blob. */
  blob: string;
}

/** With what is needed to read its content. */
export interface StoredFile extends FileObject {
  /** Key of the blob. */
  blob: string;
}

const INSERT = `
  insert into files (id, project_id, created_at, expires_at, filename, purpose, bytes, sha256, content_type, blob)
  select $1, $2, moment, moment + make_interval(secs => $3), $4, $5, $6, $7, $8, $9 from clock_timestamp() as moment`;

const toValues = (file: NewFile): unknown[] => [
  file.id,
  file.project_id,
  file.expires_after_seconds,
  file.filename,
  file.purpose,
  file.bytes,
  file.sha256,
  file.content_type,
  file.blob,
];

export async function insertFile(tx: Queryable, file: NewFile): Promise<FileObject> {
  const { rows } = await tx.query<FileObject>(`${INSERT} returning ${FILE_COLUMNS}`, toValues(file));
  return rows[0] as FileObject;
}

/** Writes a row that may have been written before, by a transaction whose end was not heard of. */
export async function ensureFile(tx: Queryable, file: NewFile): Promise<void> {
  await tx.query(`${INSERT} on conflict (id) do nothing`, toValues(file));
}

export async function findFile(db: Queryable, scope: FileScope): Promise<FileObject | undefined> {
  const { rows } = await db.query<FileObject>(
    `select ${FILE_COLUMNS} from files where project_id = $1 and id = $2 and ${IS_ALIVE}`,
    [scope.project_id, scope.file_id],
  );
  return rows[0];
}

export async function findStoredFile(db: Queryable, scope: FileScope): Promise<StoredFile | undefined> {
  return (await findStoredFiles(db, scope.project_id, [scope.file_id]))[0];
}

/** Those of the files that are there, in no order. */
export async function findStoredFiles(
  db: Queryable,
  project_id: string,
  ids: readonly string[],
): Promise<StoredFile[]> {
  const { rows } = await db.query<StoredFile>(
    `select ${FILE_COLUMNS}, blob from files where project_id = $1 and id = any($2) and ${IS_ALIVE}`,
    [project_id, ids],
  );
  return rows;
}

export async function listFiles(
  db: Queryable,
  project_id: string,
  { purpose, ...query }: ListFilesQuery,
): Promise<Page<FileObject>> {
  const ofPurpose = purpose === undefined ? [] : [purpose];
  const where = `project_id = $1 and ${IS_ALIVE}${ofPurpose.length > 0 ? " and purpose = $2" : ""}`;
  const source = { table: "files", columns: FILE_COLUMNS, where, values: [project_id, ...ofPurpose] };
  return readPage<FileObject>(db, source, { ...query, before: undefined });
}

/**
 * Keeps files from being deleted until the transaction ends, and gives the names of those that are there. To be called
 * before the row is locked that is to name them: whoever deletes a file holds it first, and then what names it.
 */
export async function lockFiles(
  tx: Queryable,
  { project_id, file_ids }: { project_id: string; file_ids: readonly string[] },
): Promise<Map<string, string>> {
  if (file_ids.length === 0) return new Map();
  const { rows } = await tx.query<{ id: string; filename: string }>(
    `select id, filename from files
     where project_id = $1 and id = any($2) and ${IS_ALIVE}
     order by id for key share`,
    [project_id, file_ids],
  );
  return new Map(rows.map(({ id, filename }) => [id, filename]));
}

/**
 * Deletes a file and takes it out of everything that names it, inside a transaction. Returns the key of its blob, which is
 * to be deleted after the commit; undefined when there is no such file.
 */
export async function deleteFile(tx: Queryable, scope: FileScope): Promise<string | undefined> {
  const { rows } = await tx.query<{ blob: string }>(
    `delete from files where project_id = $1 and id = $2 and ${IS_ALIVE} returning blob`,
    [scope.project_id, scope.file_id],
  );
  if (rows[0] === undefined) return undefined;
  await dropReferences(tx, [scope.file_id]);
  return rows[0].blob;
}

/** The same for up to `limit` files whose time is over. Those that another one has in hand are left to it. */
export async function deleteExpiredFiles(tx: Queryable, limit: number): Promise<string[]> {
  const { rows } = await tx.query<{ id: string; blob: string }>(
    `delete from files where id in (
       select id from files where expires_at <= now() order by expires_at limit $1 for update skip locked)
     returning id, blob`,
    [limit],
  );
  await dropReferences(
    tx,
    rows.map(({ id }) => id),
  );
  return rows.map(({ blob }) => blob);
}

/** Those of the keys that no row names. */
export async function findUnusedBlobs(db: Queryable, keys: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ key: string }>(
    `select key from unnest($1::text[]) as key
     where not exists (select from files where blob = key) and not exists (select from upload_parts where blob = key)
       and not exists (select from code_files where blob = key)`,
    [keys],
  );
  return rows.map(({ key }) => key);
}
