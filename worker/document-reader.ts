// Reads a stored file for ingestion: its content goes to a temporary file, which the parser's process reads.
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { IngestDeps } from "../activities/ingest.ts";
import { BlobsUnavailable } from "../blobs/blobs.ts";
import type { Blobs } from "../blobs/blobs.ts";
import { readChunks } from "../documents/chunks.ts";
import { makeDocumentFolder } from "./temporary-folders.ts";

/** The temporary file is gone when the last chunk was taken, or the reader has had enough. */
export function createDocumentReader(blobs: Pick<Blobs, "read">): IngestDeps["readDocument"] {
  return async function* ({ blob, filename, contentType }, chunking, signal) {
    const folder = await makeDocumentFolder();
    try {
      const path = join(folder, "content");
      await copy(await blobs.read(blob), path, signal);
      const document = { path, filename, ...(contentType === null ? {} : { contentType }) };
      yield* readChunks(document, chunking, signal);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
}

/** What breaks off here looks like any connection that does, and would be taken for that of the database. */
async function copy(content: Readable, path: string, signal: AbortSignal): Promise<void> {
  try {
    await pipeline(content, createWriteStream(path, { mode: 0o600 }), { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new BlobsUnavailable("a blob could not be copied to a temporary file", { cause: error });
  }
}
