// C3: many threads that run code at once, each with a Python of its own: how many calls the server gets through, how long
// one takes, and whether every answer has the number that its own thread has computed.
import { ENVIRONMENTS_FOLDER } from "../sandbox/environments-folder.ts";
import { makeEnvironment } from "../sandbox/python-environment.ts";
import { call, stream } from "./http-client.ts";
import type { Target } from "./http-client.ts";
import { createAssistant, inParallel, scripted } from "./load.ts";
import { familyMiB } from "./process-usage.ts";
import type { Report } from "./report.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";
import { percentile, range, sum } from "./stats.ts";

const ROUNDS = 3;
const THREADS = 50;
const CALLS = 2;
const ROWS = 2000;

interface Found {
  runsPerSecond: number;
  /** Of each run's first call, which begins a session, and of its second. */
  callMs: [first: number[], second: number[]];
  runMs: number[];
  wrong: number;
  /** Of the worker with its Pythons: with one session, and when all runs are done. */
  oneMiB: number;
  allMiB: number;
}

export async function measureSessions(): Promise<Report> {
  const python = await makeEnvironment({ folder: ENVIRONMENTS_FOLDER, say: console.error });
  const found: Found[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const settings = {
      CODE_INTERPRETER: "local",
      CODE_INTERPRETER_PYTHON: python,
      CODE_INTERPRETER_MAX_SESSIONS: `${THREADS + 1}`,
    };
    const stack = await startStack({ settings: () => settings });
    try {
      found.push(await measure(stack));
    } finally {
      await stack.stop();
    }
  }
  return toReport(found);
}

async function measure({ api, processes }: Stack): Promise<Found> {
  const assistant_id = await createAssistant(api, { tools: [{ type: "code_interpreter" }] });
  // The first session waits for the Python that all others are forked from.
  await timeCode(api, assistant_id, await createThread(api, 0), 0);
  const threads: string[] = [];
  await inParallel(8, THREADS, async (index) => (threads[index] = await createThread(api, index)));
  const memory = () => familyMiB(processes["worker"] ?? 0);
  const found: Found = { runsPerSecond: 0, callMs: [[], []], runMs: [], wrong: 0, oneMiB: memory(), allMiB: 0 };
  const ms = await inParallel(THREADS, THREADS, async (index) => {
    const run = await timeCode(api, assistant_id, threads[index] as string, index);
    found.runMs.push(run.ms);
    for (const [place, each] of found.callMs.entries()) each.push(run.callMs[place] ?? Number.NaN);
    if (!run.isRight) found.wrong += 1;
  });
  found.allMiB = memory();
  found.runsPerSecond = (THREADS * 1000) / ms;
  return found;
}

/** A thread whose run computes with a data frame, and then goes on with what that has left. */
async function createThread(api: Target, seed: number): Promise<string> {
  const first = `import pandas as pd
table = pd.DataFrame({"group": [n % 7 for n in range(${ROWS})], "value": [n + ${seed} for n in range(${ROWS})]})
sums = table.groupby("group")["value"].sum()
print(int(sums.sum()))`;
  const code = (source: string) => ({ tool_calls: [{ name: "code_interpreter", arguments: { code: source } }] });
  const content = scripted(code(first), code(`print(int(sums.sum()) + ${seed})`), { text: "Done." });
  const { id } = await call<{ id: string }>(api, "POST", "/threads", { messages: [{ role: "user", content }] });
  return id;
}

interface Step {
  type: string;
  step_details: { tool_calls: { code_interpreter: { outputs: { logs: string }[] } }[] };
}

/** Makes the run of such a thread. A call takes from the step's beginning to its end, as a client sees them. */
async function timeCode(api: Target, assistant_id: string, threadId: string, seed: number) {
  const callMs: number[] = [];
  const printed: string[] = [];
  let begunAt = Number.NaN;
  let isDone = false;
  const sentAt = performance.now();
  await stream(api, `/threads/${threadId}/runs`, { stream: true, assistant_id }, (event, data) => {
    if (event === "thread.run.step.created") begunAt = performance.now();
    else if (event === "thread.run.completed") isDone = true;
    else if (event === "thread.run.step.completed") {
      const step = JSON.parse(data) as Step;
      if (step.type !== "tool_calls") return;
      callMs.push(performance.now() - begunAt);
      printed.push(...step.step_details.tool_calls.flatMap((each) => each.code_interpreter.outputs.map(toText)));
    }
  });
  const total = sum(Array.from({ length: ROWS }, (_, n) => n + seed));
  const isRight = isDone && printed.join("") === `${total}\n${total + seed}\n`;
  if (!isRight) console.error(`A run on ${threadId} is wrong: done ${isDone}, printed ${JSON.stringify(printed)}`);
  return { ms: performance.now() - sentAt, callMs, isRight };
}

const toText = ({ logs }: { logs: string }): string => logs;

function toReport(found: readonly Found[]): Report {
  const wrong = sum(found.map((round) => round.wrong));
  const of = (value: (round: Found) => number, digits = 1) => range(found.map(value), digits);
  const row = (name: string, times: (round: Found) => number[]) => [
    name,
    of((round) => percentile(times(round), 0.5), 0),
    of((round) => percentile(times(round), 0.95), 0),
  ];
  return {
    name: "c3",
    title: "Fifty threads that run code at once",
    method:
      `${ROUNDS} rounds with a new server each: ${THREADS} threads, whose runs begin at the same moment. Each makes ${CALLS} ` +
      `calls of code: one that sums groups of a data frame of ${ROWS.toLocaleString("en")} rows in a new session, and one that goes on with its ` +
      `variables. The model answers at once. A call is timed in the run's stream, from the beginning of its step to its ` +
      `end. One worker with ${THREADS} sessions.`,
    goals: [
      {
        what: `answers (of ${ROUNDS * THREADS * CALLS}) that are missing or not those of their thread`,
        found: `${wrong}`,
        goal: "0",
        met: wrong === 0,
      },
    ],
    tables: [
      {
        title: "Throughput",
        columns: ["runs/s", "calls/s"],
        rows: [[of(({ runsPerSecond }) => runsPerSecond), of(({ runsPerSecond }) => CALLS * runsPerSecond)]],
      },
      {
        title: "Milliseconds, all at once",
        columns: ["", "p50", "p95"],
        rows: [
          row("first call, with a new session", ({ callMs: [first] }) => first),
          row("second call", ({ callMs: [, second] }) => second),
          row("run", ({ runMs }) => runMs),
        ],
      },
      {
        title: "Memory of the worker and its Pythons, MiB, what they share counted once",
        columns: ["with one session", `with ${THREADS} more, at rest`, "each"],
        rows: [
          [
            of(({ oneMiB }) => oneMiB, 0),
            of(({ allMiB }) => allMiB, 0),
            of(({ oneMiB, allMiB }) => (allMiB - oneMiB) / THREADS),
          ],
        ],
      },
    ],
  };
}
