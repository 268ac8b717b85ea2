// The rows of uploads and of their parts. Whoever changes an upload holds its row; parts are added side by side.
import { newId } from "../contract/ids.ts";
import { UPLOAD_GRACE_SECONDS, UPLOAD_SECONDS } from "../contract/limits.ts";
import type { CreateUpload, Upload, UploadPart } from "../contract/upload.ts";
import type { Queryable } from "./pool.ts";
import type { UploadScope } from "./scope.ts";

const STATUS = "case when status = 'pending' and expires_at <= now() then 'expired' else status end";
const UPLOAD_COLUMNS = `
  id, 'upload' as object, bytes, unix(created_at) as created_at, filename, purpose, ${STATUS} as status,
  unix(expires_at) as expires_at, null as file`;

export interface StoredUpload extends Upload {
  content_type: string;
  file_expires_after_seconds: number | null;
}

export interface StoredPart {
  id: string;
  bytes: number;
  blob: string;
}

export async function insertUpload(tx: Queryable, input: CreateUpload & { project_id: string }): Promise<Upload> {
  const { rows } = await tx.query<Upload>(
    `insert into uploads (id, project_id, created_at, expires_at, status, filename, purpose, bytes, content_type,
       file_expires_after_seconds)
     select $1, $2, moment, moment + interval '${UPLOAD_SECONDS} seconds', 'pending', $3, $4, $5, $6, $7
     from clock_timestamp() as moment returning ${UPLOAD_COLUMNS}`,
    [
      newId("upload_"),
      input.project_id,
      input.filename,
      input.purpose,
      input.bytes,
      input.mime_type,
      input.expires_after?.seconds ?? null,
    ],
  );
  return rows[0] as Upload;
}

/** `share`: parts may be added meanwhile, but the upload stays as it is. `update`: it is the caller's alone. */
export async function findUpload(
  db: Queryable,
  scope: UploadScope,
  lock?: "share" | "update",
): Promise<StoredUpload | undefined> {
  const { rows } = await db.query<StoredUpload>(
    `select ${UPLOAD_COLUMNS}, content_type, file_expires_after_seconds from uploads
     where project_id = $1 and id = $2${lock === undefined ? "" : ` for ${lock}`}`,
    [scope.project_id, scope.upload_id],
  );
  return rows[0];
}

/** Adds a part whose content is durable. */
export async function insertPart(tx: Queryable, scope: UploadScope, part: StoredPart): Promise<UploadPart> {
  const { rows } = await tx.query<UploadPart>(
    `insert into upload_parts (id, project_id, upload_id, created_at, bytes, blob)
     values ($1, $2, $3, clock_timestamp(), $4, $5)
     returning id, 'upload.part' as object, unix(created_at) as created_at, upload_id`,
    [part.id, scope.project_id, scope.upload_id, part.bytes, part.blob],
  );
  return rows[0] as UploadPart;
}

export async function countParts(db: Queryable, scope: UploadScope): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    "select count(*) as count from upload_parts where project_id = $1 and upload_id = $2",
    [scope.project_id, scope.upload_id],
  );
  return rows[0]?.count ?? 0;
}

export async function readParts(db: Queryable, scope: UploadScope): Promise<Map<string, StoredPart>> {
  const { rows } = await db.query<StoredPart>(
    "select id, bytes, blob from upload_parts where project_id = $1 and upload_id = $2",
    [scope.project_id, scope.upload_id],
  );
  return new Map(rows.map((part) => [part.id, part]));
}

/**
 * Ends an upload that the transaction holds and forgets its parts. Returns the keys of their blobs, which are to be
 * deleted after the commit.
 */
export async function endUpload(
  tx: Queryable,
  scope: UploadScope,
  status: "completed" | "cancelled",
): Promise<string[]> {
  await tx.query("update uploads set status = $3 where project_id = $1 and id = $2", [
    scope.project_id,
    scope.upload_id,
    status,
  ]);
  const { rows } = await tx.query<{ blob: string }>(
    "delete from upload_parts where project_id = $1 and upload_id = $2 returning blob",
    [scope.project_id, scope.upload_id],
  );
  return rows.map(({ blob }) => blob);
}

/** Drops up to `limit` uploads whose time has long been over, with their parts. */
export async function dropOldUploads(tx: Queryable, limit: number): Promise<{ uploads: number; blobs: string[] }> {
  const { rows } = await tx.query<{ id: string }>(
    `select id from uploads where expires_at < now() - interval '${UPLOAD_GRACE_SECONDS} seconds'
     order by expires_at limit $1 for update skip locked`,
    [limit],
  );
  const ids = rows.map(({ id }) => id);
  const parts = await tx.query<{ blob: string }>("delete from upload_parts where upload_id = any($1) returning blob", [
    ids,
  ]);
  await tx.query("delete from uploads where id = any($1)", [ids]);
  return { uploads: ids.length, blobs: parts.rows.map(({ blob }) => blob) };
}
