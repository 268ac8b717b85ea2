// Keeps the API and worker processes of a stack, as whoever looks after processes does: what ends is replaced, and what
// cannot start, since a server is away, is started again.
import type { NodeChild } from "../../../embedded/node-child.ts";
import type { Stack } from "../../support/stack.ts";
import { waitUntil } from "../../support/wait-until.ts";
import { SEED_VARIABLE } from "../failpoints/failpoint.ts";
import type { Random } from "./random.ts";

/** Longer than any server is away. */
const START_MS = 180_000;

export interface Keeper {
  /** Base URLs of every place where an API process is, or was and will be again. */
  urls: readonly string[];
  /** Kills an API process with -9 and starts another in its place. */
  replaceApi(index: number): Promise<void>;
  /** Ends an API process in order and starts another in its place. */
  rollApi(index: number): Promise<void>;
  replaceWorker(index: number): Promise<void>;
  rollWorker(index: number): Promise<void>;
  /** Resolves when there are as many workers as there should be: each that dies, of whatever, is replaced. */
  fillWorkers(): Promise<void>;
  /** From here on nothing is replaced. */
  leave(): Promise<void>;
}

interface Wanted {
  apis: number;
  workers: number;
  /** What the processes make their own choices from. */
  random: Random;
}

export async function keepProcesses(stack: Stack, { apis, workers, random }: Wanted): Promise<Keeper> {
  const choicesOfApis = random.fork();
  const choicesOfWorkers = random.fork();
  const restarts = new Map<string, Promise<void>>();
  let filled = Promise.resolve();
  let isLeft = false;

  function startApi(port: number): Promise<NodeChild> {
    const settings = toSeed(choicesOfApis);
    return untilStarted(() => stack.startApi(port, settings));
  }
  /** One after the other for each place, since there is only one port. */
  function restartApi(index: number, end: (api: NodeChild) => Promise<void>): Promise<void> {
    const url = urls[index % urls.length] as string;
    const restarted = (restarts.get(url) ?? Promise.resolve()).then(async () => {
      const api = stack.apis.find((running) => running.url === url);
      if (api !== undefined) await end(api);
      await startApi(Number(new URL(url).port));
    });
    restarts.set(url, restarted);
    return restarted;
  }

  async function startWorker(): Promise<void> {
    const settings = toSeed(choicesOfWorkers);
    const worker = await untilStarted(() => stack.startWorker(settings));
    void worker.exited.then(() => fillWorkers().catch(() => undefined));
  }
  /** One after the other, so that two who miss the same worker do not start two. */
  function fillWorkers(): Promise<void> {
    filled = filled.then(async () => {
      const missing = isLeft ? 0 : workers - stack.workers.length;
      await Promise.all(Array.from({ length: missing }, startWorker));
    });
    return filled;
  }
  async function restartWorker(index: number, end: (worker: NodeChild) => Promise<void>): Promise<void> {
    const worker = stack.workers[index % Math.max(stack.workers.length, 1)];
    if (worker !== undefined) await end(worker);
    await fillWorkers();
  }

  const [started] = await Promise.all([Promise.all(Array.from({ length: apis }, () => startApi(0))), fillWorkers()]);
  const urls = started.map(({ url }) => url as string);
  return {
    urls,
    replaceApi: (index) => restartApi(index, killed),
    rollApi: (index) => restartApi(index, (api) => api.stop()),
    replaceWorker: (index) => restartWorker(index, killed),
    rollWorker: (index) => restartWorker(index, (worker) => worker.stop()),
    fillWorkers,
    async leave() {
      isLeft = true;
      await filled.catch(() => undefined);
    },
  };
}

function toSeed(random: Random): Record<string, string> {
  return { [SEED_VARIABLE]: String(random.int(0, 2 ** 31)) };
}

function untilStarted(start: () => Promise<NodeChild>): Promise<NodeChild> {
  return waitUntil("a process is started", () => start().catch(() => undefined), START_MS);
}

async function killed(child: NodeChild): Promise<void> {
  child.kill();
  await child.exited;
}
