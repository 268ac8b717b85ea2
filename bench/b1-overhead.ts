// B1: what a plain run costs beyond the least that Temporal can do, a workflow with one activity that does nothing.
import { createAssistant, createThreads, inParallel, scripted, timeRun } from "./load.ts";
import type { RunTimes } from "./load.ts";
import { measure, timeBare } from "./phase.ts";
import type { Phase, Round } from "./phase.ts";
import type { Report, Table } from "./report.ts";
import { startStack } from "./stack.ts";
import { countWork } from "./statements.ts";
import type { Work } from "./statements.ts";
import { median, percentile, range, sum } from "./stats.ts";

const ROUNDS = 5;
const SEQUENTIAL = 30;
const CONCURRENCY = 20;
const CONCURRENT = 200;
const WARM_UP = 40;
const MAX_LATENCY_RATIO = 1.5;
const MIN_THROUGHPUT_RATIO = 0.7;
const MOST_STATEMENTS = 25;

export async function measureOverhead(): Promise<Report> {
  const stack = await startStack();
  try {
    await stack.startBareWorker();
    const assistant_id = await createAssistant(stack.api);
    const content = scripted({ text: "Four." });
    const threads = await createThreads(stack.api, WARM_UP + ROUNDS * (SEQUENTIAL + CONCURRENT), content);
    const stages: RunTimes[] = [];
    const run = async () => {
      const times = await timeRun(stack.api, threads.pop() as string, { assistant_id });
      stages.push(times);
      return times.completed;
    };
    const bare = () => timeBare(stack);
    await inParallel(CONCURRENCY, WARM_UP, run);
    await inParallel(CONCURRENCY, WARM_UP, bare);

    const rounds: Round[] = [];
    const work: Work[] = [];
    const sequentialStages: RunTimes[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      stages.length = 0;
      const workDone = await countWork(stack.db);
      const ours = await measure(stack, 1, SEQUENTIAL, run);
      work.push(await workDone());
      sequentialStages.push(...stages);
      rounds.push({
        ours,
        bare: await measure(stack, 1, SEQUENTIAL, bare),
        oursBusy: await measure(stack, CONCURRENCY, CONCURRENT, run),
        bareBusy: await measure(stack, CONCURRENCY, CONCURRENT, bare),
      });
    }
    return toReport(rounds, sequentialStages, work);
  } finally {
    await stack.stop();
  }
}

function toReport(rounds: readonly Round[], stages: readonly RunTimes[], work: readonly Work[]): Report {
  const p50 = (phase: Phase) => percentile(phase.latencies, 0.5);
  const latencyRatios = rounds.map(({ ours, bare }) => p50(ours) / p50(bare));
  const throughputRatios = rounds.map(({ oursBusy, bareBusy }) => oursBusy.perSecond / bareBusy.perSecond);
  return {
    name: "b1",
    title: "Overhead of a plain run",
    method:
      `A run on a thread with one message, the model's answer instant, followed through its stream (no polling): from ` +
      `the request to \`thread.run.completed\`. The counterpart is a workflow with one no-op activity on the same ` +
      `Temporal server, with a worker of its own, started and awaited with \`@temporalio/client\`. ${ROUNDS} rounds of ` +
      `${SEQUENTIAL} one after the other and ${CONCURRENT} at concurrency ${CONCURRENCY}.`,
    goals: [
      {
        what: "latency p50, one at a time: ours / bare",
        found: range(latencyRatios, 2),
        goal: `≤ ${MAX_LATENCY_RATIO}`,
        met: median(latencyRatios) <= MAX_LATENCY_RATIO,
      },
      {
        what: `throughput at concurrency ${CONCURRENCY}: ours / bare`,
        found: range(throughputRatios, 2),
        goal: `≥ ${MIN_THROUGHPUT_RATIO}`,
        met: median(throughputRatios) >= MIN_THROUGHPUT_RATIO,
      },
    ],
    tables: [latencyTable(rounds), stageTable(stages), cpuTable(rounds), workTable(work), ...statementTable(work)],
  };
}

