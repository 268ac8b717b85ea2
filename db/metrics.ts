// Figures for operators, about all projects together. Each is read from an index that is small or, where all files count,
// seldom: whoever asks keeps the answer for a while.
import { RECENTLY_ENDED_MS, EVENT_RETENTION_MS, METRICS_STATEMENT_TIMEOUT_MS } from "../contract/limits.ts";
import type { RunStatus } from "../contract/run-state.ts";
import { withTransaction } from "./pool.ts";
import type { Pool, Queryable } from "./pool.ts";

export interface CurrentWork {
  /** Runs that are not over, by status. */
  active: { status: RunStatus; runs: number }[];
  /** Runs that ended within the last minute, by status. */
  ended: { status: RunStatus; runs: number }[];
  /** How long the run waits that waits longest for a worker; 0 when none does. */
  oldest_queued_seconds: number;
  files_in_progress: number;
  /** How long that file is on its way that is longest on its way; 0 when none is. */
  oldest_file_seconds: number;
  /** Chunks of those files that wait to be embedded. */
  waiting_chunks: number;
}

/** What is going on now. Costs what is going on, not what is stored. */
export async function readCurrentWork(pool: Pool): Promise<CurrentWork> {
  return quickly(pool, async (tx) => {
    const [active, ended, files, waiting] = await Promise.all([
      tx.query<{ status: RunStatus; runs: number; oldest: number }>(
        `select status, count(*) as runs, extract(epoch from now() - min(created_at))::float8 as oldest from runs
         where status in ('queued', 'in_progress', 'requires_action', 'cancelling') group by status`,
      ),
      tx.query<{ status: RunStatus; runs: number }>(
        `select status, count(*) as runs from runs
         where events_until > now() + interval '${EVENT_RETENTION_MS - RECENTLY_ENDED_MS} ms' group by status`,
      ),
      tx.query<{ files: number; oldest: number | null }>(
        `select count(*) as files, extract(epoch from now() - min(created_at))::float8 as oldest
         from vector_store_files where status = 'in_progress'`,
      ),
      tx.query<{ chunks: number }>(
        "select greatest(n_live_tup, 0) as chunks from pg_stat_user_tables where relid = 'extracted_chunks'::regclass",
      ),
    ]);
    return {
      active: active.rows.map(({ status, runs }) => ({ status, runs })),
      ended: ended.rows,
      oldest_queued_seconds: Math.max(active.rows.find(({ status }) => status === "queued")?.oldest ?? 0, 0),
      files_in_progress: files.rows[0]?.files ?? 0,
      oldest_file_seconds: Math.max(files.rows[0]?.oldest ?? 0, 0),
      waiting_chunks: waiting.rows[0]?.chunks ?? 0,
    };
  });
}

export interface StoredFiles {
  /** Entries of files in vector stores, by status, and the bytes of their chunks. */
  files: { status: string; files: number; bytes: number }[];
  /** Searchable chunks, as Postgres estimates them. */
  chunks: number;
}

/** What is stored. Goes through an index of all files in stores. */
export async function readStoredFiles(pool: Pool): Promise<StoredFiles> {
  return quickly(pool, async (tx) => {
    const [files, chunks] = await Promise.all([
      tx.query<StoredFiles["files"][number]>(
        `select status, count(*) as files, sum(usage_bytes)::bigint as bytes from vector_store_files group by status`,
      ),
      tx.query<{ chunks: number }>(
        "select greatest(n_live_tup, 0) as chunks from pg_stat_user_tables where relid = 'chunks'::regclass",
      ),
    ]);
    return { files: files.rows, chunks: chunks.rows[0]?.chunks ?? 0 };
  });
}

/** Figures are not worth waiting for. */
function quickly<Result>(pool: Pool, read: (tx: Queryable) => Promise<Result>): Promise<Result> {
  return withTransaction(pool, async (tx) => {
    await tx.query(`set local statement_timeout = ${METRICS_STATEMENT_TIMEOUT_MS}`);
    return read(tx);
  });
}
