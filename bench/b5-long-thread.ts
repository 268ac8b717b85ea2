// B5: what a run costs on a thread of 100,000 messages, compared with a thread of 10.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { countContentTokens } from "../model/tokens.ts";
import { createAssistant, createThreads, inParallel, timeRun } from "./load.ts";
import type { Goal, Report } from "./report.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";
import { median, percentile, range } from "./stats.ts";

const LONG = 100_000;
const SHORT = 10;
const ROUNDS = 5;
/** Runs per thread before each case. */
const WARM_UP = 7;
const MAX_RATIO = 1.3;

const SENTENCE = "A sentence of ordinary words, as people write them to one another when they have the time to do so. ";
const TEXT = SENTENCE.repeat(3);
const SCRIPT = `#script ${JSON.stringify({ turns: [{ text: TEXT, chunk_chars: 100 }] })}`;
/** Tokens of a window that holds about ten of the messages, beside the instructions and room for the answer. */
const WINDOW_OF_TEN = 1150;

interface Case {
  name: string;
  /** Runs per round and thread. */
  runs: number;
  model: string;
  overrides: object;
  goal: boolean;
}

const CASES: readonly Case[] = [
  {
    name: "last_messages: 10",
    runs: 15,
    model: "gpt-4o",
    overrides: { truncation_strategy: { type: "last_messages", last_messages: 10 } },
    goal: true,
  },
  { name: "auto, a window of about ten messages", runs: 15, model: "window-of-ten", overrides: {}, goal: true },
  { name: "auto, a window of 128,000 tokens", runs: 4, model: "gpt-4o", overrides: {}, goal: false },
];

export async function measureLongThread(): Promise<Report> {
  const stack = await startStack({ settings: (folder) => ({ MODELS_FILE: writeModels(folder) }) });
  try {
    const [long = ""] = await createThreads(stack.api, 1, TEXT);
    // Every run adds a question and an answer, and the last of them has to fit.
    const runs = CASES.reduce((total, of) => total + WARM_UP + ROUNDS * of.runs, 0);
    await fillThread(stack, long, LONG - 2 * runs - 1);
    const results: { of: Case; long: number[]; short: number[] }[] = [];
    for (const of of CASES) results.push({ of, ...(await measureCase(stack, of, long)) });
    return toReport(results);
  } finally {
    await stack.stop();
  }
}

/** Runs on both threads in turns. Returns the p50 of each round. */
async function measureCase(stack: Stack, of: Case, long: string): Promise<{ long: number[]; short: number[] }> {
  const assistant_id = await createAssistant(stack.api, { model: of.model, instructions: SCRIPT });
  const [short = ""] = await createThreads(stack.api, 1, TEXT);
  await fillThread(stack, short, SHORT - 1);
  const question = { assistant_id, additional_messages: [{ role: "user", content: TEXT }], ...of.overrides };
  const time = async (threadId: string) => (await timeRun(stack.api, threadId, question)).completed;
  await inParallel(1, WARM_UP, async () => [await time(long), await time(short)]);

  const p50s = { long: [] as number[], short: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const times = { long: [] as number[], short: [] as number[] };
    for (let run = 0; run < of.runs; run += 1) {
      times.long.push(await time(long));
      times.short.push(await time(short));
    }
    p50s.long.push(percentile(times.long, 0.5));
    p50s.short.push(percentile(times.short, 0.5));
  }
  return p50s;
}

/** Puts messages into a thread by SQL: through the API it would take an hour. They are as the API would store them. */
async function fillThread({ db }: Stack, threadId: string, count: number): Promise<void> {
  const content = [{ type: "text" as const, text: { value: TEXT, annotations: [] } }];
  await db.query(
    `insert into messages (id, project_id, thread_id, created_at, completed_at, role, status, content, attachments,
       metadata, tokens)
     select 'msg_' || md5(t.id || n), t.project_id, t.id, now(), now(),
       case when n % 2 = 0 then 'user' else 'assistant' end, 'completed', $3, '[]', '{}', $4
     from threads t, generate_series(1, $2::int) n where t.id = $1 order by n`,
    [threadId, count, JSON.stringify(content), countContentTokens(content)],
  );
  await db.query("update threads set message_count = message_count + $2 where id = $1", [threadId, count]);
  await db.query("vacuum analyze messages"); // what autovacuum does within a minute
}

function writeModels(folder: string): string {
  const file = join(folder, "models.json");
  writeFileSync(file, JSON.stringify([{ name: "window-of-ten", upstream: "gpt-4o", context_window: WINDOW_OF_TEN }]));
  return file;
}

function toReport(results: readonly { of: Case; long: number[]; short: number[] }[]): Report {
  const ratios = results.map(({ long, short }) => long.map((ms, round) => ms / (short[round] ?? Number.NaN)));
  return {
    name: "b5",
    title: `A thread of ${LONG.toLocaleString("en")} messages`,
    method:
      `Runs, one at a time, by turns on a thread of ${LONG.toLocaleString("en")} messages of ` +
      `${countContentTokens([{ type: "text", text: { value: TEXT, annotations: [] } }])} tokens and on one of ${SHORT}, from the ` +
      `request to \`thread.run.completed\`; ${ROUNDS} rounds. The long thread is filled by SQL. With the large window the ` +
      `two runs send the model different amounts (some 1,300 messages and some 20), so it has no goal.`,
    goals: results.flatMap(({ of }, index): Goal[] =>
      of.goal
        ? [
            {
              what: `latency p50, ${of.name}: long / short`,
              found: range(ratios[index] ?? [], 2),
              goal: `≤ ${MAX_RATIO}`,
              met: median(ratios[index] ?? []) <= MAX_RATIO,
            },
          ]
        : [],
    ),
    tables: [
      {
        title: "Latency p50 in ms",
        columns: ["truncation", "long thread", "short thread", "ratio"],
        rows: results.map(({ of, long, short }, index) => [
          of.name,
          range(long),
          range(short),
          range(ratios[index] ?? [], 2),
        ]),
      },
    ],
  };
}
