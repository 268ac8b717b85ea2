// What clients of version 1 send. Each schema gives the request of version 2 that means the same.
import { z } from "zod";
import { CreateAssistant, ModifyAssistant } from "../assistant.ts";
import { MAX_CONTENT_LENGTH, MAX_MESSAGES_PER_REQUEST, MAX_RESOURCE_FILES, MAX_V1_MESSAGE_FILES } from "../limits.ts";
import { CreateMessage } from "../message.ts";
import { withDefault } from "../nullish.ts";
import { CreateRun, CreateThreadAndRun } from "../run.ts";
import { FileId } from "../references.ts";
import { CreateThread, ModifyThread } from "../thread.ts";
import { V1ResponseFormatInput, V1ToolChoiceInput, V1ToolsInput } from "./tools.ts";
import { text } from "../text.ts";

const assistantFields = {
  tools: V1ToolsInput.nullish(),
  /** Shared by all tools of the assistant. Never undefined, so that it can be told from a request of version 2. */
  file_ids: withDefault(z.array(FileId).max(MAX_RESOURCE_FILES).nullable(), null),
};
const SINCE_V2 = {
  tool_resources: true,
  temperature: true,
  top_p: true,
  response_format: true,
  reasoning_effort: true,
} as const;

export const V1CreateAssistant = CreateAssistant.omit(SINCE_V2).extend(assistantFields);
export const V1ModifyAssistant = ModifyAssistant.omit(SINCE_V2).extend(assistantFields);

/** Which tool reads a file is the run's affair: until then it is attached for both. */
export const V1CreateMessage = z
  .strictObject({
    role: CreateMessage.shape.role,
    content: text({ min: 1, max: MAX_CONTENT_LENGTH }),
    file_ids: z.array(FileId).max(MAX_V1_MESSAGE_FILES).nullish(),
    metadata: CreateMessage.shape.metadata,
  })
  .transform(({ file_ids, ...message }): CreateMessage => ({
    ...message,
    attachments: (file_ids ?? []).map((file_id) => ({
      file_id,
      tools: [{ type: "code_interpreter" }, { type: "file_search" }],
    })),
  }));
const V1CreateMessages = z.array(V1CreateMessage).max(MAX_MESSAGES_PER_REQUEST);

export const V1CreateThread = CreateThread.omit({ tool_resources: true }).extend({
  messages: V1CreateMessages.nullish(),
});
export const V1ModifyThread = ModifyThread.omit({ tool_resources: true });

const runFields = {
  tools: V1ToolsInput.nullish(),
  tool_choice: V1ToolChoiceInput.nullish(),
  response_format: V1ResponseFormatInput.nullish(),
};

export const V1CreateRun = CreateRun.omit({
  top_p: true,
  parallel_tool_calls: true,
  reasoning_effort: true,
}).extend({ ...runFields, additional_messages: V1CreateMessages.nullish() });

export const V1CreateThreadAndRun = CreateThreadAndRun.omit({
  top_p: true,
  parallel_tool_calls: true,
  tool_resources: true,
}).extend({ ...runFields, thread: V1CreateThread.nullish() });
