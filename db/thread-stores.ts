// The store of a thread, to which files go that are attached to its messages for File Search.
import { findDocumentKind } from "../contract/document-types.ts";
import { THREAD_STORE_DAYS } from "../contract/limits.ts";
import type { Message } from "../contract/message.ts";
import type { Queryable } from "./pool.ts";
import type { ThreadScope } from "./scope.ts";
import { addFiles } from "./store-files-added.ts";
import { findStoreStanding, insertStore } from "./vector-stores.ts";

/** A message with the files of its attachments; one of version 1 has its own list of them. */
interface Attaching extends Pick<Message, "attachments"> {
  v1_file_ids?: string[];
}

/**
 * The files that are attached for File Search, each once. Version 1 attaches each file for all tools, so there one of a
 * type that cannot be searched is left to those that can use it.
 */
export async function pickSearchable(
  tx: Queryable,
  project_id: string,
  messages: readonly Attaching[],
): Promise<string[]> {
  const attached = messages.flatMap(({ attachments, v1_file_ids }) =>
    attachments
      .filter(({ tools }) => tools.some(({ type }) => type === "file_search"))
      .map(({ file_id }) => ({ file_id, isV1: v1_file_ids !== undefined })),
  );
  const ofV1 = attached.filter(({ isV1 }) => isV1).map(({ file_id }) => file_id);
  const unsearchable = await findUnsearchable(tx, project_id, ofV1);
  const searchable = attached.filter(({ file_id, isV1 }) => !isV1 || !unsearchable.has(file_id));
  return [...new Set(searchable.map(({ file_id }) => file_id))];
}

async function findUnsearchable(tx: Queryable, project_id: string, file_ids: readonly string[]): Promise<Set<string>> {
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

/**
 * Adds files to the store of a thread, inside a transaction that holds the thread, and returns the store's id. A thread
 * that has none, or one that was deleted, is given a new one.
 */
export async function addToStoreOf(
  tx: Queryable,
  { project_id }: ThreadScope,
  store: string | undefined,
  file_ids: readonly string[],
): Promise<string> {
  const isThere =
    store !== undefined && (await findStoreStanding(tx, { project_id, vector_store_id: store })) !== undefined;
  const vector_store_id = isThere
    ? store
    : await insertStore(tx, { project_id, expires_after: { anchor: "last_active_at", days: THREAD_STORE_DAYS } });
  await addFiles(
    tx,
    { project_id, vector_store_id },
    file_ids.map((file_id) => ({ file_id })),
  );
  return vector_store_id;
}
