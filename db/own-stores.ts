// The store that a thread or an assistant is given for files that name none: attachments, and the lists of version 1.
import { findDocumentKind } from "../contract/document-types.ts";
import type { Queryable } from "./pool.ts";
import { addFiles } from "./store-files-added.ts";
import { findStoreStanding, insertStore } from "./vector-stores.ts";

export interface StoreOwner {
  project_id: string;
  /** The store that it has, if any. */
  store: string | undefined;
  /** Lifetime of a store that is made; null: for ever. */
  expiresAfterDays: number | null;
}

/**
 * Adds files to the store of a thread or an assistant, inside a transaction that holds its row, and returns the store's id.
 * Who has none, or one that was deleted, is given a new one.
 */
export async function addToStoreOf(
  tx: Queryable,
  { project_id, store, expiresAfterDays: days }: StoreOwner,
  file_ids: readonly string[],
): Promise<string> {
  const isThere =
    store !== undefined && (await findStoreStanding(tx, { project_id, vector_store_id: store })) !== undefined;
  const expiry = days === null ? {} : { expires_after: { anchor: "last_active_at" as const, days } };
  const vector_store_id = isThere ? store : await insertStore(tx, { project_id, ...expiry });
  await addFiles(
    tx,
    { project_id, vector_store_id },
    file_ids.map((file_id) => ({ file_id })),
  );
  return vector_store_id;
}

/**
 * Those of the files that are of a type that cannot be searched. Version 1 gives each file to all tools, so there such a
 * file is left to the tools that can use it.
 */
export async function findUnsearchable(
  tx: Queryable,
  project_id: string,
  file_ids: readonly string[],
): Promise<Set<string>> {
  if (file_ids.length === 0) return new Set();
  const { rows } = await tx.query<{ id: string; filename: string; content_type: string | null }>(
    "select id, filename, content_type from files where project_id = $1 and id = any($2)",
    [project_id, file_ids],
  );
  const unsearchable = rows.filter(
    ({ filename, content_type }) => findDocumentKind(filename, content_type ?? undefined) === null,
  );
  return new Set(unsearchable.map(({ id }) => id));
}
