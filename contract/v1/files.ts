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

/** What version 1 has changed of an assistant: its list of files, its tools, or both. */
export interface V1Change {
  files: Change<string>;
  tools: Change<Tool>;
}

/**
 * What that means for one of its tools: files that left the list are gone, those that are new in it are there for the tool,
 * and so is the whole list when the tool is new. What version 2 put there itself stays, and what it took away does not
 * come back.
 */
export function movesOf(type: FileTool, { files, tools }: V1Change): { added: string[]; removed: string[] } {
  const wasOn = tools.before.some((tool) => tool.type === type);
  const isOn = tools.after.some((tool) => tool.type === type);
  const isNew = (id: string) => isOn && !(wasOn && files.before.includes(id));
  return {
    added: [...new Set(files.after.filter(isNew))],
    removed: files.before.filter((id) => !files.after.includes(id)),
  };
}

type FileTool = "code_interpreter" | "file_search";

/** The resources with the files that the code interpreter has after that, as far as there is room. */
export function moveFiles(resources: ToolResources, change: V1Change): ToolResources {
  const { added, removed } = movesOf("code_interpreter", change);
  if (added.length === 0 && resources.code_interpreter === undefined) return resources;
  const kept = (resources.code_interpreter?.file_ids ?? []).filter((id) => !removed.includes(id));
  const file_ids = [...kept, ...added.filter((id) => !kept.includes(id))].slice(0, MAX_RESOURCE_FILES);
  return { ...resources, code_interpreter: { file_ids } };
}
