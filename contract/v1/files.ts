// The lists of files that assistants and messages have in version 1, and what they mean for the tools of version 2.
import { z } from "zod";
import { MAX_RESOURCE_FILES } from "../limits.ts";
import { FileId } from "../references.ts";
import type { ToolResources } from "../tool-resources.ts";
import type { Tool } from "../tool.ts";

export const CreateAssistantFile = z.strictObject({ file_id: FileId });

export const AssistantFile = z.strictObject({
  id: z.string(),
  object: z.literal("assistant.file"),
  created_at: z.int(),
  assistant_id: z.string(),
});
export type AssistantFile = z.infer<typeof AssistantFile>;

export const MessageFile = z.strictObject({
  id: z.string(),
  object: z.literal("thread.message.file"),
  created_at: z.int(),
  message_id: z.string(),
});
export type MessageFile = z.infer<typeof MessageFile>;

/**
 * What an assistant's tools work with after version 1 has changed its list of files: those that left the list are gone,
 * those in it are there for the code interpreter as far as there is room. What version 2 put there itself stays.
 */
export function moveFiles(
  resources: ToolResources,
  tools: readonly Tool[],
  { before, after }: { before: readonly string[]; after: readonly string[] },
): ToolResources {
  const hasInterpreter = tools.some((tool) => tool.type === "code_interpreter");
  if (!hasInterpreter && resources.code_interpreter === undefined) return resources;
  const kept = (resources.code_interpreter?.file_ids ?? []).filter((id) => !before.includes(id) || after.includes(id));
  const added = hasInterpreter ? after.filter((id) => !kept.includes(id)) : [];
  return { ...resources, code_interpreter: { file_ids: [...kept, ...added].slice(0, MAX_RESOURCE_FILES) } };
}
