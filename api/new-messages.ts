// Makes what a client sent ready to be stored. Done before a transaction begins: counting the tokens of long texts takes time.
import { newId } from "../contract/ids.ts";
import { toContentParts } from "../contract/message.ts";
import type { CreateMessage } from "../contract/message.ts";
import type { NewMessage } from "../db/messages.ts";
import { countContentTokens } from "../model/tokens.ts";

export function prepareMessages(messages: readonly CreateMessage[] | null | undefined): NewMessage[] {
  return (messages ?? []).map(({ role, content, attachments, metadata }) => {
    const parts = toContentParts(content);
    return {
      id: newId("msg_"),
      role,
      content: parts,
      attachments: attachments ?? [],
      metadata: metadata ?? {},
      tokens: countContentTokens(parts),
    };
  });
}
