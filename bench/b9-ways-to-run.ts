// B9: the ways to run the same parts. What a plain run takes with API and worker in one process or in their own, with more
// workers, and with Temporal on Postgres in place of its development server.
import { createAssistant, createThreads, inParallel, scripted, timeRun } from "./load.ts";
import { measure, timeBare } from "./phase.ts";
import type { Phase, Round } from "./phase.ts";
import type { Report, Table } from "./report.ts";
import { startStack } from "./stack.ts";
import type { StackOptions } from "./stack.ts";
import { percentile, range, sum } from "./stats.ts";

const ROUNDS = 3;
const SEQUENTIAL = 40;
const CONCURRENCY = 20;
const CONCURRENT = 300;
const WARM_UP = 60;

const WAYS: Readonly<Record<string, StackOptions>> = {
  "API and worker apart": {},
  "in one process": { oneProcess: true },
  "2 workers": { workers: 2 },
  "4 workers": { workers: 4 },
  "Temporal on Postgres": { temporalOn: "postgres" },
};

export async function measureWaysToRun(): Promise<Report> {
  const found = new Map<string, Round[]>(Object.keys(WAYS).map((way) => [way, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [way, options] of Object.entries(WAYS)) found.get(way)?.push(await measureWay(options));
  }
  return toReport(found);
}

async function measureWay(options: StackOptions): Promise<Round> {
  const stack = await startStack(options);
  try {
    await stack.startBareWorker();
    const assistant_id = await createAssistant(stack.api);
    const threads = await createThreads(stack.api, WARM_UP + SEQUENTIAL + CONCURRENT, scripted({ text: "Four." }));
    const run = async () => (await timeRun(stack.api, threads.pop() as string, { assistant_id })).completed;
    const bare = () => timeBare(stack);
    await inParallel(CONCURRENCY, WARM_UP, run);
    await inParallel(CONCURRENCY, WARM_UP, bare);
    return {
      ours: await measure(stack, 1, SEQUENTIAL, run),
      bare: await measure(stack, 1, SEQUENTIAL, bare),
      oursBusy: await measure(stack, CONCURRENCY, CONCURRENT, run),
      bareBusy: await measure(stack, CONCURRENCY, CONCURRENT, bare),
    };
  } finally {
    await stack.stop();
  }
}

function toReport(found: ReadonlyMap<string, readonly Round[]>): Report {
  return {
    name: "b9",
    title: "Ways to run it",
    method:
      `Plain runs as in B1, ${SEQUENTIAL} one after the other and ${CONCURRENT} at concurrency ${CONCURRENCY}, with each way ` +
      `started anew in each of ${ROUNDS} rounds. Load and all parts share the same processors: more workers can only help as ` +
      `far as one of them was waiting. Temporal on Postgres is one server process with four shards, in the same Postgres as ` +
      `everything else.`,
    goals: [],
    tables: [latencyTable(found), cpuTable(found)],
  };
}

function latencyTable(found: ReadonlyMap<string, readonly Round[]>): Table {
  const p50 = (phase: Phase) => percentile(phase.latencies, 0.5);
  return {
    title: "Latency one at a time, p50 in ms, and runs per second at concurrency 20",
    columns: ["", "ours, ms", "bare, ms", "ours / bare", "ours, per second", "bare, per second", "ours / bare"],
    rows: [...found].map(([way, rounds]) => [
      way,
      range(rounds.map(({ ours }) => p50(ours))),
      range(rounds.map(({ bare }) => p50(bare))),
      range(
        rounds.map(({ ours, bare }) => p50(ours) / p50(bare)),
        2,
      ),
      range(rounds.map(({ oursBusy }) => oursBusy.perSecond)),
      range(rounds.map(({ bareBusy }) => bareBusy.perSecond)),
      range(
        rounds.map(({ oursBusy, bareBusy }) => oursBusy.perSecond / bareBusy.perSecond),
        2,
      ),
    ]),
  };
}

function cpuTable(found: ReadonlyMap<string, readonly Round[]>): Table {
  const used = (phase: Phase, part: RegExp) =>
    sum(Object.entries(phase.cpu).flatMap(([name, ms]) => (part.test(name) ? [ms] : [])));
  const parts = {
    temporal: /^temporal$/,
    postgres: /^postgres$/,
    workers: /^worker/,
    api: /^api$/,
    others: /^others$/,
  };
  return {
    title: "CPU ms per run at concurrency 20 (others: the rest of the machine; one process counts as the API's)",
    columns: ["", ...Object.keys(parts)],
    rows: [...found].map(([way, rounds]) => [
      way,
      ...Object.values(parts).map((part) => range(rounds.map(({ oursBusy }) => used(oursBusy, part)))),
    ]),
  };
}
