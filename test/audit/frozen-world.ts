// A database with runs of every kind in which nothing moves any more, to be copied and broken.
import pg from "pg";
import { createPool } from "../../db/pool.ts";
import type { Pool } from "../../db/pool.ts";
import { codeSettings } from "../support/code-settings.ts";
import { copyTestDatabase } from "../support/database.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { makeMixedRuns } from "./mixed-runs.ts";
import type { KindName, MixedRuns } from "./mixed-runs.ts";

/** A copy of the database that is broken again and again. */
export interface Scratch {
  db: Pool;
  url: string;
  /** Puts all rows back. */
  restore(): Promise<void>;
  drop(): Promise<void>;
}

export interface World {
  stack: Stack;
  made: MixedRuns;
  /** Lets `work` have a copy of the database. */
  withCopy<T>(work: (db: Pool, url: string) => Promise<T>): Promise<T>;
  makeScratch(): Promise<Scratch>;
}

/** Without API and worker: nobody mends what is broken. The stack is still to be stopped. */
export async function freezeWorld(): Promise<World> {
  const stack = await startStack({ settings: await codeSettings() });
  const made = await makeMixedRuns(stack);
  await Promise.all([...stack.apis, ...stack.workers].map((child) => child.stop()));

  async function copy(): Promise<Omit<Scratch, "restore">> {
    const { url, drop } = await copyTestDatabase({ url: stack.databaseUrl });
    const db = createPool({ url, max: 2, name: "test", onError: () => undefined });
    return { db, url, drop: () => db.end().then(drop) };
  }

  async function withCopy<T>(work: (db: Pool, url: string) => Promise<T>): Promise<T> {
    const { db, url, drop } = await copy();
    return work(db, url).finally(drop);
  }

  async function makeScratch(): Promise<Scratch> {
    const made = await copy();
    return { ...made, restore: await backUp(made.db) };
  }
  return { stack, made, withCopy, makeScratch };
}

/** Returns what puts all rows back: much faster than a new copy, for which every statement is prepared again. */
async function backUp(db: Pool): Promise<() => Promise<void>> {
  const { rows } = await db.query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'public'",
  );
  const names = rows.map(({ name }) => name);
  await db.query("create schema backup");
  for (const name of names) await db.query(`create table backup.${name} as table public.${name}`);
  const restore = [
    "begin",
    "set local session_replication_role = replica",
    `truncate ${names.join(", ")}`,
    ...names.map((name) => `insert into ${name} select * from backup.${name}`),
    "commit",
  ].join("; ");
  return async () => {
    await db.query(restore);
  };
}

/** Runs statements one after the other; returns the ids that the last one returns. */
export async function runStatements(
  url: string,
  statements: readonly string[],
  { made, loose = false }: { made: MixedRuns; loose?: boolean },
): Promise<string[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    if (loose) await client.query("set session_replication_role = replica");
    let rows: { id: string }[] = [];
    for (const sql of statements) ({ rows } = await client.query<{ id: string }>(fillIn(sql, made)));
    return rows.map(({ id }) => id).toSorted();
  } finally {
    await client.end();
  }
}

function fillIn(sql: string, { runs }: MixedRuns): string {
  return sql.replace(/\$([a-zA-Z]+)(\.thread)?/g, (_, name: string, ofThread?: string) => {
    const run = runs[name as KindName];
    return `'${ofThread === undefined ? run.id : run.thread_id}'`;
  });
}
