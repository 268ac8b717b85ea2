// Threads: a conversation that messages are added to and assistants are run on.
import { z } from "zod";
import { MAX_MESSAGES_PER_REQUEST } from "./limits.ts";
import { CreateMessage } from "./message.ts";
import { Metadata } from "./metadata.ts";
import { ToolResources, ToolResourcesCreate, ToolResourcesUpdate } from "./tool-resources.ts";

export const CreateThread = z.strictObject({
  messages: z.array(CreateMessage).max(MAX_MESSAGES_PER_REQUEST).nullish(),
  metadata: Metadata.nullish(),
  tool_resources: ToolResourcesCreate.nullish(),
});
export type CreateThread = z.infer<typeof CreateThread>;

export const ModifyThread = z.strictObject({
  metadata: Metadata.nullish(),
  tool_resources: ToolResourcesUpdate.nullish(),
});
export type ModifyThread = z.infer<typeof ModifyThread>;

export const Thread = z
  .strictObject({
    id: z.string(),
    object: z.literal("thread"),
    created_at: z.int(),
    metadata: Metadata,
    tool_resources: ToolResources,
  })
  .meta({ id: "Thread" });
export type Thread = z.infer<typeof Thread>;
