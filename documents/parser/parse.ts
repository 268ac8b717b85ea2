// From an opened document to what is said of it: a line for each chunk, then how many there were.
import { writeSync } from "node:fs";
import { setPriority } from "node:os";
import type { Chunking } from "../chunks.ts";
import { cutChunks } from "../cutting/cut.ts";
import { tidyText } from "../cutting/tidy.ts";
import { DocumentRefused, unreadable } from "../refusal.ts";
import type { OpenDocument } from "./document.ts";
import { limitTokens } from "./limit-tokens.ts";

/** Runs come first: their streams share the processors with this. */
const LOW_PRIORITY = 5;

/** To be called before anything else. What this process says is on standard output, so libraries must not write there. */
export function becomeParser(): void {
  console.log = console.error;
  console.info = console.error;
  console.debug = console.error;
  setPriority(LOW_PRIORITY);
}

/** Says the chunks of a document, or why it is refused. Saying waits until somebody reads. */
export async function tellChunks(open: () => Promise<OpenDocument>, chunking: Chunking): Promise<void> {
  try {
    const document = await open();
    await limitTokens(document);
    let chunks = 0;
    for await (const chunk of cutChunks(tidyText(document.read()), chunking)) {
      say(chunk);
      chunks += 1;
    }
    if (chunks === 0) throw unreadable(document.emptyBecause);
    say({ chunks });
  } catch (error) {
    if (!(error instanceof DocumentRefused)) throw error;
    if (error.cause !== undefined) console.error(error.cause);
    say({ refused: { code: error.code, message: error.message } });
  }
}

function say(line: object): void {
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
  for (let written = 0; written < bytes.length;) written += writeSync(1, bytes, written);
}
