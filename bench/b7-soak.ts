// B7: soak. Hours of mixed work, pressed into minutes: nothing may grow but what users have stored.
import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { janitorScheduleId } from "../worker/janitor-schedule.ts";
import { call, stream } from "./http-client.ts";
import { createAssistant, scripted } from "./load.ts";
import { rssMiB } from "./process-usage.ts";
import type { Report } from "./report.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";

const WINDOWS = 12;
const WINDOW_MS = 50_000;
const CONCURRENCY = 8;
/** The first windows warm up: caches fill, the heap finds its size. */
const WARM_WINDOWS = 4;
const SETTLE_MS = 5000;
const MAX_GROWTH = 1.1;
/** What the pools of API and worker may open by their defaults, the connections for events, and two of the benchmark. */
const MAX_CONNECTIONS = 44;

const tool = { type: "function", function: { name: "ask", parameters: { type: "object", properties: {} } } };
const ask = (question: string) => ({ tool_calls: [{ name: "ask", arguments: { question } }] });
const CONVERSATIONS = {
  plain: scripted({ text: "Four." }),
  long: scripted({ text: "word ", repeat: 300, chunk_ms: 5 }),
  functions: scripted(ask("which?"), ask("and then?"), { text: "That one." }),
  cancelled: scripted({ text: "word ", repeat: 1000, chunk_ms: 20 }),
};
type Kind = keyof typeof CONVERSATIONS;
/** Half of the runs are plain. */
const MIX: readonly Kind[] = ["plain", "long", "plain", "functions", "plain", "cancelled", "plain", "functions"];

interface Window {
  runs: number;
  /** MiB by process. */
  memory: Record<string, number>;
  /** Open files and sockets by process. */
  handles: Record<string, number>;
  connections: number;
  /** MiB of the tables that hold events. */
  eventTables: number;
}

export async function measureSoak(): Promise<Report> {
  const stack = await startStack();
  try {
    const assistant_id = await createAssistant(stack.api, { tools: [tool] });
    const windows: Window[] = [];
    for (let window = 0; window < WINDOWS; window += 1) {
      const runs = await work(stack, assistant_id);
      await letADayPass(stack);
      await sleep(SETTLE_MS);
      windows.push({ runs, ...(await look(stack)) });
    }
    const { rows } = await stack.db.query<{ status: string; count: number }>(
      "select status, count(*)::int as count from runs group by 1 order by 1",
    );
    return toReport(windows, rows);
  } finally {
    await stack.stop();
  }
}

/** Keeps some runs under way for a while. Returns how many there were. */
async function work(stack: Stack, assistant_id: string): Promise<number> {
  const until = performance.now() + WINDOW_MS;
  let runs = 0;
  async function slot(): Promise<void> {
    while (performance.now() < until) {
      const kind = MIX[runs % MIX.length] as Kind;
      runs += 1;
      await converse(stack, assistant_id, kind);
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, slot));
  return runs;
}

interface RunSeen {
  id: string;
  thread_id: string;
  required_action?: { submit_tool_outputs: { tool_calls: { id: string }[] } } | null;
}

/** A thread with one run that is followed to its end. */
async function converse({ api }: Stack, assistant_id: string, kind: Kind): Promise<void> {
  const thread = { messages: [{ role: "user", content: CONVERSATIONS[kind] }] };
  let path = "/threads/runs";
  let body: object = { assistant_id, thread, stream: true };
  for (let next: RunSeen | undefined; ;) {
    next = undefined;
    await stream(api, path, body, (event, data) => {
      if (event === "thread.run.requires_action") next = JSON.parse(data) as RunSeen;
      if (event === "thread.run.in_progress" && kind === "cancelled") void cancel(JSON.parse(data) as RunSeen);
    });
    const waiting = next as RunSeen | undefined;
    if (waiting === undefined) return;
    const calls = waiting.required_action?.submit_tool_outputs.tool_calls ?? [];
    path = `/threads/${waiting.thread_id}/runs/${waiting.id}/submit_tool_outputs`;
    body = { stream: true, tool_outputs: calls.map(({ id }) => ({ tool_call_id: id, output: "this one" })) };
  }

  async function cancel({ id, thread_id }: RunSeen): Promise<void> {
    await call(api, "POST", `/threads/${thread_id}/runs/${id}/cancel`);
  }
}

