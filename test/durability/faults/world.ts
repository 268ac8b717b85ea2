// What a scenario is played in: a stack of API and worker processes, with a bad network between them and Postgres,
// Temporal and the model, and, where a scenario stops them, with a Postgres or a Temporal of its own.
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import { openLogFile } from "../../../embedded/log-file.ts";
import type { NodeChild } from "../../../embedded/node-child.ts";
import { findPorts } from "../../../embedded/ports.ts";
import { startPostgres } from "../../../embedded/postgres.ts";
import type { Postgres } from "../../../embedded/postgres.ts";
import { startTemporal } from "../../../embedded/temporal.ts";
import type { Temporal } from "../../../embedded/temporal.ts";
import { findTemporalCli } from "../../../embedded/temporal-cli.ts";
import { startStack } from "../../support/stack.ts";
import type { Stack } from "../../support/stack.ts";
import { waitUntil } from "../../support/wait-until.ts";
import { startTcpProxy } from "./tcp-proxy.ts";
import type { TcpProxy } from "./tcp-proxy.ts";

export interface WorldOptions {
  /** API processes; 2 unless told. */
  apis?: number;
  /** Worker processes; 2 unless told. */
  workers?: number;
  settings?: Record<string, string>;
  /** Servers that are this scenario's alone, and keep their data on disk. */
  own?: readonly ("postgres" | "temporal")[];
}

/** A server that can be stopped and started again on its port and its data. */
export interface OwnServer {
  stop(): Promise<void>;
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Removes its data, while it is stopped. */
  forget(): void;
}

export interface World {
  stack: Stack;
  network: Record<"postgres" | "temporal" | "model", TcpProxy>;
  postgres: OwnServer | undefined;
  temporal: OwnServer | undefined;
  /** For looking at workflows, past the bad network. */
  client: Client;
  /** Base URLs, with /v1, of every place where an API process is, or was and will be again. */
  apiUrls(): string[];
  /** Kills an API process with -9 and starts another in its place. */
  replaceApi(index: number): Promise<void>;
  /** Ends an API process in order and starts another in its place. */
  rollApi(index: number): Promise<void>;
  replaceWorker(index: number): Promise<void>;
  rollWorker(index: number): Promise<void>;
  /** Copies the logs of all processes; they are gone when the world has ended. */
  keepLogs(folder: string): void;
  end(): Promise<void>;
}

export async function startWorld({ apis = 2, workers = 2, settings = {}, own = [] }: WorldOptions): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "durable-assistants-faults-"));
  const [postgres, temporal] = await Promise.all([
    own.includes("postgres") ? startOwn(join(folder, "postgres"), (port) => startOwnPostgres(folder, port)) : undefined,
    own.includes("temporal") ? startOwn(join(folder, "temporal"), (port) => startOwnTemporal(folder, port)) : undefined,
  ]);
  const temporalAddress = temporal?.running.address ?? process.env["TEMPORAL_ADDRESS"] ?? "";
  const proxies: Partial<World["network"]> = {};
  const server = postgres?.running.url();
  const stack = await startStack({
    apis: 0,
    workers: 0,
    settings,
    ...(server === undefined ? {} : { server }),
    async reroute(given) {
      const database = new URL(given["DATABASE_URL"] ?? "");
      const model = new URL(given["OPENAI_BASE_URL"] ?? "");
      proxies.postgres = await startTcpProxy(database.host);
      proxies.temporal = await startTcpProxy(temporalAddress);
      proxies.model = await startTcpProxy(model.host);
      database.host = proxies.postgres.address;
      model.host = proxies.model.address;
      const rerouted = { DATABASE_URL: database.href, TEMPORAL_ADDRESS: proxies.temporal.address };
      return { ...given, ...rerouted, OPENAI_BASE_URL: model.href };
    },
  });
  const network = proxies as World["network"];
  await Promise.all([
    ...Array.from({ length: apis }, () => stack.startApi()),
    ...Array.from({ length: workers }, () => stack.startWorker()),
  ]);
  const urls = stack.apis.map(({ url }) => url as string);
  const connection = Connection.lazy({ address: temporalAddress });

  async function restartApi(index: number, end: (api: NodeChild) => Promise<void>): Promise<void> {
    const url = urls[index % urls.length] as string;
    const api = stack.apis.find((running) => running.url === url);
    if (api !== undefined) await end(api);
    await stack.startApi(Number(new URL(url).port));
  }
  async function restartWorker(index: number, end: (worker: NodeChild) => Promise<void>): Promise<void> {
    const worker = stack.workers[index % Math.max(stack.workers.length, 1)];
    if (worker !== undefined) await end(worker);
    await stack.startWorker();
  }

  return {
    stack,
    network,
    postgres,
    temporal,
    client: new Client({ connection }),
    apiUrls: () => urls.map((url) => `${url}/v1`),
    replaceApi: (index) => restartApi(index, killed),
    rollApi: (index) => restartApi(index, (api) => api.stop()),
    replaceWorker: (index) => restartWorker(index, killed),
    rollWorker: (index) => restartWorker(index, (worker) => worker.stop()),
    keepLogs(to) {
      cpSync(stack.folder, to, { recursive: true });
      cpSync(folder, to, { recursive: true, filter: (path) => path === folder || path.endsWith(".log") });
    },
    async end() {
      for (const proxy of Object.values(network)) proxy.heal();
      await stack.stop();
      await connection.close();
      for (const proxy of Object.values(network)) proxy.close();
      await Promise.all([postgres?.stop(), temporal?.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function killed(child: NodeChild): Promise<void> {
  child.kill();
  await child.exited;
}

/** Starts a server on a free port, on which it is started again later. */
async function startOwn<Server extends Postgres | Temporal>(
  data: string,
  start: (port: number) => Promise<Server>,
): Promise<OwnServer & { running: Server }> {
  const [port = 0] = await findPorts([{ part: "server", variable: "", host: "127.0.0.1", port: 0 }]);
  const own = {
    running: await start(port),
    stop: () => own.running.stop(),
    async kill() {
      own.running.kill();
      await own.running.exited;
    },
    async start() {
      // Its port may be taken for a moment longer than its process lived.
      own.running = await waitUntil("the server is started again", () => start(port).catch(() => undefined), 60_000);
    },
    forget: () => rmSync(data, { recursive: true, force: true }),
  };
  return own;
}

function startOwnPostgres(dataDir: string, port: number): Promise<Postgres> {
  return startPostgres({ dataDir, port, log: openLogFile(join(dataDir, "postgres.log")) });
}

async function startOwnTemporal(dataDir: string, port: number): Promise<Temporal> {
  const cli = await findTemporalCli({ say: (line) => console.error(line) });
  return startTemporal({ cli, port, dataDir, log: openLogFile(join(dataDir, "temporal.log")) });
}
