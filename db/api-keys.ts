// API keys: only their hashes are stored. A key belongs to a project, and everything it may see belongs to that too.
import { hash } from "node:crypto";
import { newId, randomText } from "../contract/ids.ts";
import { withTransaction } from "./pool.ts";
import type { Pool, Queryable } from "./pool.ts";

const KEY_PREFIX = "sk-da-";
const KEY_LENGTH = 40;
/** Any fixed number: whoever holds this advisory lock makes keys and projects, all others wait. */
const LOCK = 7_316_043;

/** A key as operators see it: everything but the key itself. */
export interface ApiKey {
  id: string;
  project_id: string;
  project_name: string;
  name: string;
  created_at: Date;
  revoked_at: Date | null;
}

/** Makes a new key; it is not stored. */
export function generateApiKey(): string {
  return KEY_PREFIX + randomText(KEY_LENGTH);
}

/**
 * Sees to it that `key` opens the project of this name, which is made if there is none.
 * Does nothing for a key that is known already; one that was revoked stays revoked.
 */
export async function ensureApiKey(
  db: Pool,
  { key, name, projectName }: { key: string; name: string; projectName: string },
): Promise<void> {
  await withTransaction(db, async (tx) => {
    await tx.query("select pg_advisory_xact_lock($1)", [LOCK]);
    const known = await tx.query("select id from api_keys where hash = $1", [hashKey(key)]);
    if (known.rows.length > 0) return;
    const project_id = await ensureProject(tx, projectName);
    await tx.query("insert into api_keys (id, project_id, name, hash) values ($1, $2, $3, $4)", [
      newId("key_"),
      project_id,
      name,
      hashKey(key),
    ]);
  });
}

/** The project that a key opens; undefined when the key is unknown or revoked. */
export async function findProjectByKey(db: Queryable, key: string): Promise<string | undefined> {
  const { rows } = await db.query<{ project_id: string }>(
    "select project_id from api_keys where hash = $1 and revoked_at is null",
    [hashKey(key)],
  );
  return rows[0]?.project_id;
}

/** All keys of all projects, oldest first: for operators only. */
export async function listApiKeys(db: Queryable): Promise<ApiKey[]> {
  const { rows } = await db.query<ApiKey>(
    `select k.id, k.project_id, p.name as project_name, k.name, k.created_at, k.revoked_at
     from api_keys k join projects p on p.id = k.project_id order by k.created_at, k.id`,
  );
  return rows;
}

/** Whether more than one project has keys that work. */
export async function hasSeveralProjects(db: Queryable): Promise<boolean> {
  const { rowCount } = await db.query("select distinct project_id from api_keys where revoked_at is null limit 2");
  return (rowCount ?? 0) > 1;
}

/** Returns whether there was such a key that was not revoked yet. API processes obey within `API_KEY_CACHE_MS`. */
export async function revokeApiKey(db: Queryable, id: string): Promise<boolean> {
  const { rowCount } = await db.query("update api_keys set revoked_at = now() where id = $1 and revoked_at is null", [
    id,
  ]);
  return rowCount === 1;
}

async function ensureProject(tx: Queryable, name: string): Promise<string> {
  const { rows } = await tx.query<{ id: string }>(
    "select id from projects where name = $1 order by created_at, id limit 1",
    [name],
  );
  if (rows[0] !== undefined) return rows[0].id;
  const id = newId("proj_");
  await tx.query("insert into projects (id, name) values ($1, $2)", [id, name]);
  return id;
}

function hashKey(key: string): Buffer {
  return hash("sha256", key, "buffer");
}
