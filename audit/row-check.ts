// Invariants of rows: a query over a batch of keys tells what is wrong with each of them.
import type { Pool, Queryable } from "../db/pool.ts";
import type { Catalogue, Found, Tally, Violation } from "./tally.ts";
import { walk } from "./walk.ts";
import type { Walked } from "./walk.ts";

/** In a check that takes it: the time that things may need to be set right. */
export const GRACE = "$2::double precision * interval '1 ms'";

export interface RowCheck {
  over: Walked;
  /**
   * Selects `id` and `reason` for the rows that belong to the keys in $1 and to which the invariant applies; the reason
   * is null where all is well.
   */
  sql: string;
  /** Whether the query uses `GRACE`. */
  withGrace?: boolean;
}

export interface RowInvariant {
  name: string;
  says: string;
  checks: readonly RowCheck[];
}

export function toCatalogue(invariants: readonly RowInvariant[]): Catalogue {
  return Object.fromEntries(invariants.map(({ name, says }) => [name, says]));
}

/** Walks through each table once, and asks everything about a batch in one snapshot. */
export async function checkRows(
  db: Pool,
  tally: Tally,
  invariants: readonly RowInvariant[],
  graceMs: number,
): Promise<void> {
  const named = invariants.flatMap(({ name, checks }) => checks.map((check) => ({ name, check })));
  for (const walked of new Set(named.map(({ check }) => check.over))) {
    const ofTable = named.filter(({ check }) => check.over === walked);
    await walk(db, walked, async (tx, ids) => {
      for (const { name, check } of ofTable) {
        tally.add(name, await findViolations(tx, check.sql, check.withGrace === true ? [ids, graceMs] : [ids]));
      }
    });
  }
}

/** Runs a query of `id` and `reason`; only the rows with a reason leave the database. */
export async function findViolations(tx: Queryable, sql: string, values: readonly unknown[]): Promise<Found> {
  const { rows } = await tx.query<{ checked: number; violations: Violation[] }>(
    `select count(*)::integer as checked, coalesce(json_agg(json_build_object('id', subject.id, 'reason', subject.reason)
       order by subject.id) filter (where subject.reason is not null), '[]') as violations
     from (${sql}) subject`,
    [...values],
  );
  return rows[0] as Found;
}
