// Starts one of our own programs (worker, API, scripted model) as a child process that reports when it is ready.
import { once } from "node:events";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { LogFile } from "./log-file.ts";
import { startProcess, untilReady } from "./managed-process.ts";
import type { ManagedProcess } from "./managed-process.ts";

const READY_TIMEOUT_MS = 60_000;

export const PROJECT_FOLDER = dirname(dirname(fileURLToPath(import.meta.url)));

export interface NodeChild extends ManagedProcess {
  /** Where it listens, if it listens. */
  url: string | undefined;
}

export interface NodeChildOptions {
  part: string;
  /** Path of the script inside the project. */
  script: string;
  /** Settings on top of the environment that we were started with. */
  settings: Record<string, string | undefined>;
  /** Marks the process as belonging to this data folder, so that a later start recognises a left-over one. */
  dataDir: string;
  log: LogFile;
  stopTimeoutMs: number;
  signal?: AbortSignal;
}

/** Starts the script and resolves when it sends `{ type: "ready" }`. It must end itself when its IPC channel closes. */
export async function startNodeChild(options: NodeChildOptions): Promise<NodeChild> {
  const { part, script, settings, dataDir, log, stopTimeoutMs, signal } = options;
  const started = await startProcess({
    command: process.execPath,
    args: [`${PROJECT_FOLDER}/${script}`, `--data-dir=${dataDir}`],
    cwd: PROJECT_FOLDER,
    env: { ...process.env, ...settings },
    log,
    stopSignal: "SIGTERM",
    stopTimeoutMs,
    ipc: true,
  });
  const url = await untilReady(started, {
    part,
    log,
    timeoutMs: READY_TIMEOUT_MS,
    signal,
    ready: async (waiting) => {
      for (;;) {
        const [message] = (await once(started.child, "message", { signal: waiting })) as [unknown];
        if (isReady(message)) return message.url;
      }
    },
  });
  return { ...started, url };
}

function isReady(message: unknown): message is { type: "ready"; url?: string } {
  return typeof message === "object" && message !== null && "type" in message && message.type === "ready";
}
