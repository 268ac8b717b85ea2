// The paths of a file on its way into a vector store, for `npm run history:record`.
import { ingestWorkflowId } from "../../workflows/definitions.ts";
import type { EmbeddingAnswer } from "../support/embedding-server.ts";
import { startIngestStack } from "../ingest/ingest-stack.ts";
import type { IngestStack } from "../ingest/ingest-stack.ts";
import { wordsOf } from "../support/stored-files.ts";
import { waitUntil } from "../support/wait-until.ts";

interface IngestPath {
  content: string;
  filename?: string;
  answers?: EmbeddingAnswer[];
  /** What the client does while the file is embedded. */
  act?: (stack: IngestStack, batch: { id: string; vector_store_id: string }) => Promise<unknown>;
}

const SMALL = { type: "static", static: { max_chunk_size_tokens: 100, chunk_overlap_tokens: 0 } } as const;

const paths: Record<string, IngestPath> = {
  "ingest-completed": { content: "hello, this is found" },
  "ingest-in-slices": { content: wordsOf(60_000, "hello ") },
  "ingest-failed": { content: "hello", filename: "hello.csv" },
  "ingest-failed-while-embedding": { content: "hello", answers: [{ status: 400 }] },
  "ingest-retried-after-429": {
    content: "hello",
    answers: [{ status: 429, headers: { "retry-after-ms": "50" } }],
  },
  "ingest-cancelled": {
    content: wordsOf(30_000, "hello "),
    answers: [{ after: new Promise(() => undefined) }],
    act: async (stack, batch) => {
      await waitUntil("the file is being embedded", () => stack.embeddings.requests > 0);
      await stack.openai.vectorStores.fileBatches.cancel(batch.id, batch);
    },
  },
};

/** Lives through each path that `isWanted` on a stack of its own, and hands the workflow's id to `save` at the end. */
export async function recordIngests(
  isWanted: (name: string) => boolean,
  save: (name: string, workflowId: string) => Promise<void>,
): Promise<void> {
  for (const [name, path] of Object.entries(paths)) if (isWanted(name)) await recordIngest(name, path, save);
}

async function recordIngest(
  name: string,
  { content, filename, answers = [], act }: IngestPath,
  save: (name: string, workflowId: string) => Promise<void>,
): Promise<void> {
  const stack = await startIngestStack();
  try {
    stack.embeddings.next(...answers);
    const store = await stack.store();
    const file_id = await stack.file(content, filename);
    const batch = await stack.openai.vectorStores.fileBatches.create(store, {
      files: [{ file_id, chunking_strategy: SMALL }],
    });
    await act?.(stack, batch);
    await stack.until(store, file_id, "completed", "failed", "cancelled");
    const { rows } = await stack.db.query<{ id: string }>("select id from vector_store_files");
    await save(name, ingestWorkflowId({ id: Number(rows[0]?.id), vector_store_id: store, file_id }));
  } finally {
    await stack.stop();
  }
}
