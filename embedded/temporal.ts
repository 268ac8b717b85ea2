// Runs Temporal's own development server, with its web UI, on 127.0.0.1 only.
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { connect } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Connection } from "@temporalio/client";
import type { LogFile } from "./log-file.ts";
import { startProcess, untilReady } from "./managed-process.ts";
import type { ManagedProcess } from "./managed-process.ts";

export const EMBEDDED_NAMESPACE = "default";

const READY_TIMEOUT_MS = 60_000;
const READY_POLL_MS = 50;
const STOP_TIMEOUT_MS = 10_000;

/** What operators can search runs by in the Temporal UI. */
export const SEARCH_ATTRIBUTES = [
  "AssistantId",
  "ThreadId",
  "ProjectId",
  "Model",
  "RunStatus",
  "VectorStoreId",
  "FileId",
  "FileStatus",
];

const DYNAMIC_CONFIG = {
  // By default one shard is polled 20 times a second, which alone costs a run 100 ms.
  "history.transferProcessorMaxPollRPS": 5000,
  "history.timerProcessorMaxPollRPS": 5000,
  "system.enableActivityEagerExecution": true,
  // A cancel reaches the activity at once; servers before 1.32 do not know these and ignore them.
  "frontend.WorkerCommandsEnabled": true,
  "system.enableCancelActivityWorkerCommand": true,
};

export interface Temporal extends ManagedProcess {
  /** host:port of the frontend. */
  address: string;
  /** Undefined when started without the UI. */
  uiUrl: string | undefined;
}

export interface TemporalOptions {
  /** Path of the Temporal CLI. */
  cli: string;
  port: number;
  /** Without it there is no web UI. */
  uiPort?: number;
  /** Absolute path of the folder in which histories are kept; without it they are kept in memory. */
  dataDir?: string;
  log: LogFile;
  /** Gives up when aborted. */
  signal?: AbortSignal;
}

/** Starts the server and resolves when its namespace can be used. */
export async function startTemporal(options: TemporalOptions): Promise<Temporal> {
  const { cli, port, uiPort, dataDir, log, signal } = options;
  const started = await startProcess({
    command: cli,
    args: [
      "server",
      "start-dev",
      "--ip=127.0.0.1",
      `--port=${port}`,
      uiPort === undefined ? "--headless" : `--ui-port=${uiPort}`,
      `--namespace=${EMBEDDED_NAMESPACE}`,
      "--log-format=json",
      "--log-level=warn",
      ...(dataDir === undefined ? [] : await storeIn(join(dataDir, "temporal"))),
      ...Object.entries(DYNAMIC_CONFIG).map(([key, value]) => `--dynamic-config-value=${key}=${value}`),
      ...SEARCH_ATTRIBUTES.map((name) => `--search-attribute=${name}=Keyword`),
    ],
    env: { HOME: homedir() },
    log,
    stopSignal: "SIGTERM",
    stopTimeoutMs: STOP_TIMEOUT_MS,
  });
  const address = `127.0.0.1:${port}`;
  await untilReady(started, {
    part: "Temporal",
    log,
    timeoutMs: READY_TIMEOUT_MS,
    signal,
    ready: (waiting) => untilAnswers(address, waiting),
  });
  return { ...started, address, uiUrl: uiPort === undefined ? undefined : `http://127.0.0.1:${uiPort}` };
}

/** SQLite as Temporal sets it up would wait for the disk at every step of a run. */
async function storeIn(folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return [
    `--db-filename=${join(folder, "temporal.sqlite")}`,
    "--sqlite-pragma=journal_mode=WAL",
    "--sqlite-pragma=synchronous=NORMAL",
  ];
}

async function untilAnswers(address: string, signal: AbortSignal): Promise<void> {
  const connection = Connection.lazy({ address });
  const describe = () => connection.workflowService.describeNamespace({ namespace: EMBEDDED_NAMESPACE });
  try {
    await retry(() => connectOnce(address), signal); // first, because gRPC itself would pause for a second
    await retry(() => connection.withAbortSignal(signal, describe), signal);
  } finally {
    await connection.close();
  }
}

async function retry(attempt: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await attempt();
      return;
    } catch {
      await sleep(READY_POLL_MS, undefined, { signal });
    }
  }
}

async function connectOnce(address: string): Promise<void> {
  const { hostname, port } = new URL(`tcp://${address}`);
  const socket = connect({ host: hostname, port: Number(port) });
  try {
    await once(socket, "connect");
  } finally {
    socket.destroy();
  }
}
