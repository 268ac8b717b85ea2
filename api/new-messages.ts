// Makes what a client sent ready to be stored. Done before a transaction begins: counting the tokens of long texts takes time.
import { setImmediate } from "node:timers/promises";
import { newId } from "../contract/ids.ts";
import { toContentParts } from "../contract/message.ts";
import type { CreateMessage } from "../contract/message.ts";
import type { ApiVersion } from "../contract/version.ts";
import type { NewMessage } from "../db/messages.ts";
import { countContentTokens } from "../model/tokens.ts";

/** Other requests get their turn between two messages. */
export async function prepareMessages(
  messages: readonly CreateMessage[] | null | undefined,
  version: ApiVersion,
): Promise<NewMessage[]> {
  const prepared: NewMessage[] = [];
  for (const message of messages ?? []) {
    if (prepared.length > 0) await setImmediate();
    prepared.push(prepareMessage(message, version));
  }
  return prepared;
}

export function prepareMessage(
  { role, content, attachments, metadata }: CreateMessage,
  version: ApiVersion,
): NewMessage {
  const parts = toContentParts(content);
  return {
    id: newId("msg_"),
    role,
    content: parts,
    attachments: attachments ?? [],
    metadata: metadata ?? {},
    tokens: countContentTokens(parts),
    ...(version.name === "v1" ? { v1_file_ids: (attachments ?? []).map(({ file_id }) => file_id) } : {}),
  };
}

/** Whether files are attached that are to be searched: then there may be some to be ingested. */
export function bringFiles(messages: readonly NewMessage[]): boolean {
  return messages.some(({ attachments }) =>
    attachments.some(({ tools }) => tools.some(({ type }) => type === "file_search")),
  );
}
