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

interface Change<Item> {
  before: readonly Item[];
  after: readonly Item[];
}

/**
 * What an assistant's tools work with after version 1 has changed its list of files, or its tools: files that left the
 * list are gone, those that are new in it are there for the code interpreter as far as there is room, and so is the whole
 * list when that tool is new. What version 2 put there itself stays, and what it took away does not come back.
 */
export function moveFiles(resources: ToolResources, files: Change<string>, tools: Change<Tool>): ToolResources {
  const isOn = hasInterpreter(tools.after);
  if (!isOn && resources.code_interpreter === undefined) return resources;
  const isLeft = (id: string) => files.before.includes(id) && !files.after.includes(id);
  const isNew = (id: string) => isOn && !(hasInterpreter(tools.before) && files.before.includes(id));
  const kept = (resources.code_interpreter?.file_ids ?? []).filter((id) => !isLeft(id));
  const added = new Set(files.after.filter((id) => isNew(id) && !kept.includes(id)));
  return { ...resources, code_interpreter: { file_ids: [...kept, ...added].slice(0, MAX_RESOURCE_FILES) } };
}

function hasInterpreter(tools: readonly Tool[]): boolean {
  return tools.some((tool) => tool.type === "code_interpreter");
}
