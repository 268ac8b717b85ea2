// Goes through a table from its first key to its last, in batches. Each batch is a read-only transaction of its own with
// one snapshot: what is compared in it belongs to one moment, however much the system moves, and no snapshot is held for
// long. Memory and statements stay small, however large the table is.
import { withTransaction } from "../db/pool.ts";
import type { Pool, Queryable } from "../db/pool.ts";

/** Rows of a batch at the most. */
const BATCH_ROWS = 500;
/** What the rows of a batch may weigh together; one row that weighs more is a batch of its own. */
const BATCH_WEIGHT = 20_000;

interface Walk {
  /** Selects `id` and `weight` (rows that hang on it) behind the key $1, in the order of an index, at most $2. */
  sql: string;
  /** A key before all others. */
  start: string;
}

/** The runs that a table of events knows, without reading all of their events. */
const distinctRuns = (table: "run_events" | "run_deltas"): string => `
  with recursive walk as (
    (select run_id from ${table} where run_id > $1 order by run_id limit 1)
    union all
    select (select e.run_id from ${table} e where e.run_id > w.run_id order by e.run_id limit 1)
    from walk w where w.run_id is not null
  )
  select run_id as id, 1 as weight from walk where run_id is not null limit $2`;

/** The files that a table of chunks knows, without reading all of their chunks. */
const distinctFiles = (table: "chunks" | "extracted_chunks"): string => `
  with recursive walk as (
    (select vector_store_file_id as id from ${table} where vector_store_file_id > $1::bigint
     order by vector_store_file_id limit 1)
    union all
    select (select c.vector_store_file_id from ${table} c where c.vector_store_file_id > w.id
      order by c.vector_store_file_id limit 1)
    from walk w where w.id is not null
  )
  select id::text, 1 as weight from walk where id is not null limit $2`;

const WALKS = {
  assistants: { sql: "select id, 1 as weight from assistants where id > $1 order by id limit $2", start: "" },
  threads: {
    sql: "select id, 1 + message_count as weight from threads where id > $1 order by id limit $2",
    start: "",
  },
  runs: { sql: "select id, 1 + 10 * turn as weight from runs where id > $1 order by id limit $2", start: "" },
  messages: { sql: "select id, 1 as weight from messages where id > $1 order by id limit $2", start: "" },
  run_steps: { sql: "select id, 1 as weight from run_steps where id > $1 order by id limit $2", start: "" },
  run_events: { sql: distinctRuns("run_events"), start: "" },
  run_deltas: { sql: distinctRuns("run_deltas"), start: "" },
  run_cursors: {
    sql: "select run_id as id, 1 as weight from run_cursors where run_id > $1 order by run_id limit $2",
    start: "",
  },
  /** Runs whose events are to be there. A position that jumped after a crash says nothing about their number. */
  runs_with_events: {
    sql: `select r.id, coalesce(c.last_seq % 1000000, 1000) as weight
      from runs r left join run_cursors c on c.run_id = r.id
      where r.id > $1 and (r.events_until is not null
        or r.status in ('queued', 'in_progress', 'requires_action', 'cancelling'))
      order by r.id limit $2`,
    start: "",
  },
  vector_store_files: {
    sql: `select id::text, 1 + coalesce(chunks, 0) / 10 as weight from vector_store_files
      where id > $1::bigint order by vector_store_files.id limit $2`,
    start: "0",
  },
  chunks: { sql: distinctFiles("chunks"), start: "0" },
  extracted_chunks: { sql: distinctFiles("extracted_chunks"), start: "0" },
  api_keys: { sql: "select id, 1 as weight from api_keys where id > $1 order by id limit $2", start: "" },
  idempotency_keys: {
    sql: `select json_build_array(project_id, key)::text as id, 1 as weight from idempotency_keys
      where (project_id, key) > ($1::json ->> 0, $1::json ->> 1) order by project_id, key limit $2`,
    start: '["",""]',
  },
} as const satisfies Record<string, Walk>;

/** What can be walked: a table, or the part of one that is named here. */
export type Walked = keyof typeof WALKS;

/** Calls `visit` with each batch of keys, inside the snapshot in which they were read. */
export async function walk(
  db: Pool,
  walked: Walked,
  visit: (tx: Queryable, ids: string[]) => Promise<void>,
): Promise<void> {
  const { sql, start } = WALKS[walked];
  let after: string | undefined = start;
  while (after !== undefined) {
    const behind: string = after;
    after = await inSnapshot(db, async (tx) => {
      const { rows } = await tx.query<{ id: string; weight: number }>(sql, [behind, BATCH_ROWS]);
      const ids = takeBatch(rows);
      if (ids.length > 0) await visit(tx, ids);
      return ids.at(-1);
    });
  }
}

/** Runs `work` in a transaction that sees one moment and can change nothing. */
export async function inSnapshot<T>(db: Pool, work: (tx: Queryable) => Promise<T>): Promise<T> {
  return withTransaction(db, async (tx) => {
    // Compiling these statements would cost more than it saves: there are many, and each looks at little.
    await tx.query("set transaction isolation level repeatable read, read only; set local jit = off");
    return work(tx);
  });
}

function takeBatch(rows: readonly { id: string; weight: number }[]): string[] {
  let weight = 0;
  const end = rows.findIndex((row, index) => {
    weight += row.weight;
    return index > 0 && weight > BATCH_WEIGHT;
  });
  return (end === -1 ? rows : rows.slice(0, end)).map((row) => row.id);
}
