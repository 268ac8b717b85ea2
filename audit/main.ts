// For operators: checks that what the database and Temporal hold fits together, and changes nothing. `npm run audit`
import { parseArgs } from "node:util";
import { Client, Connection } from "@temporalio/client";
import { loadClientConnectConfig } from "@temporalio/envconfig";
import { openBlobs } from "../blobs/open-blobs.ts";
import { ConfigError, loadConfig } from "../config.ts";
import { createPool } from "../db/pool.ts";
import { audit, DEFAULT_FIRST, DEFAULT_GRACE_MS, DEFAULT_SAMPLE } from "./audit.ts";
import { toText } from "./report.ts";

const USAGE = `Usage: npm run audit -- [options]
  --json              prints the report as JSON
  --grace SECONDS     how late anything may be, ${DEFAULT_GRACE_MS / 1000} unless told
  --first N           how many violations of each invariant are named, ${DEFAULT_FIRST} unless told
  --sample N          how many of the runs that ended last are held against their workflows, ${DEFAULT_SAMPLE} unless told
  --database-only     leaves Temporal alone

Reads DATABASE_URL, BLOB_DIR or S3_BUCKET and what belongs to it, TEMPORAL_ADDRESS, TEMPORAL_TASK_QUEUE and the rest of Temporal's own environment.
Ends with 0 when no invariant is broken, with 1 when one is, and with 2 when that could not be found out: because the
database, the files or Temporal cannot be reached, or the command is not understood.`;

class UsageError extends Error {
  override name = "UsageError";
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  process.exitCode = 2;
  if (isMisuse(error)) console.error(`${error.message}\n\n${USAGE}`);
  else console.error(error);
}

/** Returns the exit code. */
async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: "boolean", default: false },
      "database-only": { type: "boolean", default: false },
      grace: { type: "string", default: String(DEFAULT_GRACE_MS / 1000) },
      first: { type: "string", default: String(DEFAULT_FIRST) },
      sample: { type: "string", default: String(DEFAULT_SAMPLE) },
    },
  });
  const graceMs = toNumber("grace", values.grace) * 1000;
  const first = toNumber("first", values.first);
  const sample = toNumber("sample", values.sample);
  const config = loadConfig();
  const { DATABASE_URL, TEMPORAL_TASK_QUEUE: taskQueue } = config;
  if (DATABASE_URL === undefined) throw new UsageError("DATABASE_URL is not set: it names the database to check.");

  const db = createPool({ url: DATABASE_URL, max: 1, name: "audit", onError: () => undefined });
  const settings = loadClientConnectConfig();
  const connection = Connection.lazy(settings.connectionOptions);
  try {
    const client = new Client({ connection, namespace: settings.namespace ?? "default" });
    const temporal = values["database-only"] ? {} : { temporal: { client, taskQueue } };
    const report = await audit({ db, blobs: openBlobs(config), ...temporal, graceMs, first, sample });
    console.log(values.json ? JSON.stringify(report, null, 2) : toText(report));
    if (!report.ok) return 1;
    const wasSkipped = report.invariants.some(({ skipped }) => skipped !== undefined);
    return !wasSkipped || values["database-only"] ? 0 : 2;
  } finally {
    await connection.close();
    await db.end();
  }
}

function toNumber(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0)
    throw new UsageError(`The option --${name} takes a whole number, not '${text}'.`);
  return number;
}

function isMisuse(error: unknown): error is Error {
  if (error instanceof UsageError || error instanceof ConfigError) return true;
  return error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
}
