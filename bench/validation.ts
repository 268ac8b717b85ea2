// What it costs to check requests: the part of every call that waits for nothing.
import { parseJson } from "../api/json-body.ts";
import { parse } from "../contract/validation.ts";
import { V1, V2 } from "../contract/version.ts";
import type { Report } from "./report.ts";
import { median, percentile, range } from "./stats.ts";

const ROUNDS = 5;
const CHECKS = 2000;
const WARM_UP = 2000;
const MESSAGES = 32;
const MAX_MS = 1;

const TEXT =
  "A sentence of ordinary words, as people write them to one another when they have the time to do so. ".repeat(5);
const TOOLS = Array.from({ length: 8 }, (_, index) => ({
  type: "function",
  function: {
    name: `function_${index}`,
    description: "Does something.",
    parameters: { type: "object", properties: { q: { type: "string" } }, required: ["q"] },
  },
}));

const CASES: readonly { name: string; schema: Parameters<typeof parse>[0]; body: object; goal?: boolean }[] = [
  {
    name: `thread and run with ${MESSAGES} messages of ${TEXT.length} characters`,
    schema: V2.CreateThreadAndRun,
    body: {
      assistant_id: "asst_abcdefghijklmnopqrstuvwx",
      thread: { messages: messages({ metadata: { source: "bench" } }) },
    },
    goal: true,
  },
  {
    name: "the same in version 1",
    schema: V1.CreateThreadAndRun,
    body: { assistant_id: "asst_abcdefghijklmnopqrstuvwx", thread: { messages: messages({ file_ids: ["file-a"] }) } },
  },
  {
    name: "run with 8 functions and every override",
    schema: V2.CreateRun,
    body: {
      assistant_id: "asst_abcdefghijklmnopqrstuvwx",
      model: "gpt-4o",
      instructions: TEXT,
      tools: TOOLS,
      temperature: 0.5,
      top_p: 1,
      max_completion_tokens: 1000,
      truncation_strategy: { type: "last_messages", last_messages: 10 },
      tool_choice: { type: "function", function: { name: "function_0" } },
      response_format: { type: "json_object" },
    },
  },
  { name: "message", schema: V2.CreateMessage, body: { role: "user", content: TEXT } },
];

function messages(extra: object): object[] {
  return Array.from({ length: MESSAGES }, () => ({ role: "user", content: TEXT, ...extra }));
}

export async function measureValidation(): Promise<Report> {
  const results = CASES.map((of) => ({ of, ...measureCase(of) }));
  return {
    name: "validation",
    title: "Checking a request",
    method: `A body as text is parsed as JSON and checked against its schema, as every request is: ${ROUNDS} rounds of ${CHECKS}.`,
    goals: results
      .filter(({ of }) => of.goal)
      .map(({ of, p50 }) => ({
        what: `${of.name}, p50`,
        found: `${range(p50, 3)} ms`,
        goal: `≤ ${MAX_MS} ms`,
        met: median(p50) <= MAX_MS,
      })),
    tables: [
      {
        title: "ms",
        columns: ["", "p50", "p99"],
        rows: results.map(({ of, p50, p99 }) => [of.name, range(p50, 3), range(p99, 3)]),
      },
    ],
  };
}

function measureCase({ schema, body }: (typeof CASES)[number]): { p50: number[]; p99: number[] } {
  const text = JSON.stringify(body);
  const check = () => parse(schema, parseJson(text));
  for (let index = 0; index < WARM_UP; index += 1) check();
  const p50: number[] = [];
  const p99: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const times = Array.from({ length: CHECKS }, () => {
      const began = performance.now();
      check();
      return performance.now() - began;
    });
    p50.push(percentile(times, 0.5));
    p99.push(percentile(times, 0.99));
  }
  return { p50, p99 };
}
