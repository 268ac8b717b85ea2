// The store of an assistant to which version 1 gives files: in that version the list of files is all there is.
import type { ToolResources } from "../contract/tool-resources.ts";
import { movesOf } from "../contract/v1/files.ts";
import type { V1Change } from "../contract/v1/files.ts";
import { addToStoreOf, findUnsearchable } from "./own-stores.ts";
import type { Queryable } from "./pool.ts";
import { removeStoreFile } from "./vector-store-files.ts";

/**
 * Makes the files searchable that version 1 has given to an assistant, and takes those out of its store that left its list.
 * Inside a transaction that holds the assistant. Returns the resources with the store that was made.
 * Throws as `addFiles` does.
 */
export async function moveSearchableFiles(
  tx: Queryable,
  project_id: string,
  resources: ToolResources,
  change: V1Change,
): Promise<ToolResources> {
  const { added, removed } = movesOf("file_search", change);
  const store = resources.file_search?.vector_store_ids[0];
  if (store !== undefined) {
    for (const file_id of removed) await removeStoreFile(tx, { project_id, vector_store_id: store, file_id });
  }
  const unsearchable = await findUnsearchable(tx, project_id, added);
  const searchable = added.filter((id) => !unsearchable.has(id));
  if (searchable.length === 0) return resources;
  const vector_store_id = await addToStoreOf(tx, { project_id, store, expiresAfterDays: null }, searchable);
  return { ...resources, file_search: { vector_store_ids: [vector_store_id] } };
}
