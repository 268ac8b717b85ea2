// B3: many streams at once. How late each token is, what it costs, and that none is lost.
import { setTimeout as sleep } from "node:timers/promises";
import { call, stream } from "./http-client.ts";
import { createAssistant, createThreads, scripted, timeChat } from "./load.ts";
import { cpuBetween, readCpuTimes, rssMiB } from "./process-usage.ts";
import type { Report } from "./report.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";
import { median, percentile, range, sum } from "./stats.ts";

const ROUNDS = 2;
const STREAMS = 200;
const CHUNK_MS = 20;
/** Time over which the streams begin, and time during which all are open. */
const RAMP_MS = 10_000;
const WINDOW_MS = 12_000;
/** Allowance for the start of the last ones. */
const SLACK_MS = 3000;
const MAX_P50_MS = 30;
const MAX_P99_MS = 80;
const MAX_CPU_RATIO = 2;
const CHUNKS = (RAMP_MS + WINDOW_MS + SLACK_MS) / CHUNK_MS;

/** Each chunk of the answer is the moment at which the model sent it, in milliseconds of Unix time. */
const STAMPED = scripted({ text: "0000000000000 ", repeat: CHUNKS, chunk_chars: 14, chunk_ms: CHUNK_MS, stamp: true });

interface Arrival {
  at: number;
  data: string;
}

/** One round of one side. */
interface Load {
  /** How old each token was when the client had it, for tokens that arrived while all streams were open. */
  delaysMs: number[];
  /** Percent of one core, by process, while all streams were open. */
  cpu: Record<string, number>;
  /** MiB by process. */
  memory: Record<string, number>;
  tokens: number;
  /** Streams whose text was not exactly what was sent or stored. */
  broken: number;
}

export async function measureStreams(): Promise<Report> {
  const stack = await startStack();
  try {
    const proxy = await stack.startProxy();
    const assistant_id = await createAssistant(stack.api);
    const ours: Load[] = [];
    const bare: Load[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const threads = await createThreads(stack.api, STREAMS, STAMPED);
      ours.push(await load(stack, (slot, arrive) => followRun(stack, threads[slot] as string, assistant_id, arrive)));
      bare.push(
        await load(stack, async (_slot, arrive) => {
          await timeChat(proxy, STAMPED, arrive);
          return undefined;
        }),
      );
    }
    return toReport(ours, bare);
  } finally {
    await stack.stop();
  }
}

/** Follows a run to its end. Returns the message that was stored. */
async function followRun(
  { api }: Stack,
  threadId: string,
  assistant_id: string,
  arrive: (data: string) => void,
): Promise<string | undefined> {
  await stream(api, `/threads/${threadId}/runs`, { stream: true, assistant_id }, (event, data) => {
    if (event === "thread.message.delta") arrive(data);
  });
  const path = `/threads/${threadId}/messages?limit=1`;
  const { data } = await call<{ data: { content: { text: { value: string } }[] }[] }>(api, "GET", path);
  return data[0]?.content[0]?.text.value ?? "";
}

async function load(
  stack: Stack,
  open: (slot: number, arrive: (data: string) => void) => Promise<string | undefined>,
): Promise<Load> {
  const arrivals = Array.from({ length: STREAMS }, (): Arrival[] => []);
  const streams = arrivals.map(async (kept, slot) => {
    await sleep((slot * RAMP_MS) / STREAMS);
    return open(slot, (data) => kept.push({ at: Date.now(), data }));
  });
  await sleep(RAMP_MS + SLACK_MS / 2);
  const from = Date.now();
  const before = readCpuTimes(stack.processes);
  await sleep(WINDOW_MS);
  const until = Date.now();
  const used = cpuBetween(before, readCpuTimes(stack.processes));
  const memory = Object.entries(stack.processes).map(([part, pid]) => [part, rssMiB(pid)] as const);
  const stored = await Promise.all(streams);

  const texts = arrivals.map((kept) => kept.map(({ at, data }) => ({ at, text: textOf(data) })));
  const isWhole = (slot: number) => {
    const text = (texts[slot] ?? []).map((piece) => piece.text).join("");
    return text.length === CHUNKS * 14 && (stored[slot] === undefined || stored[slot] === text);
  };
  const delaysMs = texts.flat().flatMap(({ at, text }) => {
    if (at < from || at > until) return [];
    return [...text.matchAll(/\d+/g)].map(([stamp]) => at - Number(stamp));
  });
  return {
    delaysMs,
    cpu: Object.fromEntries(Object.entries(used).map(([part, ms]) => [part, (ms / (until - from)) * 100])),
    memory: Object.fromEntries(memory),
    tokens: texts.flat().reduce((total, { text }) => total + text.length / 14, 0),
    broken: texts.filter((_pieces, slot) => !isWhole(slot)).length,
  };
}

