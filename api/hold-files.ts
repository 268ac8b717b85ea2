// The files that a request names: they have to be there, and to stay until what names them is committed.
import { DOCUMENT_EXTENSIONS, extensionOf } from "../contract/document-types.ts";
import { filesNotFound, notAnImage, notSearchable } from "../contract/errors.ts";
import { IMAGE_ENDINGS, isOther } from "../contract/file-types.ts";
import type { ToolResourcesInput } from "../contract/tool-resources.ts";
import { lockFiles } from "../db/files.ts";
import type { NewMessage } from "../db/messages.ts";
import type { Queryable } from "../db/pool.ts";
import type { Caller } from "./auth.ts";

export interface NamedFiles {
  messages?: readonly NewMessage[];
  tool_resources?: ToolResourcesInput | null | undefined;
  /** Of version 1. */
  file_ids?: readonly string[] | null | undefined;
}

/**
 * Holds the files. Returns what throws when one is not there (404) or cannot be used so (400): to be called when it is
 * clear that the rest of the request has its objects. To be awaited before anything else is locked.
 */
export async function holdFiles(tx: Queryable, { project_id }: Caller, named: NamedFiles): Promise<() => void> {
  const images = imagesOf(named.messages ?? []);
  const searched = searchedOf(named.messages ?? []);
  const attached = (named.messages ?? []).flatMap(({ attachments }) => attachments.map(({ file_id }) => file_id));
  const tools = named.tool_resources?.code_interpreter?.file_ids ?? [];
  const file_ids = [...new Set([...images, ...attached, ...tools, ...(named.file_ids ?? [])])];
  const filenames = await lockFiles(tx, { project_id, file_ids });

  return () => {
    const missing = file_ids.filter((id) => !filenames.has(id));
    if (missing.length > 0) throw filesNotFound(missing);
    const nameOf = (id: string) => filenames.get(id) ?? "";
    const noImage = images.find((id) => isOther(nameOf(id), IMAGE_ENDINGS));
    if (noImage !== undefined) throw notAnImage(IMAGE_ENDINGS, extensionOf(nameOf(noImage)));
    const unread = searched.map(nameOf).filter((name) => isOther(name, DOCUMENT_EXTENSIONS));
    if (unread.length > 0) throw notSearchable([...new Set(unread.map(extensionOf))]);
  };
}

function imagesOf(messages: readonly NewMessage[]): string[] {
  return messages.flatMap(({ content }) =>
    content.flatMap((part) => (part.type === "image_file" ? [part.image_file.file_id] : [])),
  );
}

/** In version 1 a file is for whichever tools the run has, so it may be any. */
function searchedOf(messages: readonly NewMessage[]): string[] {
  return messages
    .filter(({ v1_file_ids }) => v1_file_ids === undefined)
    .flatMap(({ attachments }) => attachments)
    .filter(({ tools }) => tools.some(({ type }) => type === "file_search"))
    .map(({ file_id }) => file_id);
}
