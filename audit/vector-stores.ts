// Files in vector stores: what they are searched by is whole, there once, and only where it should be.
import { SWEEP_MAX_BACKOFF_MS } from "../contract/limits.ts";
import { GRACE } from "./row-check.ts";
import type { RowInvariant } from "./row-check.ts";

/** Every key in $1 is that of a file's entry in a store, or of one that was dropped and whose chunks are being removed. */
const OF_NO_FILE = `
  select given.id::text, case when f.id is null and d.vector_store_file_id is null
    then 'is of a file that is in no store' end as reason
  from unnest($1::bigint[]) as given (id)
  left join vector_store_files f on f.id = given.id
  left join dropped_entries d on d.vector_store_file_id = given.id`;

export const STORE_INVARIANTS: readonly RowInvariant[] = [
  {
    name: "chunks-add-up",
    says: "A completed file has as many searchable chunks as it counts, numbered from 0 without a gap, and counts their bytes; one on its way counts none, and has each of its chunks once, here or there: those in front are embedded.",
    checks: [
      {
        over: "vector_store_files",
        sql: `
          select f.id::text, nullif(concat_ws('; ',
            case when f.status = 'completed' and waiting.chunks > 0 then 'is completed and not embedded' end,
            case when f.status = 'completed' and f.chunks is distinct from ready.chunks
              then format('counts %s chunks and has %s', coalesce(f.chunks, 0), ready.chunks) end,
            case when f.status = 'completed' and (ready.first <> 0 or ready.last <> ready.chunks - 1)
              then 'has chunks that are not numbered from 0 on' end,
            case when f.status = 'completed' and f.usage_bytes is distinct from ready.bytes
              then format('counts %s bytes and has %s', f.usage_bytes, ready.bytes) end,
            case when f.status = 'in_progress' and f.usage_bytes <> 0 then 'counts bytes on its way' end,
            case when f.status = 'in_progress' and f.chunks is null
                and (waiting.first <> 0 or waiting.last <> waiting.chunks - 1)
              then 'has been read with gaps' end,
            case when f.status = 'in_progress' and f.chunks is not null
                and (ready.first <> 0 or ready.last <> ready.chunks - 1
                  or waiting.first <> ready.chunks or waiting.last <> f.chunks - 1)
              then 'is not embedded from the front' end,
            case when f.status = 'in_progress' and f.chunks is null and ready.chunks > 0
              then 'is searchable in part before it was read' end,
            case when f.status = 'in_progress' and f.chunks is not null and f.chunks <> ready.chunks + waiting.chunks
              then format('counts %s chunks and has %s and %s', f.chunks, ready.chunks, waiting.chunks) end,
            case when doubled.chunks > 0 then format('has %s chunks twice', doubled.chunks) end
            ), '') as reason
          from vector_store_files f
          cross join lateral (
            select count(*) as chunks, min(c.chunk_index) as first, max(c.chunk_index) as last,
              coalesce(sum(octet_length(c.text) + 4 * coalesce(cardinality(c.embedding), 0)), 0) as bytes
            from chunks c where c.vector_store_file_id = f.id
          ) ready
          cross join lateral (
            select count(*) as chunks, min(e.chunk_index) as first, max(e.chunk_index) as last
            from extracted_chunks e where e.vector_store_file_id = f.id
          ) waiting
          cross join lateral (
            select count(*) as chunks from extracted_chunks e
            join chunks c using (vector_store_file_id, chunk_index) where e.vector_store_file_id = f.id
          ) doubled
          where f.id = any($1::bigint[]) and f.status in ('completed', 'in_progress')`,
      },
    ],
  },
  {
    name: "no-chunks-of-others",
    says: "A file that has failed or was cancelled has no chunks and counts no bytes.",
    checks: [
      {
        over: "vector_store_files",
        sql: `
          select f.id::text, nullif(concat_ws('; ',
            case when exists (select 1 from chunks c where c.vector_store_file_id = f.id) then 'has chunks' end,
            case when exists (select 1 from extracted_chunks e where e.vector_store_file_id = f.id)
              then 'has chunks to be embedded' end,
            case when f.usage_bytes <> 0 then 'counts bytes' end,
            case when (f.status = 'failed') <> (f.last_error is not null) then 'and its error do not fit' end
            ), '') as reason
          from vector_store_files f where f.id = any($1::bigint[]) and f.status in ('failed', 'cancelled')`,
      },
    ],
  },
  {
    name: "chunks-have-file",
    says: "Chunks, searchable or not, are of a file that is in a store, or they are to be removed.",
    checks: [
      { over: "chunks", sql: OF_NO_FILE },
      { over: "extracted_chunks", sql: OF_NO_FILE },
    ],
  },
  {
    name: "cancelled-batch",
    says: "No file of a batch that was cancelled is on its way.",
    checks: [
      {
        over: "vector_store_files",
        sql: `
          select f.id::text, case when f.status = 'in_progress' then 'is on its way, and its batch was cancelled' end
            as reason
          from vector_store_files f join vector_store_file_batches b on b.id = f.batch_id
          where f.id = any($1::bigint[]) and b.cancelled_at is not null`,
      },
    ],
  },
  {
    name: "file-moves",
    says: "A file on its way is looked at again and again.",
    checks: [
      {
        over: "vector_store_files",
        withGrace: true,
        sql: `
          select f.id::text, case
            when f.check_at < now() - ${GRACE} then 'was to be looked at long ago'
            when f.check_at > now() + interval '${SWEEP_MAX_BACKOFF_MS} ms' + ${GRACE} then 'is not looked at for long'
            end as reason
          from vector_store_files f where f.id = any($1::bigint[]) and f.status = 'in_progress'`,
      },
    ],
  },
  {
    name: "store-belonging",
    says: "A file in a store is of the project of its store, its file and its batch, and so are its chunks; a batch is of its store.",
    checks: [
      {
        over: "vector_store_files",
        sql: `
          select f.id::text, nullif(concat_ws('; ',
            case when s.id is null then 'is in a store that is gone' end,
            case when x.id is null then 'is of a file that is gone' end,
            case when s.project_id <> f.project_id then 'is of another project than its store' end,
            case when x.project_id <> f.project_id then 'is of another project than its file' end,
            case when b.vector_store_id <> f.vector_store_id then 'is of a batch of another store' end,
            case when exists (select 1 from chunks c
              where c.vector_store_file_id = f.id and c.project_id <> f.project_id) then 'has chunks of another project' end
            ), '') as reason
          from vector_store_files f
          left join vector_stores s on s.id = f.vector_store_id
          left join files x on x.id = f.file_id
          left join vector_store_file_batches b on b.id = f.batch_id
          where f.id = any($1::bigint[])`,
      },
    ],
  },
];
