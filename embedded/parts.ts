// The parts that run, in the order in which they were started. They end in the opposite order: who needs another ends first.
import type { FolderLock } from "./lock.ts";
import type { ManagedProcess } from "./managed-process.ts";
import type { Say } from "./say.ts";
import { supervise } from "./supervise.ts";
import type { Supervised } from "./supervise.ts";

export interface Parts {
  /** Starts a part, keeps it running and resolves to its first process when that is ready. */
  start<P extends ManagedProcess>(part: string, start: (signal: AbortSignal) => Promise<P>): Promise<P>;
  stopAll(): Promise<void>;
  killAll(): void;
}

/** `signal` gives up what is just being started. */
export function createParts({ lock, say, signal }: { lock: FolderLock; say: Say; signal: AbortSignal }): Parts {
  const running: { part: string; supervised: Supervised<ManagedProcess> }[] = [];

  async function start<P extends ManagedProcess>(
    part: string,
    startPart: (signal: AbortSignal) => Promise<P>,
  ): Promise<P> {
    signal.throwIfAborted();
    const supervised = await supervise(
      { part, start: startPart, say, onStarted: ({ pid }) => lock.record(part, pid) },
      signal,
    );
    running.push({ part, supervised });
    return supervised.first;
  }
  async function stopAll(): Promise<void> {
    for (let last = running.pop(); last !== undefined; last = running.pop()) {
      say(`Stopping ${last.part} …`);
      await last.supervised.stop();
    }
  }
  function killAll(): void {
    for (const { supervised } of running) supervised.kill();
  }
  return { start, stopAll, killAll };
}
