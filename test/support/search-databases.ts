// The databases that search is tested on: the embedded Postgres, and one with pgvector.
import { after } from "node:test";
import type { TestContext } from "node:test";
import { createPool } from "../../db/pool.ts";
import type { Pool } from "../../db/pool.ts";
import { createTestDatabase } from "./database.ts";
import { startPgvector } from "./pgvector/start.ts";

export const PROJECT = "proj_search";
export const OTHER_PROJECT = "proj_other";

export interface SearchDatabase {
  name: "Postgres" | "Postgres with pgvector";
  /** Undefined where it cannot be had. */
  pool: Pool | undefined;
  url: string;
}

/** Both, each with two projects. They are removed after the tests of the file. */
export async function createSearchDatabases(): Promise<SearchDatabase[]> {
  const pgvector = await startPgvector();
  const plain = await makeDatabase("Postgres", process.env["TEST_DATABASE_URL"]);
  const withVector = await makeDatabase("Postgres with pgvector", pgvector?.url);
  after(async () => {
    for (const { close } of [plain, withVector]) await close();
    await pgvector?.stop();
  });
  return [plain.database, withVector.database];
}

/** The pool, or undefined after the test was marked as skipped. */
export function poolOf({ pool }: SearchDatabase, t: TestContext): Pool | undefined {
  if (pool === undefined) t.skip("no Python, so no Postgres with pgvector");
  return pool;
}

async function makeDatabase(name: SearchDatabase["name"], server: string | undefined) {
  if (server === undefined) return { database: { name, pool: undefined, url: "" }, close: async () => undefined };
  const { url, drop } = await createTestDatabase(server);
  const pool = createPool({ url, max: 4, name: "test", onError: () => undefined });
  for (const project of [PROJECT, OTHER_PROJECT]) {
    await pool.query("insert into projects (id, name) values ($1, $1)", [project]);
  }
  async function close() {
    await pool.end();
    await drop();
  }
  return { database: { name, pool, url }, close };
}

let count = 0;

export interface NewFile {
  store: string;
  filename?: string;
  attributes?: Record<string, string | number | boolean>;
  status?: "in_progress" | "completed" | "failed" | "cancelled";
  project?: string;
  /** An existing file, in place of a new one. */
  file_id?: string;
}

/** Puts a file into a store, which is made when it is not there. */
export async function addFile(pool: Pool, file: NewFile): Promise<{ key: number; file_id: string }> {
  const { store, filename = "notes.txt", attributes = {}, status = "completed", project = PROJECT } = file;
  const file_id = file.file_id ?? `file-${(count += 1)}`;
  await pool.query(
    `insert into vector_stores (id, project_id, metadata) values ($1, $2, '{}') on conflict do nothing`,
    [store, project],
  );
  await pool.query(
    `insert into files (id, project_id, filename, purpose, bytes, sha256, blob)
     values ($1, $2, $3, 'assistants', 1, '', $1) on conflict do nothing`,
    [file_id, project, filename],
  );
  const { rows } = await pool.query<{ id: number }>(
    `insert into vector_store_files (project_id, vector_store_id, file_id, status, attributes, max_chunk_size_tokens,
       chunk_overlap_tokens)
     values ($1, $2, $3, $4, $5, 800, 400) returning id`,
    [project, store, file_id, status, JSON.stringify(attributes)],
  );
  return { key: rows[0]?.id as number, file_id };
}
