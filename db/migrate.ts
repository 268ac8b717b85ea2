// Brings a database to the newest schema: numbered files, forward only, one transaction each.
import { readdir, readFile } from "node:fs/promises";
import pg from "pg";
import { loadConfig } from "../config.ts";

const MIGRATIONS = new URL("./migrations/", import.meta.url);
/** Any fixed number: whoever holds this advisory lock migrates, all others wait. */
const LOCK = 7_316_042;

/**
 * Applies the migrations that are missing. Safe to run from any number of processes at once.
 * Throws when a file fails (its transaction is rolled back) or when the database is newer than this code.
 */
export async function migrate(databaseUrl: string): Promise<void> {
  const files = (await readdir(MIGRATIONS)).filter((name) => name.endsWith(".sql")).toSorted();
  const client = new pg.Client({ connectionString: databaseUrl, application_name: "migrate" });
  await client.connect();
  try {
    await client.query("select pg_advisory_lock($1)", [LOCK]);
    await client.query(
      "create table if not exists schema_migrations (name text primary key, applied_at timestamptz not null default now())",
    );
    const { rows } = await client.query<{ name: string }>("select name from schema_migrations");
    const applied = new Set(rows.map((row) => row.name));
    const unknown = [...applied].filter((name) => !files.includes(name));
    if (unknown.length > 0) {
      throw new Error(
        `The database has migrations that this version does not know: ${unknown.join(", ")}. Upgrade the server.`,
      );
    }
    for (const name of files.filter((file) => !applied.has(file))) {
      await applyMigration(client, name);
    }
  } finally {
    await client.end();
  }
}

async function applyMigration(client: pg.Client, name: string): Promise<void> {
  const sql = await readFile(new URL(name, MIGRATIONS), "utf8");
  await client.query("begin");
  try {
    await client.query(sql);
    await client.query("insert into schema_migrations (name) values ($1)", [name]);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw new Error(`Migration ${name} failed`, { cause: error });
  }
}

if (import.meta.main) {
  const { DATABASE_URL } = loadConfig();
  if (DATABASE_URL === undefined) throw new Error("DATABASE_URL is not set");
  await migrate(DATABASE_URL);
}
