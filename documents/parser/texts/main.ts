// The process that reads plain text, one file after another: a line of JSON on standard input names each. Nothing of ours or
// of others interprets what is in them. Ends with its input.
import { createInterface } from "node:readline";
import type { Chunking } from "../../chunks.ts";
import { becomeParser, tellChunks } from "../parse.ts";
import { openPlainText } from "../plain-text.ts";

becomeParser();
for await (const line of createInterface({ input: process.stdin })) {
  const { path, ...chunking } = JSON.parse(line) as Chunking & { path: string };
  await tellChunks(() => openPlainText(path), chunking);
}
