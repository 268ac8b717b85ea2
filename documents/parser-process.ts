// Starts the process that parses one document, reads chunks from it, and ends it. It inherits no environment, may read
// the document and our code and nothing else, and the kernel and V8 bound its memory and CPU time.
import { realpath } from "node:fs/promises";
import type { DocumentKind } from "../contract/document-types.ts";
import type { Chunk, Chunking } from "./chunks.ts";
import { createPatience, Line, parserCommandFor, startParser, whyItEnded } from "./parser-child.ts";
import type { Command, ParserLimits } from "./parser-child.ts";
import { DocumentRefused } from "./refusal.ts";

export interface Parsing extends Chunking {
  path: string;
  kind: DocumentKind;
}

/** Chunks, until the process says that there are no more. Time counts while they are waited for. */
export async function* parseInProcess(
  parsing: Parsing,
  signal: AbortSignal,
  limits: ParserLimits,
): AsyncGenerator<Chunk> {
  const child = startParser(parserCommand({ ...parsing, path: await realpath(parsing.path) }, limits), "ignore");
  const kill = () => child.kill();
  const patience = createPatience(limits.waitMs, kill);
  signal.addEventListener("abort", kill, { once: true });
  try {
    signal.throwIfAborted();
    let finished = false;
    for await (const line of patience.wait(child.lines)) {
      const said = Line.parse(JSON.parse(line));
      if ("refused" in said) throw new DocumentRefused(said.refused.code, said.refused.message);
      if ("chunks" in said) finished = true;
      else yield said;
    }
    signal.throwIfAborted();
    if (!finished) throw whyItEnded(await child.ended, patience.isOver(), limits);
  } finally {
    signal.removeEventListener("abort", kill);
    kill();
    child.stopReading();
    await child.ended;
  }
}

/** What is run for a document. */
export function parserCommand(parsing: Parsing, limits: ParserLimits): Command {
  const { path, kind, max_chunk_size_tokens, chunk_overlap_tokens } = parsing;
  const script = ["main.ts", path, kind, `${max_chunk_size_tokens}`, `${chunk_overlap_tokens}`];
  return parserCommandFor(script, path, limits);
}
