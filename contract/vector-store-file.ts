// Files in a vector store, and the batches in which they are added.
import { z } from "zod";
import { Attributes } from "./attributes.ts";
import { ChunkingStrategy, ChunkingStrategyInput, toChunkSizes } from "./chunking-strategy.ts";
import type { ChunkSizes } from "./chunking-strategy.ts";
import { missingParameter, mutuallyExclusive } from "./errors.ts";
import { MAX_BATCH_FILES } from "./limits.ts";
import { PageQuery } from "./list.ts";
import { FileId } from "./references.ts";
import { FileCounts } from "./vector-store.ts";

export const VectorStoreFileStatus = z.enum(["in_progress", "completed", "failed", "cancelled"]);
export type VectorStoreFileStatus = z.infer<typeof VectorStoreFileStatus>;

export const CreateVectorStoreFile = z.strictObject({
  file_id: FileId,
  attributes: Attributes.nullish(),
  chunking_strategy: ChunkingStrategyInput.nullish(),
});
export type CreateVectorStoreFile = z.infer<typeof CreateVectorStoreFile>;

export const ModifyVectorStoreFile = z.strictObject({ attributes: Attributes.nullable() });

const shared = {
  attributes: Attributes.nullish(),
  chunking_strategy: ChunkingStrategyInput.nullish(),
};

/** Either `file_ids`, which share what stands beside them, or `files`, each with its own. */
export const CreateFileBatch = z.strictObject({
  file_ids: z.array(FileId).min(1).max(MAX_BATCH_FILES).nullish(),
  files: z.array(CreateVectorStoreFile).min(1).max(MAX_BATCH_FILES).nullish(),
  ...shared,
});
export type CreateFileBatch = z.infer<typeof CreateFileBatch>;

/** In lists of files: only those in this status. */
export const ListStoreFilesQuery = PageQuery.extend({ filter: VectorStoreFileStatus.optional() });
export type ListStoreFilesQuery = z.infer<typeof ListStoreFilesQuery>;

export const IngestError = z.strictObject({
  code: z.enum(["server_error", "unsupported_file", "invalid_file"]),
  message: z.string(),
});
export type IngestError = z.infer<typeof IngestError>;

export const VectorStoreFile = z
  .strictObject({
    id: z.string(),
    object: z.literal("vector_store.file"),
    usage_bytes: z.int(),
    created_at: z.int(),
    vector_store_id: z.string(),
    status: VectorStoreFileStatus,
    last_error: IngestError.nullable(),
    chunking_strategy: ChunkingStrategy,
    attributes: Attributes,
  })
  .meta({ id: "VectorStoreFile" });
export type VectorStoreFile = z.infer<typeof VectorStoreFile>;

export const FileBatch = z
  .strictObject({
    id: z.string(),
    object: z.literal("vector_store.file_batch"),
    created_at: z.int(),
    vector_store_id: z.string(),
    status: z.enum(["in_progress", "completed", "cancelled", "failed"]),
    file_counts: FileCounts,
  })
  .meta({ id: "VectorStoreFileBatch" });
export type FileBatch = z.infer<typeof FileBatch>;

/** The text of a file, chunk by chunk. */
export const FileContentPage = z.strictObject({
  object: z.literal("vector_store.file_content.page"),
  data: z.array(z.strictObject({ type: z.literal("text"), text: z.string() })),
  has_more: z.literal(false),
  next_page: z.null(),
});

/** A file to be added to a store. */
export interface NewStoreFile {
  file_id: string;
  /** What is undefined was not given: a file that is in the store already keeps what it has. */
  attributes?: Attributes | undefined;
  sizes?: ChunkSizes | undefined;
}

export function toNewFile({ file_id, attributes, chunking_strategy }: CreateVectorStoreFile): NewStoreFile {
  return {
    file_id,
    attributes: attributes ?? undefined,
    sizes: chunking_strategy ? toChunkSizes(chunking_strategy) : undefined,
  };
}

/** Each file once: what is said of it last counts. Throws (400) unless there is exactly one of the two lists. */
export function toBatchFiles({ file_ids, files, attributes, chunking_strategy }: CreateFileBatch): NewStoreFile[] {
  if (file_ids && files) throw mutuallyExclusive("file_ids", "files");
  if (files) return eachOnce(files.map(toNewFile));
  if (!file_ids) throw missingParameter("file_ids");
  return eachOnce(file_ids.map((file_id) => toNewFile({ file_id, attributes, chunking_strategy })));
}

export function eachOnce(files: readonly NewStoreFile[]): NewStoreFile[] {
  return [...new Map(files.map((file) => [file.file_id, file])).values()];
}
