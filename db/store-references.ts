// Which assistants and threads work with a store: stores that are named must exist, described ones are made, and one that
// is deleted is taken out of whatever names it.
import { vectorStoreNotFound } from "../contract/errors.ts";
import { storeToMake } from "../contract/tool-resources.ts";
import type { ToolResources, ToolResourcesInput } from "../contract/tool-resources.ts";
import { eachOnce, toNewFile } from "../contract/vector-store-file.ts";
import type { Queryable } from "./pool.ts";
import type { StoreScope } from "./scope.ts";
import { addFiles } from "./store-files-added.ts";
import { insertStore } from "./vector-stores.ts";

export interface StoreWish {
  project_id: string;
  input: ToolResourcesInput | null | undefined;
  /** Lifetime of a store that is made; null: for ever. */
  expiresAfterDays: number | null;
}

/**
 * Sees to the stores that a client names or describes, inside the transaction of what is to use them, and returns the
 * resources with the store that was made. Throws 404 for what is not there and 400 when both are given.
 */
export async function settleStores(tx: Queryable, wish: StoreWish, resources: ToolResources): Promise<ToolResources> {
  const { project_id, input, expiresAfterDays } = wish;
  const helper = storeToMake(input);
  await requireStores(tx, project_id, input?.file_search?.vector_store_ids ?? []);
  if (helper === undefined) return resources;
  const vector_store_id = await insertStore(tx, {
    project_id,
    metadata: helper.metadata,
    ...(expiresAfterDays === null ? {} : { expires_after: { anchor: "last_active_at", days: expiresAfterDays } }),
  });
  const { chunking_strategy } = helper;
  const files = (helper.file_ids ?? []).map((file_id) => toNewFile({ file_id, chunking_strategy }));
  await addFiles(tx, { project_id, vector_store_id }, eachOnce(files));
  return { ...resources, file_search: { vector_store_ids: [vector_store_id] } };
}

/** Throws (404) unless the project has them all. They stay until the transaction ends. */
export async function requireStores(tx: Queryable, project_id: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const { rows } = await tx.query<{ id: string }>(
    "select id from vector_stores where project_id = $1 and id = any($2) order by id for key share",
    [project_id, ids],
  );
  const known = new Set(rows.map(({ id }) => id));
  const unknown = ids.find((id) => !known.has(id));
  if (unknown !== undefined) throw vectorStoreNotFound(unknown);
}

/** Takes a store out of the resources of assistants and threads. */
export async function dropReferences(db: Queryable, scope: StoreScope): Promise<void> {
  for (const table of ["threads", "assistants"]) {
    await db.query(
      `update ${table} set tool_resources =
         jsonb_set(tool_resources::jsonb, '{file_search,vector_store_ids}', '[]')::json
       where project_id = $1 and tool_resources #>> '{file_search,vector_store_ids,0}' = $2`,
      [scope.project_id, scope.vector_store_id],
    );
  }
}
