// What happens to a file while it is made searchable. Its text is cut into chunks that are kept apart; these are embedded
// batch by batch and moved to where searches look; when none is left, the file is completed and its chunks are found.
// Every write is made under the lease of a try: one that was overtaken, or whose file is gone, writes nothing any more.
import { SUSPECT_AFTER_DEATHS } from "../contract/limits.ts";
import type { IngestError, VectorStoreFileStatus } from "../contract/vector-store-file.ts";
import { insertChunks } from "./chunks.ts";
import type { NewChunk } from "./chunks.ts";
import { removeChunks } from "./file-chunks.ts";
import { withTransaction } from "./pool.ts";
import type { Pool, Queryable } from "./pool.ts";

/** An entry of a file in a store. */
export interface EntryKey {
  id: number;
  project_id: string;
}

/** The right of one try to write. */
export interface Lease extends EntryKey {
  epoch: number;
}

/** A file as a try finds it. */
export interface FileInWork extends Lease {
  file_id: string;
  filename: string;
  content_type: string | null;
  /** Where the content is, in the blob store. */
  blob: string;
  max_chunk_size_tokens: number;
  chunk_overlap_tokens: number;
  /** Null until all of the text was read. */
  chunks: number | null;
  /** This try included. */
  tries: number;
  failures: number;
}

export type StepStart =
  | { kind: "work"; file: FileInWork }
  /** There is nothing to do any more. */
  | { kind: "ended"; status: IngestEnd }
  /** Tries have died with their worker: it is to be tried apart from others like it. */
  | { kind: "suspect" };

export type IngestEnd = Exclude<VectorStoreFileStatus, "in_progress"> | "deleted";

/** Somebody else has the file now, or nobody needs to. */
export class IngestLost extends Error {
  override name = "IngestLost";
  /** Undefined when a newer try has the file. */
  readonly end: IngestEnd | undefined;

  constructor(end: IngestEnd | undefined) {
    super(end === undefined ? "a newer try has the file" : `the file is ${end}`);
    this.end = end;
  }
}

/** Begins a try of a step. A suspect is begun only when `takeSuspects` says so. */
export async function beginStep(db: Queryable, key: EntryKey, takeSuspects: boolean): Promise<StepStart> {
  const { rows } = await db.query<FileInWork>(
    `update vector_store_files v set epoch = epoch + 1, tries = tries + 1 from files f
     where v.id = $1 and v.project_id = $2 and v.status = 'in_progress' and f.id = v.file_id
       and ($3 or v.tries < ${SUSPECT_AFTER_DEATHS})
     returning v.id, v.project_id, v.epoch, v.file_id, f.filename, f.content_type, f.blob, v.max_chunk_size_tokens,
       v.chunk_overlap_tokens, v.chunks, v.tries, v.failures`,
    [key.id, key.project_id, takeSuspects],
  );
  if (rows[0] !== undefined) return { kind: "work", file: rows[0] };
  const end = await findEnd(db, key);
  return end === undefined ? { kind: "suspect" } : { kind: "ended", status: end };
}

/** Forgets what an earlier try has read, so that no file is put together from two readings. */
export async function beginReading(pool: Pool, lease: Lease): Promise<void> {
  await underLease(pool, lease, async (tx) => {
    await tx.query("delete from extracted_chunks where vector_store_file_id = $1", [lease.id]);
  });
}

/** Keeps chunks of a text that is being read. */
export async function keepExtracted(
  pool: Pool,
  lease: Lease,
  chunks: readonly Omit<NewChunk, "embedding">[],
): Promise<void> {
  await underLease(pool, lease, async (tx) => {
    await tx.query(
      `insert into extracted_chunks (vector_store_file_id, chunk_index, text, tokens)
       select $1, item.chunk_index, item.text, item.tokens
       from unnest($2::integer[], $3::text[], $4::integer[]) as item (chunk_index, text, tokens)`,
      [
        lease.id,
        chunks.map(({ index }) => index),
        chunks.map(({ text }) => text.replaceAll("\0", "")),
        chunks.map(({ tokens }) => tokens),
      ],
    );
  });
}

/** All of the text was read. */
export async function finishReading(pool: Pool, lease: Lease): Promise<{ chunks: number }> {
  return underLease(pool, lease, async (tx) => {
    const { rows } = await tx.query<{ chunks: number }>(
      `update vector_store_files set tries = 0, failures = 0, chunks = extracted.chunks, text_bytes = extracted.bytes
       from (select count(*)::integer as chunks, coalesce(sum(octet_length(text)), 0) as bytes
         from extracted_chunks where vector_store_file_id = $1) as extracted
       where id = $1 and project_id = $2 returning extracted.chunks`,
      [lease.id, lease.project_id],
    );
    return rows[0] as { chunks: number };
  });
}

