// Files that are there without having been uploaded: a row, and a blob in the stack's folder.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Readable } from "node:stream";
import type pg from "pg";
import { newBlobKey } from "../../blobs/blobs.ts";
import { DiskBlobs } from "../../blobs/disk-blobs.ts";

export interface FileStore {
  db: Pick<pg.Pool, "query">;
  /** Of the processes under test, whose blobs are in it. */
  folder: string;
}

/** Stores a file of the project of this name and returns its id. */
export async function storeFile(
  { db, folder }: FileStore,
  { content, filename = "notes.txt", project = "default" }: { content: string; filename?: string; project?: string },
): Promise<string> {
  const id = `file-${randomBytes(12).toString("hex")}`;
  const blob = newBlobKey();
  const { bytes, sha256 } = await new DiskBlobs(join(folder, "blobs")).write(
    blob,
    Readable.from([Buffer.from(content)]),
  );
  await db.query(
    `insert into files (id, project_id, filename, purpose, bytes, sha256, blob)
     select $1, id, $3, 'assistants', $4, $5, $6 from projects where name = $2`,
    [id, project, filename, bytes, sha256, blob],
  );
  return id;
}

/** A text of so many different words. */
export function wordsOf(count: number, seed = "word"): string {
  return Array.from({ length: count }, (_, index) => `${seed}${index}`).join(" ");
}
