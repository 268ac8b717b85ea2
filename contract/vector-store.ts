// Vector stores: collections of files that are searched together.
import { z } from "zod";
import { ChunkingStrategyInput } from "./chunking-strategy.ts";
import {
  MAX_DESCRIPTION_LENGTH,
  MAX_NAME_LENGTH,
  MAX_STORE_FILES_ON_CREATION,
  MAX_STORE_LIFETIME_DAYS,
} from "./limits.ts";
import { Metadata } from "./metadata.ts";
import { FileId } from "./references.ts";
import { text } from "./text.ts";

const ExpiresAfterInput = z.strictObject({
  anchor: z.enum(["last_active_at"]),
  days: z.int().min(1).max(MAX_STORE_LIFETIME_DAYS),
});

const settings = {
  name: text({ max: MAX_NAME_LENGTH }).nullish(),
  expires_after: ExpiresAfterInput.nullish(),
  metadata: Metadata.nullish(),
};

export const CreateVectorStore = z.strictObject({
  ...settings,
  description: text({ max: MAX_DESCRIPTION_LENGTH }).nullish(),
  file_ids: z.array(FileId).max(MAX_STORE_FILES_ON_CREATION).nullish(),
  /** How the files above are cut. */
  chunking_strategy: ChunkingStrategyInput.nullish(),
});
export type CreateVectorStore = z.infer<typeof CreateVectorStore>;

/** Every field may be left out and then stays as it is; an explicit null clears it. */
export const ModifyVectorStore = z.strictObject(settings);
export type ModifyVectorStore = z.infer<typeof ModifyVectorStore>;

export const FileCounts = z.strictObject({
  in_progress: z.int(),
  completed: z.int(),
  failed: z.int(),
  cancelled: z.int(),
  total: z.int(),
});

export const VectorStore = z
  .strictObject({
    id: z.string(),
    object: z.literal("vector_store"),
    created_at: z.int(),
    name: z.string().nullable(),
    description: z.string().nullable(),
    usage_bytes: z.int(),
    file_counts: FileCounts,
    status: z.enum(["expired", "in_progress", "completed"]),
    expires_after: z.strictObject({ anchor: z.literal("last_active_at"), days: z.int() }).nullable(),
    expires_at: z.int().nullable(),
    last_active_at: z.int().nullable(),
    metadata: Metadata,
  })
  .meta({ id: "VectorStore" });
export type VectorStore = z.infer<typeof VectorStore>;
