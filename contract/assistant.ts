// Assistants: a model with instructions and tools, under a name.
import { z } from "zod";
import { MAX_DESCRIPTION_LENGTH, MAX_INSTRUCTIONS_LENGTH, MAX_NAME_LENGTH } from "./limits.ts";
import { Metadata } from "./metadata.ts";
import { ModelName, ReasoningEffort, Temperature, TopP } from "./model.ts";
import { ResponseFormat, ResponseFormatInput } from "./response-format.ts";
import { ToolResources, ToolResourcesCreate, ToolResourcesUpdate } from "./tool-resources.ts";
import { Tool, ToolsInput } from "./tool.ts";
import { text } from "./text.ts";

const settings = {
  name: text({ max: MAX_NAME_LENGTH }).nullish(),
  description: text({ max: MAX_DESCRIPTION_LENGTH }).nullish(),
  instructions: text({ max: MAX_INSTRUCTIONS_LENGTH }).nullish(),
  tools: ToolsInput.nullish(),
  metadata: Metadata.nullish(),
  temperature: Temperature.nullish(),
  top_p: TopP.nullish(),
  response_format: ResponseFormatInput.nullish(),
  reasoning_effort: ReasoningEffort.nullish(),
};

export const CreateAssistant = z.strictObject({
  model: ModelName,
  ...settings,
  tool_resources: ToolResourcesCreate.nullish(),
});
export type CreateAssistant = z.infer<typeof CreateAssistant>;

/** Every field may be left out and then stays as it is; an explicit null clears it. */
export const ModifyAssistant = z.strictObject({
  model: ModelName.nullish(),
  ...settings,
  tool_resources: ToolResourcesUpdate.nullish(),
});
export type ModifyAssistant = z.infer<typeof ModifyAssistant>;

export const Assistant = z
  .strictObject({
    id: z.string(),
    object: z.literal("assistant"),
    created_at: z.int(),
    name: z.string().nullable(),
    description: z.string().nullable(),
    model: z.string(),
    instructions: z.string().nullable(),
    tools: z.array(Tool),
    top_p: z.number(),
    temperature: z.number(),
    reasoning_effort: ReasoningEffort.nullable(),
    tool_resources: ToolResources,
    metadata: Metadata,
    response_format: ResponseFormat,
  })
  .meta({ id: "Assistant" });
export type Assistant = z.infer<typeof Assistant>;
