// B4: runs that wait for the output of a function call. What thousands of them cost while they wait, and that each ends.
import { setTimeout as sleep } from "node:timers/promises";
import type { WorkflowHandle } from "@temporalio/client";
import { parked, wake } from "./bare/workflows.ts";
import { stream } from "./http-client.ts";
import { createAssistant, createThreads, inParallel, scripted } from "./load.ts";
import { cpuBetween, readCpuTimes, rssMiB } from "./process-usage.ts";
import type { Report } from "./report.ts";
import { BARE_QUEUE, startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";

const PARKED = 10_000;
const BARE_PARKED = 500;
const CONCURRENCY = 20;
const WARM_UP = 200;
/** Until what the databases do behind has ended, and how long the processes are watched then. */
const SETTLE_MS = 10_000;
const IDLE_MS = 10_000;
const QUIET_CORES = 0.05;
const QUIET_POLL_MS = 1000;
const QUIET_DEADLINE_MS = 60_000;

const MEASURED = ["worker", "api", "temporal"] as const;
type Memory = Record<string, number>;

interface Waiting {
  threadId: string;
  runId: string;
  callId: string;
}

const tool = { type: "function", function: { name: "ask", parameters: { type: "object", properties: {} } } };
const content = scripted({ tool_calls: [{ name: "ask", arguments: { question: "which?" } }] }, { text: "That one." });

export async function measureParked(): Promise<Report> {
  const stack = await startStack({ settings: () => ({ RUN_EXPIRES_AFTER_SECONDS: "7200" }) });
  try {
    await stack.startBareWorker();
    const assistant_id = await createAssistant(stack.api, { tools: [tool] });
    await answerAll(stack, await park(stack, assistant_id, WARM_UP));

    const before = await readMemory(stack);
    const startedAt = performance.now();
    const waiting = await park(stack, assistant_id, PARKED);
    const parkedMs = performance.now() - startedAt;
    const during = await readMemory(stack);
    const idle = await watchIdle(stack);
    const answered = await answerAll(stack, waiting);
    const after = await readMemory(stack);
    const left = await stack.db.query("select status, count(*)::int as runs from runs group by 1 order by 1");
    const bare = await measureBare(stack);
    return toReport({ parkedMs, memory: [before, during, after], idle, answered, left: left.rows as Left[], bare });
  } finally {
    await stack.stop();
  }
}

/** Makes runs and follows each until it waits. */
async function park({ api }: Stack, assistant_id: string, count: number): Promise<Waiting[]> {
  const threads = await createThreads(api, count, content);
  const waiting: Waiting[] = [];
  await inParallel(CONCURRENCY, count, async (index) => {
    const threadId = threads[index] as string;
    await stream(api, `/threads/${threadId}/runs`, { stream: true, assistant_id }, (event, data) => {
      if (event !== "thread.run.requires_action") return;
      const run = JSON.parse(data) as {
        id: string;
        required_action: { submit_tool_outputs: { tool_calls: { id: string }[] } };
      };
      const [call] = run.required_action.submit_tool_outputs.tool_calls;
      waiting.push({ threadId, runId: run.id, callId: call?.id as string });
    });
  });
  return waiting;
}

/** Answers every run and follows it to its end. */
async function answerAll({ api }: Stack, waiting: readonly Waiting[]): Promise<{ completed: number; ms: number }> {
  let completed = 0;
  const ms = await inParallel(CONCURRENCY, waiting.length, async (index) => {
    const { threadId, runId, callId } = waiting[index] as Waiting;
    const body = { stream: true, tool_outputs: [{ tool_call_id: callId, output: "this one" }] };
    await stream(api, `/threads/${threadId}/runs/${runId}/submit_tool_outputs`, body, (event) => {
      if (event === "thread.run.completed") completed += 1;
    });
  });
  return { completed, ms };
}

interface Bare {
  startMs: number;
  answerMs: number;
  memory: [Memory, Memory];
}

async function measureBare(stack: Stack): Promise<Bare> {
  const before = await readMemory(stack);
  const handles: WorkflowHandle<typeof parked>[] = [];
  const startedAt = performance.now();
  await inParallel(CONCURRENCY, BARE_PARKED, async () => {
    const workflowId = `bare-${crypto.randomUUID()}`;
    handles.push(await stack.temporal.workflow.start(parked, { workflowId, taskQueue: BARE_QUEUE }));
  });
  const startMs = (await untilQuiet(stack)) - startedAt;
  const during = await readMemory(stack);
  const answerMs = await inParallel(CONCURRENCY, BARE_PARKED, async (index) => {
    await handles[index]?.signal(wake);
    await handles[index]?.result();
  });
  return { startMs, answerMs, memory: [before, during] };
}

/** Memory in MiB, once nothing is going on any more. */
async function readMemory(stack: Stack): Promise<Memory> {
  await untilQuiet(stack);
  const { postgres: _shared, client: _ours, ...processes } = stack.processes;
  return Object.fromEntries(Object.entries(processes).map(([part, pid]) => [part, rssMiB(pid)]));
}

/** Waits until Temporal has next to nothing to do. Returns the moment at which that began. */
async function untilQuiet({ processes }: Stack): Promise<number> {
  const deadline = performance.now() + QUIET_DEADLINE_MS;
  for (let before = readCpuTimes(processes); ;) {
    const from = performance.now();
    await sleep(QUIET_POLL_MS);
    const now = readCpuTimes(processes);
    const { temporal = 0 } = cpuBetween(before, now);
    before = now;
    if (temporal / QUIET_POLL_MS < QUIET_CORES) return from;
    if (from > deadline) throw new Error("the work does not come to rest");
  }
}

/** Percent of one core by process. */
async function watchIdle({ processes }: Stack): Promise<Record<string, number>> {
  await sleep(SETTLE_MS);
  const before = readCpuTimes(processes);
  await sleep(IDLE_MS);
  const used = Object.entries(cpuBetween(before, readCpuTimes(processes)));
  return Object.fromEntries(used.map(([part, ms]) => [part, (ms / IDLE_MS) * 100]));
}

interface Left {
  status: string;
  runs: number;
}

interface Found {
  parkedMs: number;
  memory: [Memory, Memory, Memory];
  idle: Record<string, number>;
  answered: { completed: number; ms: number };
  left: Left[];
  bare: Bare;
}

function toReport({ parkedMs, memory, idle, answered, left, bare }: Found): Report {
  const [before, during, after] = memory;
  const mib = (of: Memory, part: string) => (of[part] ?? 0).toFixed(0);
  const perThousand = (from: Memory, to: Memory, part: string, count: number) =>
    ((((to[part] ?? 0) - (from[part] ?? 0)) * 1000) / count).toFixed(0);
  const rate = (count: number, ms: number) => ((count * 1000) / ms).toFixed(1);
  return {
    name: "b4",
    title: `${PARKED} runs that wait`,
    method:
      `${PARKED} runs whose model calls a function, made ${CONCURRENCY} at a time after a warm-up of ${WARM_UP}; then ` +
      `nothing for a while; then all are answered, ${CONCURRENCY} at a time, and followed to their end. The counterpart is ` +
      `${BARE_PARKED} workflows: a no-op activity, a signal that is waited for, a no-op activity.`,
    goals: [
      {
        what: "runs that completed after they were answered",
        found: `${answered.completed} of ${PARKED}`,
        goal: `${PARKED}`,
        met: answered.completed === PARKED && left.length === 1,
      },
    ],
    tables: [
      {
        title: "Memory in MiB, and CPU while all wait",
        columns: [
          "",
          "before",
          "all waiting",
          "all answered",
          "MiB per 1000 waiting",
          "CPU, % of a core",
          "bare: MiB per 1000",
        ],
        rows: MEASURED.map((part) => [
          part,
          mib(before, part),
          mib(during, part),
          mib(after, part),
          perThousand(before, during, part, PARKED),
          (idle[part] ?? 0).toFixed(1),
          part === "api" ? "" : perThousand(...bare.memory, part === "worker" ? "bare worker" : part, BARE_PARKED),
        ]).concat([["postgres", "", "", "", "", (idle["postgres"] ?? 0).toFixed(1), ""]]),
      },
      {
        title: "Runs per second",
        columns: ["", "ours", "bare"],
        rows: [
          ["until they wait", rate(PARKED, parkedMs), rate(BARE_PARKED, bare.startMs)],
          ["answered until completed", rate(PARKED, answered.ms), rate(BARE_PARKED, bare.answerMs)],
        ],
      },
    ],
  };
}
