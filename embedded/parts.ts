// The parts that run, in the order in which their start began. They end in the opposite order: who needs another ends first.
import type { FolderLock } from "./lock.ts";
import type { ManagedProcess } from "./managed-process.ts";
import type { Say } from "./say.ts";
import { supervise } from "./supervise.ts";
import type { Supervised } from "./supervise.ts";

export interface Parts {
  /** Aborted when everything is to stop: whatever prepares a start gives up then. */
  signal: AbortSignal;
  /** Starts a part, keeps it running and resolves to its first process when that is ready. */
  start<P extends ManagedProcess>(part: string, start: (signal: AbortSignal) => Promise<P>): Promise<P>;
  /** Gives up what is just being started and stops all others, one after the other. */
  stopAll(): Promise<void>;
  killAll(): void;
}

interface Entry {
  part: string;
  starting: Promise<Supervised<ManagedProcess>>;
  supervised?: Supervised<ManagedProcess>;
}

/** `signal` is the user's wish to stop. */
export function createParts(options: { lock: FolderLock; say: Say; signal: AbortSignal }): Parts {
  const { lock, say } = options;
  const entries: Entry[] = [];
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);

  async function start<P extends ManagedProcess>(
    part: string,
    startPart: (signal: AbortSignal) => Promise<P>,
  ): Promise<P> {
    signal.throwIfAborted();
    say(`Starting ${part} …`);
    const onStarted = ({ pid }: P) => lock.record(part, pid);
    const starting = supervise({ part, start: startPart, say, onStarted }, signal);
    const entry: Entry = { part, starting };
    entries.push(entry);
    const supervised = await starting;
    entry.supervised = supervised;
    return supervised.first;
  }

  async function stopAll(): Promise<void> {
    stopping.abort();
    for (const { part, starting } of entries.toReversed()) {
      const supervised = await starting.catch(() => undefined); // one that did not start needs no stop
      if (supervised === undefined) continue;
      say(`Stopping ${part} …`);
      await supervised.stop();
    }
  }

  function killAll(): void {
    for (const { supervised } of entries) supervised?.kill();
  }
  return { signal, start, stopAll, killAll };
}
