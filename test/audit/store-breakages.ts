// Ways to break what must hold of files in vector stores: each makes a store that is right, and then spoils it.
import type { RowBreakage } from "./row-breakages.ts";
import type { WorkflowBreakage } from "./workflow-breakages.ts";
import { startAlone } from "./workflow-breakages.ts";

const PROJECT = "(select project_id from runs where id = $plain)";

/** A store with the file 900, which has two chunks, and with nothing else. */
const completed: readonly string[] = [
  `insert into files (id, project_id, filename, purpose, bytes, sha256, blob)
   select 'file-a', ${PROJECT}, 'a.txt', 'assistants', 3, '\\x00', 'aa'`,
  `insert into vector_stores (id, project_id, metadata) select 'vs_a', ${PROJECT}, '{}'`,
  `insert into vector_store_files (id, project_id, vector_store_id, file_id, status, max_chunk_size_tokens,
     chunk_overlap_tokens, chunks, text_bytes, usage_bytes)
   select 900, ${PROJECT}, 'vs_a', 'file-a', 'completed', 800, 400, 2, 6, 6`,
  `insert into chunks (project_id, vector_store_file_id, chunk_index, text, tokens, words)
   select ${PROJECT}, 900, item.index, 'abc', 1, '' from generate_series(0, 1) as item (index)`,
];
/** The same on its way, with one chunk embedded. */
const onItsWay: readonly string[] = [
  ...completed,
  "update vector_store_files set status = 'in_progress', usage_bytes = 0 where id = 900",
  "delete from chunks where vector_store_file_id = 900 and chunk_index = 1",
  "insert into extracted_chunks values (900, 1, 'abc', 1)",
];

const ID = "select '900' as id";
const spoilt = (invariant: string, how: string, before: readonly string[], ...sql: string[]): RowBreakage => ({
  invariant,
  how,
  sql: [...before, ...sql, ID],
});

export const STORE_BREAKAGES: readonly RowBreakage[] = [
  spoilt(
    "chunks-add-up",
    "one is missing",
    completed,
    "delete from chunks where vector_store_file_id = 900 and chunk_index = 1",
    "update vector_store_files set usage_bytes = 3 where id = 900",
  ),
  spoilt(
    "chunks-add-up",
    "they do not begin with 0",
    completed,
    "update chunks set chunk_index = chunk_index + 10 where vector_store_file_id = 900",
  ),
  spoilt(
    "chunks-add-up",
    "one waits for its embedding",
    completed,
    "insert into extracted_chunks values (900, 2, 'x', 1)",
  ),
  spoilt(
    "chunks-add-up",
    "the bytes are wrong",
    completed,
    "update vector_store_files set usage_bytes = 7 where id = 900",
  ),
  spoilt("chunks-add-up", "one is lost on its way", onItsWay, "delete from extracted_chunks"),
  spoilt("chunks-add-up", "one is there twice", onItsWay, "insert into extracted_chunks values (900, 0, 'abc', 1)"),
  spoilt(
    "chunks-add-up",
    "there is a gap on its way",
    onItsWay,
    "update extracted_chunks set chunk_index = 2 where vector_store_file_id = 900",
  ),
  spoilt(
    "chunks-add-up",
    "the end is embedded before the beginning",
    onItsWay,
    "update extracted_chunks set chunk_index = 0 where vector_store_file_id = 900",
    "update chunks set chunk_index = 1 where vector_store_file_id = 900",
  ),
  spoilt(
    "chunks-add-up",
    "it is being read with a gap",
    onItsWay,
    "delete from chunks where vector_store_file_id = 900",
    "update vector_store_files set chunks = null, text_bytes = null where id = 900",
  ),
  spoilt(
    "chunks-add-up",
    "it counts bytes on its way",
    onItsWay,
    "update vector_store_files set usage_bytes = 3 where id = 900",
  ),
  ...(["chunks", "extracted_chunks"] as const).map((table) => ({
    ...spoilt(
      "chunks-have-file",
      `its entry is gone, and its ${table} are not`,
      onItsWay,
      `delete from ${table === "chunks" ? "extracted_chunks" : "chunks"} where vector_store_file_id = 900`,
      "delete from vector_store_files where id = 900",
    ),
    loose: true,
  })),
  spoilt(
    "cancelled-batch",
    "one of its files is on its way",
    onItsWay,
    `insert into vector_store_file_batches (id, project_id, vector_store_id, cancelled_at)
     select 'vsfb_a', project_id, id, now() from vector_stores where id = 'vs_a'`,
    "update vector_store_files set batch_id = 'vsfb_a' where id = 900",
  ),
  spoilt("chunks-add-up", "it was not read", onItsWay, "update vector_store_files set chunks = null where id = 900"),
  spoilt(
    "no-chunks-of-others",
    "a cancelled file is searchable",
    completed,
    "update vector_store_files set status = 'cancelled', usage_bytes = 0 where id = 900",
  ),
  spoilt(
    "no-chunks-of-others",
    "a failed file is still to be embedded",
    onItsWay,
    `update vector_store_files set status = 'failed', last_error = '{"code":"server_error","message":"x"}' where id = 900`,
    "delete from chunks where vector_store_file_id = 900",
  ),
  spoilt(
    "no-chunks-of-others",
    "a failed file does not say why",
    onItsWay,
    "update vector_store_files set status = 'failed' where id = 900",
    "delete from chunks where vector_store_file_id = 900",
    "delete from extracted_chunks",
  ),
  spoilt(
    "file-moves",
    "nobody has looked for an hour",
    onItsWay,
    "update vector_store_files set check_at = now() - interval '1 hour' where id = 900",
  ),
  spoilt(
    "file-moves",
    "nobody will look today",
    onItsWay,
    "update vector_store_files set check_at = now() + interval '1 day' where id = 900",
  ),
  spoilt(
    "store-belonging",
    "its store is another project's",
    [...completed, "insert into projects (id, name) values ('proj_other', 'other')"],
    "update vector_stores set project_id = 'proj_other' where id = 'vs_a'",
  ),
  { ...spoilt("store-belonging", "its file is gone", completed, "delete from files where id = 'file-a'"), loose: true },
];

const ago = "update vector_store_files set created_at = now() - interval '1 hour' where id = 900";

export const INGEST_BREAKAGES: readonly WorkflowBreakage[] = [
  {
    invariant: "ingest-has-file",
    how: "its file is completed",
    inTemporal: (temporal) => startAlone(temporal, "ingest_vs_a_file-a_900", undefined, "ingestWorkflow"),
    sql: [...completed, "select 'ingest_vs_a_file-a_900' as id"],
  },
  {
    invariant: "file-has-ingest",
    how: "none was started",
    sql: [...onItsWay, ago, ID],
  },
];