/** The next chunks to be embedded. */
export async function readExtracted(
  db: Queryable,
  lease: Lease,
  limit: number,
): Promise<Omit<NewChunk, "embedding">[]> {
  const { rows } = await db.query<Omit<NewChunk, "embedding">>(
    `select c.chunk_index as index, c.text, c.tokens from extracted_chunks c
     join vector_store_files v on v.id = c.vector_store_file_id
     where v.id = $1 and v.project_id = $2 and v.epoch = $3 order by c.chunk_index limit $4`,
    [lease.id, lease.project_id, lease.epoch, limit],
  );
  return rows;
}

export async function countExtracted(db: Queryable, key: EntryKey): Promise<number> {
  const { rows } = await db.query<{ left: number }>(
    `select count(*) as left from extracted_chunks c join vector_store_files v on v.id = c.vector_store_file_id
     where v.id = $1 and v.project_id = $2`,
    [key.id, key.project_id],
  );
  return rows[0]?.left ?? 0;
}

/** What chunks are indexed with. */
export interface Indexing {
  /** Text search configuration of Postgres. */
  language: string;
  /** Undefined where there is no embedding endpoint. */
  embedding_model: string | undefined;
}

/** Moves chunks to where searches look. They are found once the file is completed. */
export async function keepEmbedded(
  pool: Pool,
  lease: Lease,
  chunks: readonly NewChunk[],
  { language, embedding_model }: Indexing,
): Promise<void> {
  await underLease(pool, lease, async (tx) => {
    const key = {
      project_id: lease.project_id,
      vector_store_file_id: lease.id,
      language,
      ...(embedding_model === undefined ? {} : { embedding_model }),
    };
    await insertChunks(tx, key, chunks);
    await tx.query("delete from extracted_chunks where vector_store_file_id = $1 and chunk_index = any($2)", [
      lease.id,
      chunks.map(({ index }) => index),
    ]);
    await tx.query("update vector_store_files set tries = 1, failures = 0 where id = $1 and project_id = $2", [
      lease.id,
      lease.project_id,
    ]);
  });
}

/** Makes a file searchable whose chunks are all embedded. @param chunkBytes what the embedding of a chunk takes */
export async function completeFile(pool: Pool, lease: Lease, chunkBytes: number): Promise<void> {
  await underLease(pool, lease, async (tx) => {
    await tx.query(
      `update vector_store_files set status = 'completed', usage_bytes = text_bytes + chunks * $3::bigint
       where id = $1 and project_id = $2`,
      [lease.id, lease.project_id, chunkBytes],
    );
  });
}

/**
 * Ends a file that will not be searchable, and removes what was made of it. With a lease, only under it.
 * Returns how the file has ended, which may have been before.
 */
export async function endFile(
  pool: Pool,
  key: EntryKey & { epoch?: number },
  end: { to: "cancelled" } | { to: "failed"; error: IngestError },
): Promise<IngestEnd | undefined> {
  return withTransaction(pool, async (tx) => {
    const { rowCount } = await tx.query(
      `update vector_store_files set status = $4, last_error = $5
       where id = $1 and project_id = $2 and status = 'in_progress' and epoch = coalesce($3, epoch)`,
      [key.id, key.project_id, key.epoch ?? null, end.to, end.to === "failed" ? JSON.stringify(end.error) : null],
    );
    if (rowCount === 0) return findEnd(tx, key);
    await removeChunks(tx, [key.id]);
    return end.to;
  });
}

/** A try that ended without being the file's fault does not count. */
export async function forgiveTry(db: Queryable, lease: Lease): Promise<void> {
  await db.query(
    "update vector_store_files set tries = greatest(tries - 1, 0) where id = $1 and project_id = $2 and epoch = $3",
    [lease.id, lease.project_id, lease.epoch],
  );
}

/** A try that failed and said so. */
export async function noteFailure(db: Queryable, lease: Lease): Promise<void> {
  await db.query(
    `update vector_store_files set tries = greatest(tries - 1, 0), failures = failures + 1
     where id = $1 and project_id = $2 and epoch = $3`,
    [lease.id, lease.project_id, lease.epoch],
  );
}

/** Throws `IngestLost` when the lease does not hold any more. The row is held until the transaction ends. */
async function underLease<Result>(pool: Pool, lease: Lease, work: (tx: Queryable) => Promise<Result>): Promise<Result> {
  return withTransaction(pool, async (tx) => {
    const { rowCount } = await tx.query(
      `select 1 from vector_store_files
       where id = $1 and project_id = $2 and epoch = $3 and status = 'in_progress' for no key update`,
      [lease.id, lease.project_id, lease.epoch],
    );
    if (rowCount === 0) throw new IngestLost(await findEnd(tx, lease));
    return work(tx);
  });
}

/** Undefined while the file is on its way. */
async function findEnd(db: Queryable, key: EntryKey): Promise<IngestEnd | undefined> {
  const { rows } = await db.query<{ status: VectorStoreFileStatus }>(
    "select status from vector_store_files where id = $1 and project_id = $2",
    [key.id, key.project_id],
  );
  const status = rows[0]?.status ?? "deleted";
  return status === "in_progress" ? undefined : status;
}
