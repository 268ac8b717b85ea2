// What an assistant can do besides talking: its tools, how they are chosen, and the shape of its answers.
import { z } from "zod";
import { mutuallyExclusiveStores, onlyFunctionTools, vectorStoresNotAvailable } from "./errors.ts";
import {
  MAX_CHUNK_TOKENS,
  MAX_FUNCTION_DESCRIPTION_LENGTH,
  MAX_FUNCTION_NAME_LENGTH,
  MAX_HELPER_STORE_FILES,
  MAX_RESOURCE_FILES,
  MAX_RESOURCE_STORES,
  MAX_SCHEMA_DEPTH,
  MAX_SEARCH_RESULTS,
  MAX_TOOLS,
  MIN_CHUNK_TOKENS,
} from "./limits.ts";
import { Metadata } from "./metadata.ts";
import { FileId, VectorStoreId } from "./references.ts";
import { missingParameter } from "./validation.ts";

const NAME_PATTERN = /^[a-zA-Z0-9_-]+$/;

/** A JSON Schema of the client's. It is kept as it came; only its nesting is bounded. */
const JsonSchema = z.record(z.string(), z.unknown()).superRefine((schema, context) => {
  if (nestsDeeperThan(schema, MAX_SCHEMA_DEPTH)) {
    context.addIssue({
      code: "custom",
      message: `Invalid '{path}': the schema is nested deeper than ${MAX_SCHEMA_DEPTH} levels.`,
      params: { code: "invalid_value" },
    });
  }
});

const CodeInterpreterTool = z.strictObject({ type: z.literal("code_interpreter") });

const Function = z.strictObject({
  name: z.string().min(1).max(MAX_FUNCTION_NAME_LENGTH).regex(NAME_PATTERN),
  description: z.string().max(MAX_FUNCTION_DESCRIPTION_LENGTH).nullish().transform(nullToUndefined),
  parameters: JsonSchema.nullish().transform((schema) => schema ?? { type: "object", properties: {} }),
  strict: z
    .boolean()
    .nullish()
    .transform((strict) => strict ?? false),
});
const FunctionTool = z.strictObject({ type: z.literal("function"), function: Function });

const RankingOptions = z.strictObject({
  ranker: z
    .enum(["auto", "default_2024_08_21"])
    .nullish()
    .transform((ranker) => ranker ?? "auto"),
  score_threshold: z
    .number()
    .min(0)
    .max(1)
    .nullish()
    .transform((score) => score ?? 0),
  hybrid_search: z
    .strictObject({ embedding_weight: z.number().min(0), text_weight: z.number().min(0) })
    .nullish()
    .transform((weights) => weights ?? null),
});
const DEFAULT_RANKING = {
  ranker: "default_2024_08_21" as const,
  score_threshold: 0,
  hybrid_search: null,
};

const FileSearchTool = z.strictObject({
  type: z.literal("file_search"),
  file_search: z
    .strictObject({
      max_num_results: z.int().min(1).max(MAX_SEARCH_RESULTS).nullish().transform(nullToUndefined),
      ranking_options: RankingOptions.nullish().transform((ranking) => ranking ?? DEFAULT_RANKING),
    })
    .nullish()
    .transform((search) => search ?? { ranking_options: DEFAULT_RANKING }),
});

export const Tool = z.discriminatedUnion("type", [CodeInterpreterTool, FunctionTool, FileSearchTool]);
export type Tool = z.infer<typeof Tool>;
export const Tools = z.array(Tool).max(MAX_TOOLS);

const ChunkingStrategy = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("auto") }),
  z.strictObject({
    type: z.literal("static"),
    static: z
      .strictObject({
        max_chunk_size_tokens: z.int().min(MIN_CHUNK_TOKENS).max(MAX_CHUNK_TOKENS),
        chunk_overlap_tokens: z.int().min(0),
      })
      .refine((chunk) => chunk.chunk_overlap_tokens <= chunk.max_chunk_size_tokens / 2, {
        path: ["chunk_overlap_tokens"],
        message: "Invalid '{path}': the overlap must not exceed half of max_chunk_size_tokens.",
      }),
  }),
]);

