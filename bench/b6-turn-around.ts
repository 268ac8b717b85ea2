// B6: turn-around. From handing in the output of a function call to the next request to the model, compared with what
// Temporal itself needs from a signal to the activity behind it.
import { isWaiting, parked, wake } from "./bare/workflows.ts";
import { stream } from "./http-client.ts";
import { createAssistant, createThreads, scripted } from "./load.ts";
import type { Report } from "./report.ts";
import { BARE_QUEUE, startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";
import { median, percentile, range } from "./stats.ts";

const ROUNDS = 5;
const PER_ROUND = 30;
const WARM_UP = 20;
const MAX_RATIO = 1.3;

const tool = { type: "function", function: { name: "ask", parameters: { type: "object", properties: {} } } };
/** The second answer is the moment at which it was sent, at once: that is when the request was there. */
const content = scripted(
  { tool_calls: [{ name: "ask", arguments: { question: "which?" } }] },
  { text: "0000000000000 ", stamp: true },
);

export async function measureTurnAround(): Promise<Report> {
  const stack = await startStack();
  try {
    await stack.startBareWorker();
    const assistant_id = await createAssistant(stack.api, { tools: [tool] });
    const threads = await createThreads(stack.api, WARM_UP + ROUNDS * PER_ROUND, content);
    const ours = () => timeOurs(stack, assistant_id, threads.pop() as string);
    const bare = () => timeBare(stack);
    await collect(WARM_UP, ours);
    await collect(WARM_UP, bare);
    const rounds: { ours: number[]; bare: number[] }[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      rounds.push({ ours: await collect(PER_ROUND, ours), bare: await collect(PER_ROUND, bare) });
    }
    return toReport(rounds);
  } finally {
    await stack.stop();
  }
}

async function collect(count: number, time: () => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  for (let index = 0; index < count; index += 1) values.push(await time());
  return values;
}

/** Milliseconds of Unix time, finer than `Date.now()`. */
const now = (): number => performance.timeOrigin + performance.now();

async function timeOurs({ api }: Stack, assistant_id: string, threadId: string): Promise<number> {
  let waiting: { id: string; call: string } | undefined;
  await stream(api, `/threads/${threadId}/runs`, { stream: true, assistant_id }, (event, data) => {
    if (event !== "thread.run.requires_action") return;
    const { id, required_action } = JSON.parse(data) as {
      id: string;
      required_action: { submit_tool_outputs: { tool_calls: { id: string }[] } };
    };
    waiting = { id, call: required_action.submit_tool_outputs.tool_calls[0]?.id as string };
  });
  if (waiting === undefined) throw new Error(`the run on ${threadId} did not ask for outputs`);
  const body = { stream: true, tool_outputs: [{ tool_call_id: waiting.call, output: "this one" }] };
  let askedAt = Number.NaN;
  const sentAt = now();
  await stream(api, `/threads/${threadId}/runs/${waiting.id}/submit_tool_outputs`, body, (event, data) => {
    if (event === "thread.message.delta" && Number.isNaN(askedAt)) askedAt = Number(/"value":"(\d+) /.exec(data)?.[1]);
  });
  return askedAt - sentAt;
}

async function timeBare({ temporal }: Stack): Promise<number> {
  const workflowId = `bare-${crypto.randomUUID()}`;
  const handle = await temporal.workflow.start(parked, { workflowId, taskQueue: BARE_QUEUE });
  while ((await handle.query(isWaiting)) !== true);
  const sentAt = now();
  await handle.signal(wake);
  return (await handle.result()) - sentAt;
}

function toReport(rounds: readonly { ours: number[]; bare: number[] }[]): Report {
  const p50 = (values: readonly number[]) => percentile(values, 0.5);
  const ratios = rounds.map(({ ours, bare }) => p50(ours) / p50(bare));
  const row = (name: string, values: readonly number[][]) => [
    name,
    ...[0.5, 0.95].map((p) => range(values.map((round) => percentile(round, p)))),
  ];
  return {
    name: "b6",
    title: "Turn-around",
    method:
      `From sending the outputs of a function call to the moment at which the model has the next request, one run at a ` +
      `time. The counterpart is a workflow that waits: from sending it a signal to the moment at which its next activity ` +
      `begins. ${ROUNDS} rounds of ${PER_ROUND}.`,
    goals: [
      {
        what: "turn-around p50: ours / bare",
        found: range(ratios, 2),
        goal: `≤ ${MAX_RATIO}`,
        met: median(ratios) <= MAX_RATIO,
      },
    ],
    tables: [
      {
        title: "Turn-around in ms",
        columns: ["", "p50", "p95"],
        rows: [
          row(
            "ours, until the model has the request",
            rounds.map(({ ours }) => ours),
          ),
          row(
            "bare, until the activity begins",
            rounds.map(({ bare }) => bare),
          ),
        ],
      },
    ],
  };
}
