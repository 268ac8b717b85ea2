// Every second insert fails because the disk of Postgres is full (error 53100).
import { lasting } from "../faults/blow.ts";
import type { Blow } from "../faults/blow.ts";

const TABLES = ["threads", "runs", "messages", "run_steps", "run_events", "run_deltas", "idempotency_keys"];

export const fullDisk: Blow = {
  hits: ["postgres"],
  strike: lasting([2000, 5000], async ({ world, random }) => {
    const { db } = world.stack;
    // Which inserts those are, counted from the first, a seed says: the sequence goes on when they are rolled back.
    await db.query("create sequence disk_full_inserts");
    await db.query(`create function disk_full() returns trigger language plpgsql as $$ begin
      if hashint8extended(nextval('disk_full_inserts'), ${random.int(0, 2 ** 31)}) % 2 = 0 then
        raise exception 'could not extend file: No space left on device' using errcode = 'disk_full';
      end if;
      return new;
    end $$`);
    for (const table of TABLES) {
      await db.query(`create trigger disk_full before insert on ${table} for each row execute function disk_full()`);
    }
    return async () => {
      await db.query("drop function disk_full cascade");
      await db.query("drop sequence disk_full_inserts");
    };
  }),
};
