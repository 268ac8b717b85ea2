// What an assistant can do besides talking: its tools, and how one is chosen.
import { z } from "zod";
import { AnyObject } from "./any-object.ts";
import { JsonSchema } from "./json-schema.ts";
import { MAX_FUNCTION_DESCRIPTION_LENGTH, MAX_FUNCTION_NAME_LENGTH, MAX_SEARCH_RESULTS, MAX_TOOLS } from "./limits.ts";
import { optional, withDefault } from "./nullish.ts";
import { text } from "./text.ts";

/** Of functions, and of the schemas of answers. */
export const NAME_PATTERN = /^[a-zA-Z0-9_-]+$/;

// --- as clients read them -------------------------------------------------------------------------

export const CodeInterpreterTool = z.strictObject({ type: z.literal("code_interpreter") });

const FunctionTool = z.strictObject({
  type: z.literal("function"),
  function: z.strictObject({
    name: z.string(),
    description: z.string().optional(),
    parameters: AnyObject,
    strict: z.boolean(),
  }),
});

const Ranker = z.enum(["auto", "default_2024_08_21"]);
const HybridSearch = z.strictObject({ embedding_weight: z.number().min(0), text_weight: z.number().min(0) });
const RankingOptions = z.strictObject({
  ranker: Ranker,
  score_threshold: z.number(),
  hybrid_search: HybridSearch.nullable(),
});

const FileSearchTool = z.strictObject({
  type: z.literal("file_search"),
  file_search: z.strictObject({
    max_num_results: z.int().optional(),
    ranking_options: RankingOptions,
  }),
});

export const Tool = z.discriminatedUnion("type", [CodeInterpreterTool, FunctionTool, FileSearchTool]);
export type Tool = z.infer<typeof Tool>;

const NamedToolChoice = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("function"), function: z.strictObject({ name: z.string() }) }),
  CodeInterpreterTool,
  z.strictObject({ type: z.literal("file_search") }),
]);
type NamedToolChoice = z.infer<typeof NamedToolChoice>;
export const ToolChoice = z.union([z.enum(["none", "auto", "required"]), NamedToolChoice]);
export type ToolChoice = z.infer<typeof ToolChoice>;

// --- as clients send them -------------------------------------------------------------------------

export const FunctionToolInput = z.strictObject({
  type: z.literal("function"),
  function: z.strictObject({
    name: z.string().min(1).max(MAX_FUNCTION_NAME_LENGTH).regex(NAME_PATTERN),
    description: optional(text({ max: MAX_FUNCTION_DESCRIPTION_LENGTH })),
    parameters: withDefault(JsonSchema, { type: "object", properties: {} }),
    strict: withDefault(z.boolean(), false),
  }),
});

const DEFAULT_RANKING = {
  ranker: "default_2024_08_21" as const,
  score_threshold: 0,
  hybrid_search: null,
};
const RankingOptionsInput = z.strictObject({
  ranker: withDefault(Ranker, "auto"),
  score_threshold: z.number().min(0).max(1),
  hybrid_search: withDefault(HybridSearch.nullable(), null),
});

export const FileSearchToolInput = z.strictObject({
  type: z.literal("file_search"),
  file_search: withDefault(
    z.strictObject({
      max_num_results: optional(z.int().min(1).max(MAX_SEARCH_RESULTS)),
      ranking_options: withDefault(RankingOptionsInput, DEFAULT_RANKING),
    }),
    { ranking_options: DEFAULT_RANKING },
  ),
});

export const ToolsInput = z
  .array(z.discriminatedUnion("type", [CodeInterpreterTool, FunctionToolInput, FileSearchToolInput]))
  .max(MAX_TOOLS);

const ChosenFunction = z.strictObject({ name: z.string() });

/** `function` is asked for only with the type that needs it, and ignored with the others, as the original does. */
export const ToolChoiceInput = z.union([
  z.enum(["none", "auto", "required"]),
  z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("function"), function: ChosenFunction }),
    z
      .strictObject({ type: z.enum(["code_interpreter", "file_search"]), function: ChosenFunction.nullish() })
      .transform(({ type }) => ({ type })),
  ]),
]);