const FileIds = z.array(FileId).max(MAX_RESOURCE_FILES);
const StoreIds = z.array(VectorStoreId).max(MAX_RESOURCE_STORES);
const StoreHelper = z.strictObject({
  file_ids: z.array(FileId).max(MAX_HELPER_STORE_FILES).nullish(),
  chunking_strategy: ChunkingStrategy.nullish(),
  metadata: Metadata.nullish(),
});

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

export const ToolResources = z.object({
  code_interpreter: z.object({ file_ids: z.array(z.string()) }).optional(),
  file_search: z.object({ vector_store_ids: z.array(z.string()) }).optional(),
});
export type ToolResources = z.infer<typeof ToolResources>;

/**
 * The stored form: what was configured before, with every list that the client gave in its place; null and absent
 * both mean "not given". With a code_interpreter tool its list is always there.
 * Throws (400) when a vector store is to be made.
 */
export function resolveToolResources(
  input: ToolResourcesInput | null | undefined,
  tools: readonly Tool[],
  current: ToolResources = {},
): ToolResources {
  refuseStoreHelper(input?.file_search);
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

function refuseStoreHelper(input: ToolResourcesInput["file_search"]): void {
  const helper = input?.vector_stores?.[0];
  if (helper === undefined) return;
  if (input?.vector_store_ids?.length) throw mutuallyExclusiveStores();
  if (helper.file_ids?.length) throw vectorStoresNotAvailable();
}

type NamedTool =
  | { type: "function"; function: { name: string } }
  | { type: "code_interpreter" }
  | { type: "file_search" };

const NamedToolChoice = z
  .strictObject({
    type: z.enum(["function", "code_interpreter", "file_search"]),
    function: z.strictObject({ name: z.string() }).nullish(),
  })
  .transform((choice, context): NamedTool => {
    if (choice.type !== "function") return { type: choice.type };
    if (choice.function) return { type: choice.type, function: choice.function };
    context.addIssue(missingParameter("function"));
    return z.NEVER;
  });
export const ToolChoice = z.union([z.enum(["none", "auto", "required"]), NamedToolChoice]);
export type ToolChoice = z.infer<typeof ToolChoice>;

export const ResponseFormat = z.union([
  z.enum(["auto"]),
  z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("text") }),
    z.strictObject({ type: z.literal("json_object") }),
    z.strictObject({
      type: z.literal("json_schema"),
      json_schema: z.strictObject({
        name: z.string().min(1).max(MAX_FUNCTION_NAME_LENGTH).regex(NAME_PATTERN),
        description: z.string().nullish().transform(nullToUndefined),
        schema: JsonSchema.nullish().transform(nullToUndefined),
        strict: z
          .boolean()
          .nullish()
          .transform((strict) => strict ?? false),
      }),
    }),
  ]),
]);
export type ResponseFormat = z.infer<typeof ResponseFormat>;

/** Throws (400) when an answer that must be JSON is combined with a tool that is not a function. */
export function requireFunctionTools(tools: readonly Tool[], format: ResponseFormat): void {
  if (format === "auto" || format.type === "text") return;
  if (tools.some((tool) => tool.type !== "function")) throw onlyFunctionTools(format.type);
}

export const ReasoningEffort = z.enum(["none", "minimal", "low", "medium", "high", "xhigh", "max"]);
export type ReasoningEffort = z.infer<typeof ReasoningEffort>;

function nullToUndefined<T>(value: T | null | undefined): T | undefined {
  return value ?? undefined;
}

function nestsDeeperThan(root: unknown, levels: number): boolean {
  const open: { value: unknown; depth: number }[] = [{ value: root, depth: 1 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next.value !== "object" || next.value === null) continue;
    if (next.depth > levels) return true;
    for (const value of Object.values(next.value)) open.push({ value, depth: next.depth + 1 });
  }
  return false;
}