function latencyTable(rounds: readonly Round[]): Table {
  const row = (name: string, of: (round: Round) => Phase) => [
    name,
    range(rounds.map((round) => percentile(of(round).latencies, 0.5))),
    range(rounds.map((round) => percentile(of(round).latencies, 0.95))),
    range(rounds.map((round) => of(round).perSecond)),
  ];
  return {
    title: "Latency in ms, and runs per second",
    columns: ["", "p50", "p95", "per second"],
    rows: [
      row("ours, one at a time", (round) => round.ours),
      row("bare, one at a time", (round) => round.bare),
      row(`ours, ${CONCURRENCY} at once`, (round) => round.oursBusy),
      row(`bare, ${CONCURRENCY} at once`, (round) => round.bareBusy),
    ],
  };
}

function stageTable(stages: readonly RunTimes[]): Table {
  const names = { accepted: "2xx", inProgress: "in_progress", firstDelta: "first delta", completed: "completed" };
  return {
    title: "Where a run is after how many ms, one at a time",
    columns: ["seen by the client", "p50", "p95"],
    rows: Object.entries(names).map(([stage, name]) => {
      const values = stages.map((times) => times[stage as keyof RunTimes]);
      return [name, percentile(values, 0.5).toFixed(1), percentile(values, 0.95).toFixed(1)];
    }),
  };
}

function cpuTable(rounds: readonly Round[]): Table {
  const parts = ["temporal", "postgres", "worker", "api", "model", "client", "bare worker", "others"];
  const cpu = (of: (round: Round) => Phase, part: string) => range(rounds.map((round) => of(round).cpu[part] ?? 0));
  const total = (of: (round: Round) => Phase) =>
    range(
      rounds.map((round) => sum(parts.filter((part) => part !== "others").map((part) => of(round).cpu[part] ?? 0))),
    );
  return {
    title: "CPU ms per run by process (others: the rest of the machine)",
    columns: ["", "ours, one at a time", "bare", `ours, ${CONCURRENCY} at once`, "bare"],
    rows: [
      ...parts.map((part) => [
        part,
        cpu((round) => round.ours, part),
        cpu((round) => round.bare, part),
        cpu((round) => round.oursBusy, part),
        cpu((round) => round.bareBusy, part),
      ]),
      [
        "all but others",
        total((round) => round.ours),
        total((round) => round.bare),
        total((round) => round.oursBusy),
        total((round) => round.bareBusy),
      ],
    ],
  };
}

function workTable(work: readonly Work[]): Table {
  const perRun = (of: (done: Work) => number, digits = 1) =>
    range(
      work.map((done) => of(done) / SEQUENTIAL),
      digits,
    );
  return {
    title: "What Postgres does per run, one at a time",
    columns: ["", "per run"],
    rows: [
      ["statements", perRun((done) => sum(done.statements.map((statement) => statement.calls)))],
      ["of which begin and commit", perRun((done) => callsOf(done, /^(begin|commit)$/i))],
      ["transactions that write", perRun((done) => done.writes)],
      ["execution, ms", perRun((done) => sum(done.statements.map((statement) => statement.ms)), 2)],
      ["WAL, KiB", perRun((done) => done.walBytes / 1024)],
    ],
  };
}

function callsOf({ statements }: Work, query: RegExp): number {
  return sum(statements.filter((statement) => query.test(statement.query)).map((statement) => statement.calls));
}

/** Those of the last round, for whoever wants to make runs cheaper. */
function statementTable(work: readonly Work[]): Table[] {
  const statements = work.at(-1)?.statements ?? [];
  return [
    {
      title: "Statements, the most expensive first",
      columns: ["statement", "calls per run", "ms per run"],
      rows: statements
        .slice(0, MOST_STATEMENTS)
        .map(({ query, calls, ms }) => [
          query.replaceAll("|", " ").slice(0, 90),
          (calls / SEQUENTIAL).toFixed(2),
          (ms / SEQUENTIAL).toFixed(3),
        ]),
    },
  ];
}
