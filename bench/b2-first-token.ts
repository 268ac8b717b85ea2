// B2: how long a user waits for the first piece of text, beyond what the model itself takes.
import type { oneActivity } from "./bare/workflows.ts";
import { BARE_QUEUE, startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";
import { createAssistant, createThreads, inParallel, scripted, timeChat, timeRun } from "./load.ts";
import { cpuBetween, readCpuTimes } from "./process-usage.ts";
import type { Report } from "./report.ts";
import { median, percentile, range } from "./stats.ts";

const SEQUENTIAL_ROUNDS = 5;
const SEQUENTIAL = 30;
const MAX_FIRST_TOKEN_MS = 25;

const BUSY_ROUNDS = 2;
const STREAMS = 50;
/** Each slot makes so many streams, one after the other. */
const STREAMS_PER_SLOT = 4;
const CHUNK_MS = 20;
const CHUNKS = 200;
const WARM_UP = 40;

/** Values by round. */
type Alone = Record<"ours" | "dispatch" | "proxy" | "model", number[][]>;
type Busy = Record<"ours" | "durable" | "proxy", number[][]>;

export async function measureFirstToken(): Promise<Report> {
  const stack = await startStack();
  try {
    const proxy = await stack.startProxy();
    await stack.startBareWorker();
    const assistant_id = await createAssistant(stack.api);
    const instant = scripted({ text: "Four." });
    const long = scripted({ text: "word", repeat: CHUNKS, chunk_ms: CHUNK_MS });
    const makeThreads = (count: number, content: string) => createThreads(stack.api, count, content);
    const timeOurs = async (threads: string[]) =>
      (await timeRun(stack.api, threads.pop() as string, { assistant_id })).firstDelta;

    const warmUp = await makeThreads(WARM_UP, instant);
    await inParallel(8, WARM_UP, () => timeOurs(warmUp));
    await inParallel(8, WARM_UP, () => timeChat(proxy, instant));
    await inParallel(8, WARM_UP, () => timeDispatch(stack));

    const othersAlone = watchOthers(stack);
    const alone: Alone = { ours: [], dispatch: [], proxy: [], model: [] };
    for (let round = 0; round < SEQUENTIAL_ROUNDS; round += 1) {
      const threads = await makeThreads(SEQUENTIAL, instant);
      alone.ours.push(await collect(SEQUENTIAL, () => timeOurs(threads)));
      alone.dispatch.push(await collect(SEQUENTIAL, () => timeDispatch(stack)));
      alone.proxy.push(await collect(SEQUENTIAL, () => timeChat(proxy, instant)));
      alone.model.push(await collect(SEQUENTIAL, () => timeChat(stack.model, instant)));
    }
    const others = { alone: othersAlone(), busy: Number.NaN };
    const othersBusy = watchOthers(stack);
    const busy: Busy = { ours: [], durable: [], proxy: [] };
    for (let round = 0; round < BUSY_ROUNDS; round += 1) {
      const threads = await makeThreads(STREAMS * STREAMS_PER_SLOT, long);
      busy.ours.push(await timeBusy(() => timeOurs(threads)));
      busy.durable.push(await timeBusy(async () => (await timeDispatch(stack)) + (await timeChat(proxy, long))));
      busy.proxy.push(await timeBusy(() => timeChat(proxy, long)));
    }
    others.busy = othersBusy();
    return toReport(alone, busy, others);
  } finally {
    await stack.stop();
  }
}

/** Milliseconds from starting a bare workflow until its activity begins: before that, no durable server asks a model. */
async function timeDispatch({ temporal }: Stack): Promise<number> {
  const startedAt = Date.now();
  const options = { workflowId: `bare-${crypto.randomUUID()}`, taskQueue: BARE_QUEUE };
  return (await temporal.workflow.execute<typeof oneActivity>("oneActivity", options)) - startedAt;
}

async function collect(count: number, time: () => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  await inParallel(1, count, async () => values.push(await time()));
  return values;
}

/** Keeps `STREAMS` streams open that begin evenly spread. Leaves out those that began before all were open. */
async function timeBusy(time: () => Promise<number>): Promise<number[]> {
  const lengthMs = CHUNKS * CHUNK_MS;
  const values: number[] = [];
  await inParallel(STREAMS, STREAMS, async (slot) => {
    await new Promise((resolve) => setTimeout(resolve, (slot * lengthMs) / STREAMS));
    for (let stream = 0; stream < STREAMS_PER_SLOT; stream += 1) {
      const ms = await time();
      if (stream > 0) values.push(ms);
    }
  });
  return values;
}

/** The returned function tells how many processors the rest of the machine has used since. */
function watchOthers({ processes }: Stack): () => number {
  const startedAt = performance.now();
  const before = readCpuTimes(processes);
  return () => (cpuBetween(before, readCpuTimes(processes))["others"] ?? 0) / (performance.now() - startedAt);
}

function toReport(alone: Alone, busy: Busy, others: { alone: number; busy: number }): Report {
  const across = (rounds: readonly number[][], p: number) => rounds.map((values) => percentile(values, p));
  const beyond = alone.ours.map((values, round) => percentile(values, 0.5) - percentile(alone.model[round] ?? [], 0.5));
  const row = (name: string, rounds: readonly number[][]) => [
    name,
    ...[0.5, 0.95, 0.99].map((p) => range(across(rounds, p))),
  ];
  return {
    name: "b2",
    title: "First token",
    method:
      `From sending the request (create a run, streamed) to the first \`thread.message.delta\`, with a model that ` +
      `answers at once. One at a time: ${SEQUENTIAL_ROUNDS} rounds of ${SEQUENTIAL}. Busy: ${STREAMS} streams of ` +
      `${CHUNKS} chunks at ${1000 / CHUNK_MS}/s open all the time, so ${(STREAMS * 1000) / (CHUNKS * CHUNK_MS)} new ones ` +
      `per second, ${BUSY_ROUNDS} rounds. The counterparts are a proxy of 30 lines that hands the model's stream on, and ` +
      `the same proxy asked only when the activity of a bare Temporal workflow has begun.`,
    goals: [
      {
        what: "first token p50 less the model's own, ms",
        found: range(beyond),
        goal: `≤ ${MAX_FIRST_TOKEN_MS}`,
        met: median(beyond) <= MAX_FIRST_TOKEN_MS,
      },
    ],
    tables: [
      {
        title: `One at a time, ms to the first token (rest of the machine: ${others.alone.toFixed(2)} processors in use)`,
        columns: ["", "p50", "p95", "p99"],
        rows: [
          row("ours", alone.ours),
          row("bare Temporal, until an activity begins", alone.dispatch),
          row("proxy", alone.proxy),
          row("model, asked directly", alone.model),
        ],
      },
      {
        title: `${STREAMS} streams open, ms to the first token (rest of the machine: ${others.busy.toFixed(2)})`,
        columns: ["", "p50", "p95", "p99"],
        rows: [row("ours", busy.ours), row("bare Temporal, then proxy", busy.durable), row("proxy", busy.proxy)],
      },
    ],
  };
}
