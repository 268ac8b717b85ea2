// Which of the files that are attached to messages go to the store of their thread.
import type { Message } from "../contract/message.ts";
import { findUnsearchable } from "./own-stores.ts";
import type { Queryable } from "./pool.ts";

/** A message with the files of its attachments; one of version 1 has its own list of them. */
interface Attaching extends Pick<Message, "attachments"> {
  v1_file_ids?: string[];
}

/**
 * The files that are attached for File Search, each once. Version 1 attaches each file for all tools, so there one of a
 * type that cannot be searched is left to those that can use it.
 */
export async function pickSearchable(
  tx: Queryable,
  project_id: string,
  messages: readonly Attaching[],
): Promise<string[]> {
  const attached = messages.flatMap(({ attachments, v1_file_ids }) =>
    attachments
      .filter(({ tools }) => tools.some(({ type }) => type === "file_search"))
      .map(({ file_id }) => ({ file_id, isV1: v1_file_ids !== undefined })),
  );
  const ofV1 = attached.filter(({ isV1 }) => isV1).map(({ file_id }) => file_id);
  const unsearchable = await findUnsearchable(tx, project_id, ofV1);
  const searchable = attached.filter(({ file_id, isV1 }) => !isV1 || !unsearchable.has(file_id));
  return [...new Set(searchable.map(({ file_id }) => file_id))];
}
