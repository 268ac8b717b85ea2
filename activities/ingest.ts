// The steps that make a file searchable: its text is cut into chunks, which are kept; these are embedded batch by batch.
// A try that begins where another one died finds what is left to do in the database.
import { EMBED_BATCH, EMBED_SLICE, EXTRACT_BATCH } from "../contract/limits.ts";
import type { NewChunk } from "../db/chunks.ts";
import {
  beginReading,
  completeFile,
  countExtracted,
  endFile,
  finishReading,
  keepEmbedded,
  keepExtracted,
  readExtracted,
} from "../db/ingests.ts";
import type { FileInWork } from "../db/ingests.ts";
import type { Chunk, Chunking } from "../documents/chunks.ts";
import { unreadable } from "../documents/refusal.ts";
import type { Embedder } from "../model/embeddings.ts";
import { tryStep } from "./ingest-try.ts";
import type { IngestEnded, IngestInput, TryDeps } from "./ingest-try.ts";
import type { IngestWatch } from "./ingest-watch.ts";

/** A stored file, to be read. */
export interface StoredDocument {
  /** Key in the blob store. */
  blob: string;
  filename: string;
  contentType: string | null;
}

export interface IngestDeps extends TryDeps {
  /** The chunks of a stored file. Throws as the blob store does, and `readChunks`. */
  readDocument(document: StoredDocument, chunking: Chunking, signal: AbortSignal): AsyncIterable<Chunk>;
  /** Undefined without an embedding endpoint: then chunks are found by their words alone. */
  embedder: Embedder | undefined;
  /** Text search configuration of Postgres. */
  searchLanguage: string;
}

export interface Extracted {
  kind: "extracted";
  chunks: number;
}

/** Reads a file and keeps its chunks. What an earlier try has read is not mixed with it. */
export function extractChunks(deps: IngestDeps, input: IngestInput): Promise<Extracted | IngestEnded> {
  return tryStep<Extracted>(deps, input, async (file, watch) => {
    // A try that was done, and whose answer Temporal never got.
    if (file.chunks !== null) return { kind: "extracted", chunks: file.chunks };
    await beginReading(deps.pool, file);
    let batch: Chunk[] = [];
    for await (const chunk of deps.readDocument(toDocument(file), file, watch.signal)) {
      if (batch.length === EXTRACT_BATCH) {
        await keepExtracted(deps.pool, file, batch);
        watch.done(chunk.index);
        batch = [];
      }
      batch.push(chunk);
    }
    watch.signal.throwIfAborted();
    if (batch.length === 0) throw unreadable("it is empty");
    await keepExtracted(deps.pool, file, batch);
    return { kind: "extracted", ...(await finishReading(deps.pool, file)) };
  });
}

export type Embedded =
  | {
      kind: "embedding";
      /** Chunks of the file that are embedded by now. */
      done: number;
    }
  /** There is nothing to embed yet. */
  | { kind: "unread" };

/** Embeds a slice of a file's chunks, and completes the file when none is left. */
export function embedChunks(deps: IngestDeps, input: IngestInput): Promise<Embedded | IngestEnded> {
  return tryStep<Embedded | IngestEnded>(deps, input, async (file, watch) => {
    if (file.chunks === null) return { kind: "unread" };
    let done = file.chunks - (await countExtracted(deps.pool, file));
    for (const sliceEnd = done + EMBED_SLICE; done < sliceEnd; watch.done(done)) {
      const embedded = await embedBatch(deps, file, watch);
      if (embedded === 0) return complete(deps, file);
      done += embedded;
    }
    return { kind: "embedding", done };
  });
}

/** Returns how many chunks were embedded: 0 when none was left. */
async function embedBatch({ pool, embedder, searchLanguage }: IngestDeps, file: FileInWork, watch: IngestWatch) {
  const batch = await readExtracted(pool, file, EMBED_BATCH);
  if (batch.length === 0) return 0;
  const vectors = await embedder?.embed(
    batch.map(({ text }) => text),
    watch.signal,
  );
  watch.signal.throwIfAborted();
  const chunks = batch.map((chunk, index): NewChunk => ({ ...chunk, embedding: vectors?.[index] ?? null }));
  await keepEmbedded(pool, file, chunks, { language: searchLanguage, embedding_model: embedder?.model });
  return batch.length;
}

async function complete({ pool, embedder }: IngestDeps, file: FileInWork): Promise<IngestEnded> {
  const vectorBytes = (embedder?.dimensions ?? 0) * Float32Array.BYTES_PER_ELEMENT;
  await completeFile(pool, file, vectorBytes);
  return { kind: "ended", status: "completed" };
}

/** Ends a file as cancelled whose workflow was. One that has ended already stays as it is. */
export async function cancelIngest({ pool }: IngestDeps, input: IngestInput): Promise<IngestEnded> {
  const status = await endFile(pool, { id: input.entry, project_id: input.projectId }, { to: "cancelled" });
  return { kind: "ended", status: status ?? "cancelled" };
}

function toDocument({ blob, filename, content_type }: FileInWork): StoredDocument {
  return { blob, filename, contentType: content_type };
}
