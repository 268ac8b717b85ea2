// Temporal as it runs on a cluster of its own: the server, all four services in one process, with its histories in the
// Postgres that the benchmark has anyway. Built from Go's module proxy the first time, which takes some minutes.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Connection } from "@temporalio/client";
import { stringify } from "yaml";
import type { LogFile } from "../embedded/log-file.ts";
import { startProcess, untilReady } from "../embedded/managed-process.ts";
import { PROJECT_FOLDER } from "../embedded/node-child.ts";
import { findPorts } from "../embedded/ports.ts";
import { SEARCH_ATTRIBUTES } from "../embedded/temporal.ts";
import type { Temporal } from "../embedded/temporal.ts";
import { waitUntil } from "../test/support/wait-until.ts";

/** The one inside the CLI that the embedded mode asks for. */
const VERSION = "v1.29.1";
const PACKAGES = ["cmd/server", "cmd/tools/sql"].map((path) => `go.temporal.io/server/${path}@${VERSION}`);
const BINARIES = join(PROJECT_FOLDER, `.cache/temporal-server-${VERSION}`);
/** Of a small site; the number cannot be changed later. */
const SHARDS = 4;
const CONNECTIONS = 20;
/** Of the four services, and behind them those on which they find each other; its schema holds none above 32767. */
const PORTS = [27_233, 27_234, 27_235, 27_239, 26_933, 26_934, 26_935, 26_939];
const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;
const KEYWORD = 2;

const run = promisify(execFile);

export interface TemporalOnPostgresOptions {
  folder: string;
  /** Connection string of the server; the databases are made. */
  postgresUrl: string;
  log: LogFile;
}

/** Starts the server and resolves when its namespace and search attributes can be used. */
export async function startTemporalOnPostgres(options: TemporalOnPostgresOptions): Promise<Temporal> {
  const { folder, postgresUrl, log } = options;
  await build();
  await findPorts(PORTS.map((port) => ({ part: "Temporal on Postgres", variable: "", host: "127.0.0.1", port })));
  const postgres = new URL(postgresUrl);
  await makeDatabases(postgres);
  await writeConfig(folder, postgres);
  const started = await startProcess({
    command: join(BINARIES, "server"),
    args: ["--root", folder, "--config", "temporal-config", "--allow-no-auth", "start"],
    env: { PATH: process.env["PATH"] },
    log,
    stopSignal: "SIGTERM",
    stopTimeoutMs: STOP_TIMEOUT_MS,
  });
  const address = `127.0.0.1:${PORTS[0]}`;
  const ready = () => makeNamespace(address);
  await untilReady(started, { part: "Temporal on Postgres", log, timeoutMs: READY_TIMEOUT_MS, ready });
  return { ...started, address, uiUrl: undefined };
}

async function build(): Promise<void> {
  if (existsSync(join(BINARIES, "sql"))) return;
  await mkdir(BINARIES, { recursive: true });
  console.error(`Building the Temporal server ${VERSION} with Go, once.`);
  await run("go", ["install", ...PACKAGES], { env: { ...process.env, GOBIN: BINARIES }, maxBuffer: 2 ** 24 });
}

async function makeDatabases(postgres: URL): Promise<void> {
  const { hostname, port, username, password } = postgres;
  const server = ["--plugin", "postgres12", "--ep", hostname, "-p", port, "-u", username, "--pw", password];
  for (const [database, store] of [
    ["temporal", "temporal"],
    ["temporal_visibility", "visibility"],
  ] as const) {
    const sql = (...args: string[]) => run(join(BINARIES, "sql"), [...server, "--db", database, ...args]);
    await sql("create-database");
    await sql("setup-schema", "-v", "0.0");
    await sql("update-schema", "--schema-name", `postgresql/v12/${store}`);
  }
}

async function writeConfig(folder: string, postgres: URL): Promise<void> {
  const configFolder = join(folder, "temporal-config");
  await mkdir(configFolder);
  const store = (databaseName: string) => ({
    sql: {
      pluginName: "postgres12",
      databaseName,
      connectAddr: postgres.host,
      connectProtocol: "tcp",
      user: postgres.username,
      password: postgres.password,
      maxConns: CONNECTIONS,
      maxIdleConns: CONNECTIONS,
      maxConnLifetime: "1h",
    },
  });
  const services = ["frontend", "history", "matching", "worker"].map((name, index) => [
    name,
    { rpc: { grpcPort: PORTS[index], membershipPort: PORTS[index + 4], bindOnLocalHost: true } },
  ]);
  const dynamicConfig = join(configFolder, "dynamic-config.yaml");
  const frontend = `127.0.0.1:${PORTS[0]}`;
  await writeFile(dynamicConfig, stringify({ "system.enableActivityEagerExecution": [{ value: true }] }));
  await writeFile(
    join(configFolder, "development.yaml"),
    stringify({
      log: { stdout: true, level: "warn" },
      persistence: {
        defaultStore: "default",
        visibilityStore: "visibility",
        numHistoryShards: SHARDS,
        datastores: { default: store("temporal"), visibility: store("temporal_visibility") },
      },
      global: { membership: { maxJoinDuration: "30s", broadcastAddress: "127.0.0.1" } },
      services: Object.fromEntries(services) as object,
      clusterMetadata: {
        enableGlobalNamespace: false,
        failoverVersionIncrement: 10,
        masterClusterName: "active",
        currentClusterName: "active",
        clusterInformation: {
          active: { enabled: true, initialFailoverVersion: 1, rpcName: "frontend", rpcAddress: frontend },
        },
      },
      dcRedirectionPolicy: { policy: "noop" },
      archival: { history: { state: "disabled" }, visibility: { state: "disabled" } },
      namespaceDefaults: { archival: { history: { state: "disabled" }, visibility: { state: "disabled" } } },
      publicClient: { hostPort: frontend },
      dynamicConfigClient: { filepath: dynamicConfig, pollInterval: "10s" },
    }),
  );
}

/** All parts of the server know a new namespace only after some seconds. */
async function makeNamespace(address: string): Promise<void> {
  const connection = Connection.lazy({ address });
  const namespace = "default";
  const attributes = Object.fromEntries(SEARCH_ATTRIBUTES.map((name) => [name, KEYWORD]));
  const succeeds = (work: () => Promise<unknown>) =>
    work().then(
      () => true,
      () => false,
    );
  try {
    await waitUntil(
      "the namespace is made",
      () =>
        succeeds(async () => {
          await connection.workflowService
            .registerNamespace({ namespace, workflowExecutionRetentionPeriod: { seconds: (72 * 3600) as never } })
            .catch((error: Error) => {
              if (!error.message.includes("already")) throw error;
            });
          await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: attributes });
          await connection.workflowService.listWorkflowExecutions({ namespace, query: 'RunStatus = "none"' });
        }),
      READY_TIMEOUT_MS,
    );
  } finally {
    await connection.close();
  }
}
