// Tools, their choice and the format of answers in version 1: what is called file_search now was called retrieval.
import { z } from "zod";
import { AnyObject } from "../any-object.ts";
import { MAX_TOOLS } from "../limits.ts";
import type { ResponseFormat } from "../response-format.ts";
import { CodeInterpreterTool, FileSearchToolInput, FunctionToolInput } from "../tool.ts";
import type { Tool, ToolChoice } from "../tool.ts";

const RetrievalTool = z.strictObject({ type: z.literal("retrieval") });

export const V1Tool = z.discriminatedUnion("type", [
  CodeInterpreterTool,
  z.strictObject({
    type: z.literal("function"),
    function: z.strictObject({
      name: z.string(),
      description: z.string().optional(),
      parameters: AnyObject,
    }),
  }),
  RetrievalTool,
]);
export type V1Tool = z.infer<typeof V1Tool>;

const FILE_SEARCH = FileSearchToolInput.parse({ type: "file_search" });

export const V1ToolsInput = z
  .array(
    z
      .discriminatedUnion("type", [CodeInterpreterTool, FunctionToolInput, RetrievalTool])
      .transform((tool): Tool => (tool.type === "retrieval" ? FILE_SEARCH : tool)),
  )
  .max(MAX_TOOLS);

export function toV1Tool(tool: Tool): V1Tool {
  if (tool.type === "code_interpreter") return tool;
  if (tool.type === "file_search") return { type: "retrieval" };
  const { strict: _, ...described } = tool.function;
  return { type: "function", function: described };
}

export const V1ToolChoice = z.union([
  z.enum(["none", "auto", "required"]),
  z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("function"), function: z.strictObject({ name: z.string() }) }),
    CodeInterpreterTool,
    RetrievalTool,
  ]),
]);
export type V1ToolChoice = z.infer<typeof V1ToolChoice>;

const ChosenFunction = z.strictObject({ name: z.string() });

/** `required` came while version 1 was still in use, and nothing is gained by refusing it. */
export const V1ToolChoiceInput = z.union([
  z.enum(["none", "auto", "required"]),
  z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("function"), function: ChosenFunction }),
    z
      .strictObject({ type: z.enum(["code_interpreter", "retrieval"]), function: ChosenFunction.nullish() })
      .transform(({ type }): ToolChoice => ({ type: type === "retrieval" ? "file_search" : type })),
  ]),
]);

export function toV1ToolChoice(choice: ToolChoice): V1ToolChoice {
  return typeof choice === "object" && choice.type === "file_search" ? { type: "retrieval" } : choice;
}

const TextOrJson = z.strictObject({ type: z.enum(["text", "json_object"]) });

export const V1ResponseFormat = z.union([z.enum(["auto"]), TextOrJson]);
export type V1ResponseFormat = z.infer<typeof V1ResponseFormat>;

export const V1ResponseFormatInput = z.union([
  z.enum(["none", "auto"]).transform((): ResponseFormat => "auto"),
  TextOrJson.transform(({ type }): ResponseFormat => ({ type })),
]);

/** A schema for answers came with version 2; what version 1 knows of it is that they are JSON. */
export function toV1ResponseFormat(format: ResponseFormat): V1ResponseFormat {
  if (format === "auto") return format;
  return { type: format.type === "text" ? "text" : "json_object" };
}
