// Every second insert fails because the disk of Postgres is full (error 53100).
import type pg from "pg";
import { lasting } from "../faults/blow.ts";
import type { Blow } from "../faults/blow.ts";

const DEADLOCK = "40P01";
const TABLES = `threads runs messages run_steps run_events run_deltas idempotency_keys built_in_calls
  files vector_stores vector_store_files extracted_chunks chunks code_sessions code_files`.split(/\s+/);

export const fullDisk: Blow = {
  hits: ["postgres"],
  strike: lasting([2000, 5000], async ({ world, random }) => {
    const { db } = world.stack;
    // Which inserts those are, counted from the first, a seed says: the sequence goes on when they are rolled back.
    await withoutDeadlock(db, "create sequence disk_full_inserts");
    await withoutDeadlock(
      db,
      `create function disk_full() returns trigger language plpgsql as $$ begin
        if hashint8extended(nextval('disk_full_inserts'), ${random.int(0, 2 ** 31)}) % 2 = 0 then
          raise exception 'could not extend file: No space left on device' using errcode = 'disk_full';
        end if;
        return new;
      end $$`,
    );
    for (const table of TABLES) {
      const sql = `create trigger disk_full before insert on ${table} for each row execute function disk_full()`;
      await withoutDeadlock(db, sql);
    }
    return async () => {
      for (const table of TABLES) await withoutDeadlock(db, `drop trigger disk_full on ${table}`);
      await db.query("drop function disk_full");
      await db.query("drop sequence disk_full_inserts");
    };
  }),
};

/** Tables are locked for this: it may be what Postgres sacrifices to end a deadlock. */
async function withoutDeadlock(db: pg.Pool, sql: string): Promise<void> {
  try {
    await db.query(sql);
  } catch (error) {
    if ((error as { code?: string }).code !== DEADLOCK) throw error;
    await withoutDeadlock(db, sql);
  }
}
