// The first API key: made once, stored hashed in the database and readable in one private file.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureApiKey, generateApiKey } from "../db/api-keys.ts";
import type { Pool } from "../db/pool.ts";

const PROJECT_NAME = "default";

export interface FirstKey {
  key: string;
  /** Where the user finds it again; undefined when the user brought the key. */
  file: string | undefined;
  /** True once in the life of the key: then it may be shown. */
  isNew: boolean;
}

/** Makes sure that the database knows a key: the one that the user brought, else the one in the file, else a new one. */
export async function ensureFirstKey(db: Pool, dataDir: string, broughtKey?: string): Promise<FirstKey> {
  if (broughtKey !== undefined) {
    await ensureApiKey(db, { key: broughtKey, name: "BOOTSTRAP_API_KEY", projectName: PROJECT_NAME });
    return { key: broughtKey, file: undefined, isNew: false };
  }
  const file = join(dataDir, "api-key");
  const kept = (await readFile(file, "utf8").catch(() => "")).trim();
  const key = kept === "" ? generateApiKey() : kept;
  // The file first: a start that is interrupted here leaves a key that the next one stores.
  if (kept === "") await writeFile(file, `${key}\n`, { mode: 0o600 });
  await ensureApiKey(db, { key, name: "first key", projectName: PROJECT_NAME });
  return { key, file, isNew: kept === "" };
}
