// The process that parses one document: `main.ts PATH KIND MAX_CHUNK_TOKENS OVERLAP_TOKENS`. Writes a line of JSON for each
// chunk, then how many there were, or why the document is refused. Writing waits until somebody reads.
import { writeSync } from "node:fs";
import { setPriority } from "node:os";
import type { DocumentKind } from "../../contract/document-types.ts";
import { cutChunks } from "../cutting/cut.ts";
import { tidyText } from "../cutting/tidy.ts";
import { DocumentRefused, unreadable } from "../refusal.ts";
import { openDocument } from "./document.ts";
import { limitTokens } from "./limit-tokens.ts";

/** Runs come first: their streams share the processors with this. */
const LOW_PRIORITY = 5;

async function main(): Promise<void> {
  const [path = "", kind = "text", max, overlap] = process.argv.slice(2);
  const document = await openDocument(path, kind as DocumentKind);
  await limitTokens(document);
  const chunking = { max_chunk_size_tokens: Number(max), chunk_overlap_tokens: Number(overlap) };
  let chunks = 0;
  for await (const chunk of cutChunks(tidyText(document.read()), chunking)) {
    say(chunk);
    chunks += 1;
  }
  if (chunks === 0) throw unreadable(document.emptyBecause);
  say({ chunks });
}

/** What this process says is on standard output, so libraries must not write there. */
function muteLibraries(): void {
  console.log = console.error;
  console.info = console.error;
  console.debug = console.error;
}

function say(line: object): void {
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
  for (let written = 0; written < bytes.length;) written += writeSync(1, bytes, written);
}

try {
  muteLibraries();
  setPriority(LOW_PRIORITY);
  await main();
} catch (error) {
  if (!(error instanceof DocumentRefused)) throw error;
  if (error.cause !== undefined) console.error(error.cause);
  say({ refused: { code: error.code, message: error.message } });
}
process.exit();
