// The shape that a model's answers are to have.
import { z } from "zod";
import { AnyObject } from "./any-object.ts";
import { onlyFunctionTools } from "./errors.ts";
import { JsonSchema } from "./json-schema.ts";
import { MAX_FUNCTION_NAME_LENGTH } from "./limits.ts";
import { optional, withDefault } from "./nullish.ts";
import { NAME_PATTERN } from "./tool.ts";
import type { Tool } from "./tool.ts";

const TextFormat = z.strictObject({ type: z.literal("text") });
const JsonObjectFormat = z.strictObject({ type: z.literal("json_object") });

/** As clients read it. */
export const ResponseFormat = z.union([
  z.enum(["auto"]),
  z.discriminatedUnion("type", [
    TextFormat,
    JsonObjectFormat,
    z.strictObject({
      type: z.literal("json_schema"),
      json_schema: z.strictObject({
        name: z.string(),
        description: z.string().optional(),
        schema: AnyObject.optional(),
        strict: z.boolean(),
      }),
    }),
  ]),
]);
export type ResponseFormat = z.infer<typeof ResponseFormat>;

/** As clients send it. */
export const ResponseFormatInput = z.union([
  z.enum(["auto"]),
  z.discriminatedUnion("type", [
    TextFormat,
    JsonObjectFormat,
    z.strictObject({
      type: z.literal("json_schema"),
      json_schema: z.strictObject({
        name: z.string().min(1).max(MAX_FUNCTION_NAME_LENGTH).regex(NAME_PATTERN),
        description: optional(z.string()),
        schema: optional(JsonSchema),
        strict: withDefault(z.boolean(), false),
      }),
    }),
  ]),
]);

/** Throws (400) when an answer that must be JSON is combined with a tool that is not a function. */
export function requireFunctionTools(tools: readonly Tool[], format: ResponseFormat): void {
  if (format === "auto" || format.type === "text") return;
  if (tools.some((tool) => tool.type !== "function")) throw onlyFunctionTools(format.type);
}
