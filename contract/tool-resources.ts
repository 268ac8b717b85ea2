// The files and vector stores that the tools of an assistant or a thread work with.
import { z } from "zod";
import { ChunkingStrategyInput } from "./chunking-strategy.ts";
import { mutuallyExclusiveStores } from "./errors.ts";
import { MAX_HELPER_STORE_FILES, MAX_RESOURCE_FILES, MAX_RESOURCE_STORES } from "./limits.ts";
import { Metadata } from "./metadata.ts";
import { FileId, VectorStoreId } from "./references.ts";
import type { Tool } from "./tool.ts";

const FileIds = z.array(FileId).max(MAX_RESOURCE_FILES);
const StoreIds = z.array(VectorStoreId).max(MAX_RESOURCE_STORES);
const StoreHelper = z.strictObject({
  file_ids: z.array(FileId).max(MAX_HELPER_STORE_FILES).nullish(),
  chunking_strategy: ChunkingStrategyInput.nullish(),
  metadata: Metadata.nullish(),
});
export type StoreHelper = z.infer<typeof StoreHelper>;

/** Files and vector stores as a client may set them on an existing assistant or thread. */
export const ToolResourcesUpdate = z.strictObject({
  code_interpreter: z.strictObject({ file_ids: FileIds.nullish() }).nullish(),
  file_search: z.strictObject({ vector_store_ids: StoreIds.nullish() }).nullish(),
});
/** On creation `vector_stores` may describe a store to be made. */
export const ToolResourcesCreate = z.strictObject({
  code_interpreter: z.strictObject({ file_ids: FileIds.nullish() }).nullish(),
  file_search: z
    .strictObject({
      vector_store_ids: StoreIds.nullish(),
      vector_stores: z.array(StoreHelper).max(MAX_RESOURCE_STORES).nullish(),
    })
    .nullish(),
});
export type ToolResourcesInput = z.infer<typeof ToolResourcesCreate>;

export const ToolResources = z.strictObject({
  code_interpreter: z.strictObject({ file_ids: z.array(z.string()) }).optional(),
  file_search: z.strictObject({ vector_store_ids: z.array(z.string()) }).optional(),
});
export type ToolResources = z.infer<typeof ToolResources>;

/**
 * The stored form: what was configured before, with every list that the client gave in its place; null and absent
 * both mean "not given". With a code_interpreter tool its list is always there. A store that is to be made is not in it.
 */
export function resolveToolResources(
  input: ToolResourcesInput | null | undefined,
  tools: readonly Tool[],
  current: ToolResources = {},
): ToolResources {
  const resources: ToolResources = {};
  const hasInterpreter = tools.some((tool) => tool.type === "code_interpreter");
  if (input?.code_interpreter || current.code_interpreter || hasInterpreter) {
    resources.code_interpreter = {
      file_ids: input?.code_interpreter?.file_ids ?? current.code_interpreter?.file_ids ?? [],
    };
  }
  if (input?.file_search || current.file_search) {
    resources.file_search = {
      vector_store_ids: input?.file_search?.vector_store_ids ?? current.file_search?.vector_store_ids ?? [],
    };
  }
  return resources;
}

/** The store that a client wants to be made. Throws (400) when it names one besides. */
export function storeToMake(input: ToolResourcesInput | null | undefined): StoreHelper | undefined {
  const helper = input?.file_search?.vector_stores?.[0];
  if (helper !== undefined && input?.file_search?.vector_store_ids?.length) throw mutuallyExclusiveStores();
  return helper;
}
