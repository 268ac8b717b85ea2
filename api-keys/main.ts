// For operators: makes, lists and revokes API keys. `npm run keys -- create --project NAME`
import { parseArgs } from "node:util";
import { loadConfig } from "../config.ts";
import { ensureApiKey, generateApiKey, listApiKeys, revokeApiKey } from "../db/api-keys.ts";
import type { ApiKey } from "../db/api-keys.ts";
import { createPool } from "../db/pool.ts";
import type { Pool } from "../db/pool.ts";

const USAGE = `Usage:
  npm run keys -- create [--project NAME] [--name LABEL]   makes a key and prints it once; the project too, if need be
  npm run keys -- list                                     shows all keys, but never the keys themselves
  npm run keys -- revoke ID                                ends a key`;

class UsageError extends Error {
  override name = "UsageError";
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  if (!isMisuse(error)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}

async function run(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { project: { type: "string", default: "default" }, name: { type: "string", default: "" } },
  });
  const [command, ...operands] = positionals;
  const id = command === "revoke" ? operands.shift() : undefined;
  if (operands.length > 0) throw new UsageError(`Unexpected argument: ${operands[0]}`);
  switch (command) {
    case "create":
      return withDatabase(async (db) => {
        const key = generateApiKey();
        await ensureApiKey(db, { key, name: values.name, projectName: values.project });
        console.log(key);
      });
    case "list":
      return withDatabase(async (db) => {
        for (const key of await listApiKeys(db)) console.log(describe(key));
      });
    case "revoke":
      if (id === undefined) throw new UsageError("Which key? Give its ID.");
      return withDatabase(async (db) => {
        if (!(await revokeApiKey(db, id))) throw new UsageError(`There is no valid key with the ID ${id}.`);
      });
    default:
      throw new UsageError(command === undefined ? "What is to be done?" : `Unknown command: ${command}`);
  }
}

function isMisuse(error: unknown): error is Error {
  if (error instanceof UsageError) return true;
  return error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
}

function describe(key: ApiKey): string {
  const state = key.revoked_at === null ? "valid" : `revoked ${key.revoked_at.toISOString()}`;
  return [key.id, key.project_name, key.name, key.created_at.toISOString(), state].join("\t");
}

async function withDatabase(work: (db: Pool) => Promise<void>): Promise<void> {
  const { DATABASE_URL } = loadConfig();
  if (DATABASE_URL === undefined)
    throw new UsageError("DATABASE_URL is not set: it names the database that the keys are in.");
  const db = createPool({ url: DATABASE_URL, max: 1, name: "keys", onError: () => undefined });
  try {
    await work(db);
  } finally {
    await db.end();
  }
}
