// Keeps one part running: when it ends although nobody asked it to, it is started again, with growing pauses.
import { setTimeout as sleep } from "node:timers/promises";
import { describeExit } from "./managed-process.ts";
import type { ManagedProcess } from "./managed-process.ts";
import type { Say } from "./say.ts";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A part that ran this long is well again: the next pause is short. */
const WELL_AFTER_MS = 60_000;

export interface Supervised<P extends ManagedProcess> {
  /** The process as it was first started, for its address. */
  first: P;
  /** Ends the part for good, in order. */
  stop(): Promise<void>;
  /** Ends the part for good, at once. */
  kill(): void;
}

export interface SuperviseOptions<P extends ManagedProcess> {
  part: string;
  /** Starts the part and resolves when it is ready; gives up when the signal is aborted. */
  start: (signal: AbortSignal) => Promise<P>;
  say: Say;
  /** Told about every process that is started for the part. */
  onStarted?: (started: P) => void;
}

/** Starts a part and keeps it running. Rejects when the very first start fails: then something is wrong that a restart cannot cure. */
export async function supervise<P extends ManagedProcess>(
  options: SuperviseOptions<P>,
  signal?: AbortSignal,
): Promise<Supervised<P>> {
  const { part, start, say, onStarted } = options;
  const stopping = new AbortController();
  const first = await start(signal ?? stopping.signal);
  onStarted?.(first);
  let current = first;
  const loop = keepRunning();

  async function keepRunning(): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    while (!stopping.signal.aborted) {
      const startedAt = performance.now();
      const exit = await current.exited;
      if (stopping.signal.aborted) return;
      if (performance.now() - startedAt > WELL_AFTER_MS) pauseMs = FIRST_PAUSE_MS;
      say(`${part} ${describeExit(exit)}, unasked. It is started again.`);
      pauseMs = await startAgain(pauseMs);
    }
  }

  /** Tries until it is started or stopped. Returns the pause to make the next time. */
  async function startAgain(firstPauseMs: number): Promise<number> {
    let pauseMs = firstPauseMs;
    while (!stopping.signal.aborted) {
      try {
        await sleep(pauseMs, undefined, { signal: stopping.signal });
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
        current = await start(stopping.signal);
        onStarted?.(current);
        say(`${part} is running again.`);
        break;
      } catch (error) {
        if (!stopping.signal.aborted)
          say(`${part} could not be started; trying again in ${pauseMs / 1000} s. ${(error as Error).message}`);
      }
    }
    return pauseMs;
  }

  async function stop(): Promise<void> {
    stopping.abort();
    await current.stop();
    await loop;
  }
  function kill(): void {
    stopping.abort();
    current.kill();
  }
  return { first, stop, kill };
}