/** The text of one of our deltas, or of a model's chunk. */
function textOf(data: string): string {
  if (data === "[DONE]") return "";
  const event = JSON.parse(data) as {
    delta?: { content: { text: { value: string } }[] };
    choices?: { delta: { content?: string } }[];
  };
  return event.delta?.content[0]?.text.value ?? event.choices?.[0]?.delta.content ?? "";
}

function toReport(ours: readonly Load[], bare: readonly Load[]): Report {
  const delays = (loads: readonly Load[], p: number) => range(loads.map((each) => percentile(each.delaysMs, p)));
  const broken = ours.reduce((total, each) => total + each.broken, 0);
  const tokens = ours.reduce((total, each) => total + each.tokens, 0);
  const parts = ["worker", "api", "postgres", "temporal", "model", "proxy", "client", "others"];
  const spent = (load: Load | undefined, names: readonly string[]) => sum(names.map((name) => load?.cpu[name] ?? 0));
  const cpuRatios = ours.map(
    (load, round) => spent(load, ["worker", "api", "postgres", "temporal"]) / spent(bare[round], ["proxy"]),
  );
  const lateness = (name: string, p: number, most: number) => ({
    what: `age of a token ${name}, ms`,
    found: delays(ours, p),
    goal: `≤ ${most}`,
    met: median(ours.map((each) => percentile(each.delaysMs, p))) <= most,
  });
  const cpu = (loads: readonly Load[], part: string) => range(loads.map((each) => each.cpu[part] ?? 0));
  return {
    name: "b3",
    title: `${STREAMS} streams`,
    method:
      `${STREAMS} runs that stream ${1000 / CHUNK_MS} tokens per second each, all open at the same time. Every token is the ` +
      `moment at which the model sent it, so its age is known when it arrives; measured for ${WINDOW_MS / 1000} s, ` +
      `${ROUNDS} rounds. The counterpart is the proxy that only hands on.`,
    goals: [
      {
        what: `streams (of ${STREAMS * ROUNDS}, ${tokens} tokens) whose deltas are not exactly the stored message`,
        found: String(broken),
        goal: "0",
        met: broken === 0 && tokens === STREAMS * ROUNDS * CHUNKS,
      },
      lateness("p50", 0.5, MAX_P50_MS),
      lateness("p99", 0.99, MAX_P99_MS),
      {
        what: "CPU: worker, API, Postgres and Temporal / the proxy",
        found: range(cpuRatios, 2),
        goal: `≤ ${MAX_CPU_RATIO}`,
        met: median(cpuRatios) <= MAX_CPU_RATIO,
      },
    ],
    tables: [
      {
        title: "Age of a token when the client has it, ms",
        columns: ["", "p50", "p95", "p99"],
        rows: [
          ["ours", ...[0.5, 0.95, 0.99].map((p) => delays(ours, p))],
          ["proxy", ...[0.5, 0.95, 0.99].map((p) => delays(bare, p))],
        ],
      },
      {
        title: "Percent of one core (others: the rest of the machine), and memory of the process in MiB",
        columns: ["", "ours", "proxy", "memory"],
        rows: parts.map((part) => [
          part,
          cpu(ours, part),
          cpu(bare, part),
          part === "postgres" || ours[0]?.memory[part] === undefined
            ? ""
            : range(
                ours.map((each) => each.memory[part] ?? 0),
                0,
              ),
        ]),
      },
    ],
  };
}