/** As if a day had gone by since the runs have ended: the janitor takes their events away. */
async function letADayPass({ db, temporal }: Stack): Promise<void> {
  await db.query("update runs set events_until = now() where events_until is not null");
  await temporal.schedule.getHandle(janitorScheduleId("durable-assistants")).trigger();
  for (let left = 1; left > 0; await sleep(200)) {
    const { rows } = await db.query<{ left: number }>("select count(*)::int as left from run_events");
    left = rows[0]?.left ?? 0;
  }
  await db.query("vacuum run_events, run_deltas, run_cursors, runs"); // what autovacuum does in a day
}

async function look({ db, processes }: Stack): Promise<Omit<Window, "runs">> {
  const { client: _ours, postgres: _shared, ...parts } = processes;
  const of = (figure: (pid: number) => number) =>
    Object.fromEntries(Object.entries(parts).map(([part, pid]) => [part, figure(pid)]));
  const { rows } = await db.query<{ connections: number; mib: number }>(
    `select (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as connections,
       (pg_total_relation_size('run_events') + pg_total_relation_size('run_deltas')
         + pg_total_relation_size('run_cursors')) / 1048576.0 as mib`,
  );
  return {
    memory: of(rssMiB),
    handles: of((pid) => readdirSync(`/proc/${pid}/fd`).length),
    connections: rows[0]?.connections ?? Number.NaN,
    eventTables: Number(rows[0]?.mib),
  };
}

function toReport(windows: readonly Window[], statuses: readonly { status: string; count: number }[]): Report {
  const warm = windows.slice(WARM_WINDOWS);
  // A heap breathes: what grows has a higher top in the second half.
  const half = warm.length / 2;
  const growth = (of: (window: Window) => number) =>
    Math.max(...warm.slice(half).map(of)) / Math.max(...warm.slice(0, half).map(of));
  const figures: [what: string, of: (window: Window) => number, digits: number][] = [
    ...["api", "worker"].flatMap((part): [string, (window: Window) => number, number][] => [
      [`memory of the ${part}, MiB`, ({ memory }) => memory[part] ?? Number.NaN, 0],
      [`open files and sockets of the ${part}`, ({ handles }) => handles[part] ?? Number.NaN, 0],
    ]),
    ["tables of events, MiB", ({ eventTables }) => eventTables, 1],
  ];
  const most = Math.max(...windows.map(({ connections }) => connections));
  const total = windows.reduce((sum, { runs }) => sum + runs, 0);
  const ended = statuses.map(({ status, count }) => `${count} ${status}`).join(", ");
  return {
    name: "b7",
    title: "Soak",
    method:
      `${total.toLocaleString("en")} mixed runs (half of them plain; long streams, rounds of functions, cancels), ` +
      `${CONCURRENCY} at a time, in ${WINDOWS} windows of ${WINDOW_MS / 1000} s; they ended as ${ended}. After each window ` +
      `a day is made to pass, so that the janitor has its work, and everything is looked at once it rests. Growth is the ` +
      `highest figure of the second half of the windows behind a warm-up of ${WARM_WINDOWS} over that of the first half.`,
    goals: [
      ...figures.map(([what, of]) => ({
        what: `growth of ${what}`,
        found: growth(of).toFixed(2),
        goal: `≤ ${MAX_GROWTH}`,
        met: growth(of) <= MAX_GROWTH,
      })),
      {
        what: "most connections to Postgres",
        found: String(most),
        goal: `≤ ${MAX_CONNECTIONS}`,
        met: most <= MAX_CONNECTIONS,
      },
    ],
    tables: [
      {
        title: "After each window",
        columns: ["", ...windows.map((_, index) => String(index + 1))],
        rows: [
          ["runs", ...windows.map(({ runs }) => String(runs))],
          ...figures.map(([what, of, digits]) => [what, ...windows.map((window) => of(window).toFixed(digits))]),
          ["connections to Postgres", ...windows.map(({ connections }) => String(connections))],
          ["memory of Temporal, MiB", ...windows.map(({ memory }) => (memory["temporal"] ?? Number.NaN).toFixed(0))],
        ],
      },
    ],
  };
}
