// Starts one process so that nothing of it is left behind: it is ended in order, by force if it must be,
// and also when this process is killed with -9.
import { spawn } from "node:child_process";
import type { ChildProcess, SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { CannotStart } from "./cannot-start.ts";
import type { LogFile } from "./log-file.ts";

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ManagedProcess {
  pid: number;
  /** Resolves when the process has ended, for whatever reason. */
  exited: Promise<Exit>;
  /** Asks the process to end and waits; after `stopTimeoutMs` it is killed. */
  stop(): Promise<void>;
  /** Kills the process and its children at once. */
  kill(): void;
}

export interface ProcessOptions {
  command: string;
  args: string[];
  /** Complete environment; nothing is inherited. */
  env: NodeJS.ProcessEnv;
  log: LogFile;
  stopSignal: "SIGINT" | "SIGTERM";
  stopTimeoutMs: number;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** Opens an IPC channel, which a Node process watches itself: it ends when the channel closes. */
  ipc?: boolean;
}

/** Starts the process in a group of its own, so that Ctrl-C in the terminal reaches only us, and resolves once it runs. */
export async function startProcess(options: ProcessOptions): Promise<ManagedProcess & { child: ChildProcess }> {
  const { command, args, log, stopSignal, stopTimeoutMs, ipc = false, ...rest } = options;
  const spawnOptions: SpawnOptions = {
    ...rest,
    detached: true,
    stdio: ["ignore", "pipe", "pipe", ...(ipc ? (["ipc"] as const) : [])],
  };
  const child = spawn(command, args, spawnOptions);
  child.stdout?.on("data", (chunk: Buffer) => log.write(chunk));
  child.stderr?.on("data", (chunk: Buffer) => log.write(chunk));
  const exited = new Promise<Exit>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  await once(child, "spawn");
  const pid = child.pid as number; // set, since "spawn" was emitted
  const releaseGuard = ipc ? () => undefined : guard(pid, stopSignal);
  const kill = () => signalGroup(pid, "SIGKILL");
  void exited.then(() => {
    releaseGuard();
    kill(); // what it started and did not end
  });

  async function stop(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(stopSignal);
    if (child.connected) child.disconnect(); // an open channel can keep a Node process alive
    const timeout = new AbortController();
    const inTime = await Promise.race([
      exited.then(() => true),
      sleep(stopTimeoutMs, false, { signal: timeout.signal }).catch(() => false),
    ]);
    timeout.abort();
    if (!inTime) kill();
    await exited;
  }
  return { pid, exited, stop, kill, child };
}

/**
 * Waits for `ready`. When the process ends first, when it takes too long or when `signal` says to give up,
 * the process is ended and the error tells why, with the newest lines of its log.
 */
export async function untilReady<T>(
  started: ManagedProcess,
  options: {
    part: string;
    log: LogFile;
    timeoutMs: number;
    signal?: AbortSignal | undefined;
    ready: (signal: AbortSignal) => Promise<T>;
  },
): Promise<T> {
  const { part, log, timeoutMs, signal, ready } = options;
  const settled = new AbortController();
  const waiting = AbortSignal.any(signal ? [settled.signal, signal] : [settled.signal]);
  try {
    return await Promise.race([
      ready(waiting),
      started.exited.then((exit) => {
        throw new CannotStart(`${part} ${describeExit(exit)} while it was starting.${describeLog(log)}`);
      }),
      sleep(timeoutMs, undefined, { signal: waiting }).then(() => {
        throw new CannotStart(`${part} was not ready after ${timeoutMs / 1000} s.${describeLog(log)}`);
      }),
    ]);
  } catch (error) {
    await started.stop();
    throw error;
  } finally {
    settled.abort(); // ends what still waits
  }
}

/** "ended with exit code 1", "was killed by SIGKILL". */
export function describeExit({ code, signal }: Exit): string {
  return signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
}

function describeLog(log: LogFile): string {
  const lines = log.newestLines().map((line) => `    ${line}`);
  return lines.length === 0 ? "" : ` Its log, ${log.path}, ends with:\n${lines.join("\n")}`;
}

/** Sends a signal to a process and its children; it is fine if they are gone. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ESRCH" && code !== "EPERM") throw error; // EPERM: on macOS, one that has ended and was not collected yet
  }
}

/**
 * A shell that waits on a pipe from us. When we die without a word the pipe closes and it ends the process.
 * Returns the function that tells it that all is well.
 */
function guard(pid: number, signal: "SIGINT" | "SIGTERM"): () => void {
  const script = 'read -r word || kill -s "$1" "$2"';
  const shell = spawn("/bin/sh", ["-c", script, "guard", signal.slice(3), String(pid)], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  shell.on("error", () => undefined); // no shell, no guard: the next start ends what was left
  shell.stdin.on("error", () => undefined);
  shell.unref();
  return () => shell.stdin.end("all is well\n");
}
