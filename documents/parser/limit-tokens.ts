// Refuses a text that is too long before its first chunk is given out, since chunks cost their reader money.
import { MAX_DOCUMENT_TOKENS } from "../../contract/limits.ts";
import { readAtoms } from "../cutting/atoms.ts";
import { tidyText } from "../cutting/tidy.ts";
import { unreadable } from "../refusal.ts";
import type { OpenDocument } from "./document.ts";

export async function limitTokens({ mostBytes, read }: OpenDocument): Promise<void> {
  if (mostBytes <= MAX_DOCUMENT_TOKENS) return; // a token has a byte at least
  let tokens = 0;
  for await (const atoms of readAtoms(tidyText(read()))) {
    for (const atom of atoms) tokens += atom.tokens;
    if (tokens > MAX_DOCUMENT_TOKENS) {
      throw unreadable(`it is too large: its text has more than ${MAX_DOCUMENT_TOKENS.toLocaleString("en")} tokens`);
    }
  }
}
