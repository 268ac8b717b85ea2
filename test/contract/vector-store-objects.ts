// What clients read of vector stores: the fields of every object, which are there in every moment.
import type { Life } from "./life.ts";
import type { Row } from "./row.ts";
import {
  constant,
  given,
  id,
  integer,
  list,
  map,
  metadata,
  number,
  object,
  orNull,
  responseRows,
  seconds,
  string,
  word,
} from "./shapes.ts";
import type { Shape, Shapes } from "./shapes.ts";

const fileCounts = (): Shape =>
  object({
    in_progress: integer(),
    completed: integer(),
    failed: integer(),
    cancelled: integer(),
    total: integer(),
  });

const vectorStore: Shapes = {
  id: id("vs_"),
  object: constant("vector_store"),
  created_at: seconds(),
  name: orNull(string()),
  description: orNull(string()),
  usage_bytes: integer(),
  file_counts: fileCounts(),
  status: word("expired", "in_progress", "completed"),
  expires_after: orNull(object({ anchor: constant("last_active_at"), days: integer() })),
  expires_at: orNull(seconds()),
  last_active_at: orNull(seconds()),
  metadata: metadata(),
};

const attributes = (): Shape => map("a map of texts, numbers and booleans");
const texts = (): Shape => list(object({ type: constant("text"), text: string() }));

const storeFile: Shapes = {
  id: given("file"),
  object: constant("vector_store.file"),
  usage_bytes: integer(),
  created_at: seconds(),
  vector_store_id: id("vs_"),
  status: word("in_progress", "completed", "failed", "cancelled"),
  last_error: orNull(object({ code: word("server_error", "unsupported_file", "invalid_file"), message: string() })),
  chunking_strategy: object({
    type: constant("static"),
    static: object({ max_chunk_size_tokens: integer(), chunk_overlap_tokens: integer() }),
  }),
  attributes: attributes(),
};

const fileBatch: Shapes = {
  id: id("vsfb_"),
  object: constant("vector_store.file_batch"),
  created_at: seconds(),
  vector_store_id: id("vs_"),
  status: word("in_progress", "completed", "cancelled", "failed"),
  file_counts: fileCounts(),
};

const fileContent: Shapes = {
  object: constant("vector_store.file_content.page"),
  data: texts(),
  has_more: flagOf(false),
  next_page: constant(null),
};

const searchPage: Shapes = {
  object: constant("vector_store.search_results.page"),
  search_query: list(string()),
  data: list(
    object({ file_id: given("file"), filename: string(), score: number(), attributes: attributes(), content: texts() }),
  ),
  has_more: flagOf(false),
  next_page: constant(null),
};

/** There is never a next page. */
function flagOf(wanted: boolean): Shape {
  const problem = (value: unknown) => (value === wanted ? undefined : `is ${JSON.stringify(value)}`);
  return { words: String(wanted), problem };
}

export const vectorStoreObjectRows: Row<Life>[] = [
  ...responseRows(
    { id: "vector-stores.object", source: "1.8", schema: "VectorStore", name: "vector store" },
    vectorStore,
  ),
  ...responseRows(
    { id: "vector-store-files.object", source: "1.8", schema: "VectorStoreFile", name: "store file" },
    storeFile,
  ),
  ...responseRows(
    { id: "vector-store-files.content", source: "1.8", schema: "FileContentPage", name: "file content" },
    fileContent,
  ),
  ...responseRows({ id: "file-batches.object", source: "1.8", schema: "FileBatch", name: "file batch" }, fileBatch),
  ...responseRows(
    { id: "vector-stores.search.page", source: "1.8", schema: "SearchResultsPage", name: "search page" },
    searchPage,
  ),
];
