// Files under ids that a test chooses, with real blobs: for tests that name files and do not care what is in them.
import { newBlobKey } from "../../blobs/blobs.ts";
import type { Blobs } from "../../blobs/blobs.ts";
import { insertFile } from "../../db/files.ts";
import type { Queryable } from "../../db/pool.ts";

export interface PutFiles {
  project_id: string;
  ids: readonly string[];
  /** One without an ending may be used for everything. */
  filename?: string;
}

export async function putFiles(
  db: Queryable,
  blobs: Pick<Blobs, "write">,
  { project_id, ids, filename = "notes" }: PutFiles,
): Promise<void> {
  for (const id of ids) {
    const blob = newBlobKey();
    const written = await blobs.write(blob, words(id));
    const about = { filename, purpose: "assistants", content_type: "text/plain", expires_after_seconds: null };
    await insertFile(db, { id, project_id, blob, ...about, ...written });
  }
}

async function* words(id: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`The words of ${id}.`);
}
