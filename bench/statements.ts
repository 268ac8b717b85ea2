// What Postgres was asked to do, as pg_stat_statements and its own counters tell.
import type pg from "pg";

export interface Statement {
  query: string;
  calls: number;
  /** Milliseconds of execution, without parsing and planning. */
  ms: number;
}

export interface Work {
  /** The most expensive first, without those of the benchmark itself. */
  statements: Statement[];
  /** Transactions that wrote something. */
  writes: number;
  walBytes: number;
}

/** Starts to count. The returned function tells what was done since. */
export async function countWork(db: pg.Pool): Promise<() => Promise<Work>> {
  await db.query("select pg_stat_statements_reset()");
  const before = await readCounters(db);
  return async () => {
    const after = await readCounters(db);
    const { rows } = await db.query<Statement>(
      `select regexp_replace(query, '\\s+', ' ', 'g') as query, sum(calls)::int as calls, sum(total_exec_time) as ms
       from pg_stat_statements where toplevel and query not like '%/* bench */%' and query not like '%pg_stat_statements%'
       group by 1 order by 3 desc`,
    );
    return { statements: rows, writes: after.xid - before.xid, walBytes: after.wal - before.wal };
  };
}

async function readCounters(db: pg.Pool): Promise<{ xid: number; wal: number }> {
  const { rows } = await db.query<{ xid: number; wal: number }>(
    `select /* bench */ pg_snapshot_xmax(pg_current_snapshot())::text::float8 as xid,
       (pg_current_wal_insert_lsn() - '0/0')::float8 as wal`,
  );
  return rows[0] as { xid: number; wal: number };
}
