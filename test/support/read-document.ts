// Reads a document of a test as ingestion does: from a file, in a process of its own.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readChunks } from "../../documents/chunks.ts";
import type { Chunk, Chunking } from "../../documents/chunks.ts";
import { PARSER_LIMITS } from "../../documents/parser-child.ts";
import type { ParserLimits } from "../../documents/parser-child.ts";

export interface Reading {
  chunking?: Chunking;
  contentType?: string;
  signal?: AbortSignal;
  limits?: Partial<ParserLimits>;
}

const NO_OVERLAP: Chunking = { max_chunk_size_tokens: 4096, chunk_overlap_tokens: 0 };

/** The text of a document, which is its chunks when they do not overlap. */
export async function readText(filename: string, content: string | Uint8Array, reading: Reading = {}): Promise<string> {
  const chunks = await readAll(filename, content, reading);
  return chunks.map(({ text }) => text).join("");
}

export async function readAll(filename: string, content: string | Uint8Array, reading: Reading = {}): Promise<Chunk[]> {
  return withFile(content, async (path) => {
    const chunks: Chunk[] = [];
    for await (const chunk of openChunks(path, filename, reading)) chunks.push(chunk);
    return chunks;
  });
}

export function openChunks(path: string, filename: string, reading: Reading = {}): AsyncGenerator<Chunk> {
  const { chunking = NO_OVERLAP, contentType, signal = new AbortController().signal, limits } = reading;
  const document = { path, filename, ...(contentType === undefined ? {} : { contentType }) };
  return readChunks(document, chunking, signal, limits && { ...PARSER_LIMITS, ...limits });
}

export async function withFile<T>(content: string | Uint8Array, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "document-"));
  try {
    const path = join(folder, "content");
    await writeFile(path, content);
    return await use(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}
