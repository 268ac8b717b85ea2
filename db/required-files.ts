// Files that a request wants in a store: they must be there, and stay until it is done.
import { filesNotFound } from "../contract/errors.ts";
import { lockFiles } from "./files.ts";
import type { Queryable } from "./pool.ts";

/** Throws (404) unless the project has them all. None is deleted before the transaction ends. */
export async function requireFiles(tx: Queryable, project_id: string, file_ids: readonly string[]): Promise<void> {
  const there = await lockFiles(tx, { project_id, file_ids });
  const missing = [...new Set(file_ids)].filter((id) => !there.has(id));
  if (missing.length > 0) throw filesNotFound(missing);
}
