// Everything that a benchmark measures, as it would run in earnest: Postgres that keeps what it was told, Temporal with
// its histories in a file, and model, API and worker as processes of their own. Beside them the bare counterparts.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import pg from "pg";
import { migrate } from "../db/migrate.ts";
import { openLogFile } from "../embedded/log-file.ts";
import type { ManagedProcess } from "../embedded/managed-process.ts";
import { startNodeChild } from "../embedded/node-child.ts";
import type { NodeChild } from "../embedded/node-child.ts";
import { findPorts } from "../embedded/ports.ts";
import { ensureDatabase, startPostgres } from "../embedded/postgres.ts";
import type { Postgres } from "../embedded/postgres.ts";
import { startTemporal } from "../embedded/temporal.ts";
import type { Temporal } from "../embedded/temporal.ts";
import { findTemporalCli } from "../embedded/temporal-cli.ts";
import type { Target } from "./http-client.ts";
import type { Processes } from "./process-usage.ts";
import { startTemporalOnPostgres } from "./temporal-on-postgres.ts";

const STOP_TIMEOUT_MS = 30_000;
const DATABASE = "bench";
export const BARE_QUEUE = "bare";

export interface StackOptions {
  /** Settings for API and worker on top of the usual ones; given the folder, in which there may be files for them. */
  settings?: (folder: string) => Record<string, string>;
  /** Worker processes; 1 unless said otherwise. */
  workers?: number;
  /** Whether API and worker share a process. */
  oneProcess?: boolean;
  /** Where Temporal keeps its histories: as the embedded mode does, or as a server of its own. */
  temporalOn?: "sqlite" | "postgres";
}

export interface Stack {
  /** Removed at the end. */
  folder: string;
  api: Target;
  /** The scripted model itself. */
  model: Target;
  db: pg.Pool;
  /** For the bare counterpart. */
  temporal: Client;
  processes: Processes;
  /** Starts a worker that does nothing but a no-op, on `BARE_QUEUE`. */
  startBareWorker(): Promise<void>;
  /** Starts the proxy that hands the model's stream on. */
  startProxy(): Promise<Target>;
  stop(): Promise<void>;
}

/** Starts a stack. Everything that it writes is in one new folder on the disk of the project. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const { settings = () => ({}), workers = 1, oneProcess = false, temporalOn = "sqlite" } = options;
  const folder = mkdtempSync(join(import.meta.dirname, "data-"));
  const running: ManagedProcess[] = [];
  const keep = <P extends ManagedProcess>(started: P): P => {
    running.push(started);
    return started;
  };
  async function stopAll(): Promise<void> {
    for (const part of running.toReversed()) await part.stop();
    rmSync(folder, { recursive: true, force: true });
  }

  try {
    const [postgresPort = 0, temporalPort = 0] = await findPorts([anyPort("Postgres"), anyPort("Temporal")]);
    const postgres = keep(await startCountingPostgres(folder, postgresPort));
    const temporal = keep(
      temporalOn === "postgres"
        ? await startTemporalOnPostgres({
            folder,
            postgresUrl: postgres.url(),
            log: openLogFile(join(folder, "temporal.log")),
          })
        : await startHistories(folder, temporalPort),
    );
    const key = `sk-bench-${randomBytes(16).toString("hex")}`;
    const environment: Record<string, string> = {
      DATABASE_URL: postgres.url(DATABASE),
      TEMPORAL_ADDRESS: temporal.address,
      OPENAI_API_KEY: "scripted",
      BOOTSTRAP_API_KEY: key,
      HOST: "127.0.0.1",
      PORT: "0",
      EMBEDDED_MODEL_PORT: "0",
      LOG_LEVEL: "warn",
      BLOB_DIR: join(folder, "blobs"),
      CODE_INTERPRETER: "none",
      ...settings(folder),
    };
    const start = async (part: string, script: string, extra: Record<string, string> = {}): Promise<NodeChild> =>
      keep(
        await startNodeChild({
          part,
          script,
          settings: { ...environment, ...extra },
          dataDir: folder,
          log: openLogFile(join(folder, `${part}.log`)),
          stopTimeoutMs: STOP_TIMEOUT_MS,
        }),
      );
    const model = await start("model", "model/scripted/main.ts");
    environment["OPENAI_BASE_URL"] = model.url as string;
    const processes: Processes = {
      temporal: temporal.pid,
      postgres: postgres.pid,
      model: model.pid,
      client: process.pid,
    };
    for (let number = oneProcess ? 2 : 1; number <= workers; number += 1) {
      const part = number === 1 ? "worker" : `worker ${number}`;
      processes[part] = (await start(part, "worker/main.ts")).pid;
    }
    const api = await start("api", oneProcess ? "bench/one-process/main.ts" : "api/main.ts");
    processes["api"] = api.pid;

    const db = new pg.Pool({ connectionString: postgres.url(DATABASE), max: 2 });
    db.on("error", () => undefined);
    const connection = await Connection.connect({ address: temporal.address });
    const stack: Stack = {
      folder,
      api: { url: `${api.url}/v1`, key },
      model: { url: model.url as string, key: "scripted" },
      db,
      temporal: new Client({ connection }),
      processes,
      async startBareWorker() {
        const bare = await start("bare-worker", "bench/bare/main.ts", { TEMPORAL_TASK_QUEUE: BARE_QUEUE });
        stack.processes["bare worker"] = bare.pid;
      },
      async startProxy() {
        const proxy = await start("proxy", "bench/proxy/main.ts");
        stack.processes["proxy"] = proxy.pid;
        return { url: proxy.url as string, key: "none" };
      },
      async stop() {
        await connection.close();
        await db.end();
        await stopAll();
      },
    };
    return stack;
  } catch (error) {
    await stopAll();
    throw error;
  }
}

/** Postgres as the embedded mode runs it, that counts its statements. */
async function startCountingPostgres(dataDir: string, port: number): Promise<Postgres> {
  const log = openLogFile(join(dataDir, "postgres.log"));
  const first = await startPostgres({ dataDir, port, log });
  await query(first.url(), "alter system set shared_preload_libraries = 'pg_stat_statements'");
  await first.stop();
  const postgres = await startPostgres({ dataDir, port, log });
  await ensureDatabase(postgres.url(), DATABASE);
  await query(postgres.url(DATABASE), "create extension pg_stat_statements");
  await migrate(postgres.url(DATABASE));
  return postgres;
}

async function startHistories(dataDir: string, port: number): Promise<Temporal> {
  const cli = await findTemporalCli({ say: (line) => console.error(line) });
  return startTemporal({ cli, port, dataDir, log: openLogFile(join(dataDir, "temporal.log")) });
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

function anyPort(part: string) {
  return { part, variable: "", host: "127.0.0.1", port: 0 };
}
