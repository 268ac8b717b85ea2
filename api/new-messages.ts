// Makes what a client sent ready to be stored. Done before a transaction begins: counting the tokens of long texts takes time.
import { setImmediate } from "node:timers/promises";
import { newId } from "../contract/ids.ts";
import { toContentParts } from "../contract/message.ts";
import type { CreateMessage } from "../contract/message.ts";
import type { NewMessage } from "../db/messages.ts";
import { countContentTokens } from "../model/tokens.ts";

/** Other requests get their turn between two messages. */
export async function prepareMessages(messages: readonly CreateMessage[] | null | undefined): Promise<NewMessage[]> {
  const prepared: NewMessage[] = [];
  for (const message of messages ?? []) {
    if (prepared.length > 0) await setImmediate();
    prepared.push(prepareMessage(message));
  }
  return prepared;
}

export function prepareMessage({ role, content, attachments, metadata }: CreateMessage): NewMessage {
  const parts = toContentParts(content);
  return {
    id: newId("msg_"),
    role,
    content: parts,
    attachments: attachments ?? [],
    metadata: metadata ?? {},
    tokens: countContentTokens(parts),
  };
}
