// A stack with an embedding endpoint that does what a test wants, and a folder of files.
import type { VectorStoreFile } from "openai/resources/vector-stores/files";
import { startEmbeddingServer } from "../support/embedding-server.ts";
import type { EmbeddingServer } from "../support/embedding-server.ts";
import { startStack } from "../support/stack.ts";
import type { Stack, StackOptions } from "../support/stack.ts";
import { storeFile } from "../support/stored-files.ts";
import { waitUntil } from "../support/wait-until.ts";

export const DIMENSIONS = 16;
/** How often the SDK's pollers look. */
export const QUICK = { pollIntervalMs: 50 };

export interface IngestStack extends Stack {
  embeddings: EmbeddingServer;
  /** Stores a file of the stack's project and returns its id. */
  file(content: string, filename?: string): Promise<string>;
  /** A new store's id. */
  store(): Promise<string>;
  /** Waits until a file is in one of these states. */
  until(store: string, file: string, ...states: VectorStoreFile["status"][]): Promise<VectorStoreFile>;
}

/** To be stopped. */
export async function startIngestStack(options: StackOptions = {}): Promise<IngestStack> {
  const embeddings = await startEmbeddingServer();
  const stack = await startStack({
    ...options,
    settings: {
      EMBEDDINGS_BASE_URL: embeddings.url,
      EMBEDDINGS_DIMENSIONS: String(DIMENSIONS),
      ...options.settings,
    },
  });
  const { stop } = stack;
  return Object.assign(stack, {
    embeddings,
    file: (content: string, filename?: string) =>
      storeFile(stack, { content, ...(filename === undefined ? {} : { filename }) }),
    store: async () => (await stack.openai.vectorStores.create({})).id,
    async until(store: string, id: string, ...states: VectorStoreFile["status"][]) {
      let file: VectorStoreFile | undefined;
      await waitUntil(`${id} is ${states.join(" or ")}`, async () => {
        file = await stack.openai.vectorStores.files.retrieve(id, { vector_store_id: store });
        return states.includes(file.status);
      });
      return file as VectorStoreFile;
    },
    async stop() {
      await stop();
      await embeddings.stop();
    },
  });
}

/** Rows of chunks, searchable ones and those on their way. */
export async function countChunks(
  { db }: Pick<Stack, "db">,
  store: string,
): Promise<{ ready: number; waiting: number }> {
  const { rows } = await db.query<{ ready: number; waiting: number }>(
    `select (select count(*)::integer from chunks c join vector_store_files f on f.id = c.vector_store_file_id
       where f.vector_store_id = $1) as ready,
     (select count(*)::integer from extracted_chunks c join vector_store_files f on f.id = c.vector_store_file_id
       where f.vector_store_id = $1) as waiting`,
    [store],
  );
  return rows[0] as { ready: number; waiting: number };
}
