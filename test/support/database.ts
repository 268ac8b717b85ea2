// A database of its own for each test file: a copy of one that was migrated once, so that it costs about 50 ms.
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import pg from "pg";
import { migrate } from "../../db/migrate.ts";

/** Whoever holds this advisory lock makes the template, all other test files wait. */
const TEMPLATE_LOCK = 4_127_733;
const MIGRATIONS = new URL("../../db/migrations/", import.meta.url);
/** Named after the migrations, so that a server that outlives the tests never serves an old schema. */
const TEMPLATE = `template_${hashOf(MIGRATIONS)}`;

export interface TestDatabase {
  /** Connection string of the new database. */
  url: string;
  /** Removes the database, whoever is still connected to it. */
  drop(): Promise<void>;
}

/** Makes a migrated, empty database, on the server that the global setup of the tests has started unless told otherwise. */
export async function createTestDatabase(server?: string): Promise<TestDatabase> {
  return makeDatabase(server, async (client, name, server) => {
    await ensureTemplate(client, server);
    await client.query(`create database ${name} template ${TEMPLATE}`);
  });
}

async function makeDatabase(
  server = process.env["TEST_DATABASE_URL"],
  make: (client: pg.Client, name: string, server: string) => Promise<void>,
): Promise<TestDatabase> {
  if (server === undefined) throw new Error("TEST_DATABASE_URL is not set: run this through `npm test -- FILE`");
  const name = `test_${randomBytes(8).toString("hex")}`;
  await withClient(server, (client) => make(client, name, server));
  const drop = () =>
    withClient(server, async (client) => {
      await client.query(`drop database if exists ${name} with (force)`);
    });
  return { url: databaseUrl(server, name), drop };
}

/** Makes another one with the same rows. Whoever is still connected to the first is cut off. */
export async function copyTestDatabase(source: Pick<TestDatabase, "url">): Promise<TestDatabase> {
  const template = new URL(source.url).pathname.slice(1);
  return makeDatabase(undefined, async (client, name) => {
    await client.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [template]);
    await client.query(`create database ${name} template ${template}`);
  });
}

async function ensureTemplate(client: pg.Client, server: string): Promise<void> {
  await client.query("select pg_advisory_lock($1)", [TEMPLATE_LOCK]);
  try {
    const { rowCount } = await client.query("select 1 from pg_database where datname = $1", [TEMPLATE]);
    if (rowCount !== 0) return;
    const unfinished = `${TEMPLATE}_unfinished`; // bears the name only when it is migrated
    await client.query(`drop database if exists ${unfinished} with (force)`);
    await client.query(`create database ${unfinished}`);
    await migrate(databaseUrl(server, unfinished));
    await client.query(`alter database ${unfinished} rename to ${TEMPLATE}`);
  } finally {
    await client.query("select pg_advisory_unlock($1)", [TEMPLATE_LOCK]);
  }
}

function hashOf(folder: URL): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(folder).toSorted()) hash.update(name).update(readFileSync(new URL(name, folder)));
  return hash.digest("hex").slice(0, 16);
}

function databaseUrl(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

async function withClient(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
