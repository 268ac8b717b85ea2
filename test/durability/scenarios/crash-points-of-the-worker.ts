// Every activity breaks between every two of its statements, behind pieces that the model has said, inside batches of
// events, behind heartbeats, before it has begun, and when it is done and Temporal does not know: one run for each point,
// and each point breaks once.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Run } from "../../../contract/run.ts";
import { calls, lookup, scripted } from "../../support/scripts.ts";
import type { ScriptedTurn } from "../../support/scripts.ts";
import { waitUntil } from "../../support/wait-until.ts";
import type { Deed, Moment, WorkerPoint } from "../failpoints/failpoint.ts";
import { untilWorkflowsClose } from "../faults/deadline.ts";
import type { Scenario, Stage } from "../faults/scenario.ts";
import { breakWorkers, countStatements, OUTER_POINTS, statementPoints } from "./breaking-workers.ts";
import type { At } from "./breaking-workers.ts";

/** Six tries of a turn may be needed by each, one after the other. */
const REST_MS = 400_000;

/** What is asked of a run, which of its activities break, and how it ends all the same. */
interface Life {
  name: string;
  turns: readonly ScriptedTurn[];
  extra?: object;
  /** Done as soon as the run waits for outputs. */
  whenWaiting?: "submit" | "cancel";
  /** Numbers of the activities in the workflow. */
  breaking: readonly number[];
  /** These points in place of all. */
  points?: readonly At[];
  right: Run["status"];
  /** Too much like another one to be worth its time, unless there is plenty. */
  isLong?: boolean;
}

const said: ScriptedTurn = { text: "a few words that come in pieces", chunk_chars: 8, chunk_ms: 40 };

const LIVES: readonly Life[] = [
  { name: "answers", turns: [said], breaking: [1], right: "completed" },
  {
    name: "calls functions and answers",
    turns: [{ text: "Let me see.", ...calls("a", "b") }, said],
    whenWaiting: "submit",
    breaking: [1, 2],
    right: "completed",
  },
  {
    name: "answers for seconds",
    turns: [{ ...said, chunk_ms: 800 }],
    breaking: [1],
    points: [1, 2, 3].map((nth) => ({ kind: "heartbeat", nth })),
    right: "completed",
  },
  {
    name: "searches files, calls a function and answers",
    turns: [{ tool_calls: [{ name: "file_search", arguments: { queries: ["x"] } }, ...calls("a").tool_calls] }, said],
    extra: { tools: [lookup, { type: "file_search" }] },
    whenWaiting: "submit",
    breaking: [1, 2, 3],
    right: "completed",
    isLong: true,
  },
  {
    name: "is cut short",
    turns: [{ ...said, finish_reason: "length" }],
    breaking: [1],
    right: "incomplete",
    isLong: true,
  },
  {
    name: "expires while it waits",
    turns: [calls("a")],
    extra: { expires_after_seconds: 20 },
    breaking: [2],
    right: "expired",
  },
  {
    name: "is cancelled while it waits",
    turns: [calls("a")],
    whenWaiting: "cancel",
    breaking: [2],
    right: "cancelled",
  },
];

interface Case {
  life: Life;
  activity: number;
  at: At;
}

export const workerCrashPoints: Scenario = {
  name: "every crash point of activities",
  fault:
    "a worker dies, or loses its connection, between every two statements of every activity, at pieces, flushes and heartbeats, and before Temporal hears of the end",
  world: { apis: 1, workers: 0 },
  async play(stage) {
    const folder = mkdtempSync(join(tmpdir(), "failpoints-"));
    try {
      const statements = await recordStatements(stage, join(folder, "record"));
      const cases = casesOf(statements).filter(({ life }) => stage.extent === "long" || life.isLong !== true);
      // Some are enough for a taste; which ones, the seed says.
      const chosen = stage.extent === "taste" ? cases.filter(() => stage.random.chance(8 / cases.length)) : cases;
      for (const life of LIVES) {
        const own = chosen.filter((one) => one.life === life);
        if (own.length > 0) await breakEach(stage, own, join(folder, life.name));
      }
      // For what is left to do behind the ends of runs.
      await stage.world.stack.startWorker();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** How many statements each activity of each life takes, by name of the life and number of the activity. */
async function recordStatements(stage: Stage, file: string): Promise<Map<string, number>> {
  const lives = new Map<string, Life>();
  const counts = await countStatements(stage, file, async () => {
    const runs = await Promise.all(LIVES.map((life) => start(stage, life)));
    for (const [index, { id }] of runs.entries()) lives.set(id, LIVES[index] as Life);
    await Promise.all(runs.map((run) => see(stage, run, lives.get(run.id) as Life)));
    // A run may have ended before its last activity, which finds it so.
    const { stack, client } = stage.world;
    await untilWorkflowsClose(stack.db, client, stack.taskQueue);
  });
  const named = Array.from(counts, ([key, count]) => {
    const [runId = "", activity] = key.split(" ");
    return [`${lives.get(runId)?.name} ${activity}`, count] as const;
  });
  return new Map(named);
}

function casesOf(statements: ReadonlyMap<string, number>): Case[] {
  return LIVES.flatMap((life) =>
    life.breaking.flatMap((activity) => {
      const count = statements.get(`${life.name} ${activity}`) ?? 0;
      if (count === 0) throw new Error(`${life.name}: no statement of activity ${activity} was recorded`);
      const points = life.points ?? [...OUTER_POINTS, ...statementPoints(count), ...otherPoints(life, activity)];
      return points.map((at) => ({ life, activity, at }));
    }),
  );
}

function otherPoints({ turns }: Life, activity: number): At[] {
  if (turns[activity - 1] !== said) return [];
  const moments: Moment[] = ["before", "during", "after"];
  const deeds: Deed[] = ["kill", "cut"];
  return [
    ...[1, 2, 3].map((nth): At => ({ kind: "piece", nth })),
    ...deeds.flatMap((deed) =>
      moments.flatMap((moment) => [1, 2].map((nth): At => ({ kind: "flush", nth, moment, deed }))),
    ),
  ];
}

/** All runs are accepted before there is a worker, so that each point is known when its run is taken in hand. */
async function breakEach(stage: Stage, cases: readonly Case[], file: string): Promise<void> {
  const runs = await Promise.all(cases.map(({ life }) => start(stage, life)));
  const points = cases.map(({ activity, at }, index): WorkerPoint => ({ runId: runs[index]?.id ?? "", activity, at }));
  await breakWorkers(stage, {
    points,
    file,
    work: () => Promise.all(runs.map((run, index) => see(stage, run, (cases[index] as Case).life))),
  });
}

async function start({ client, told, assistantId }: Stage, { turns, extra }: Life): Promise<Run> {
  const thread = { messages: [{ role: "user", content: scripted(turns) }] };
  const { body } = await client.post<Run>("/threads/runs", {
    assistant_id: assistantId,
    tools: [lookup],
    thread,
    ...extra,
  });
  told.run(body);
  return body;
}

/** Plays the client of a run to its end. */
async function see(stage: Stage, run: Run, { name, whenWaiting, right }: Life): Promise<void> {
  const { client, told } = stage;
  const path = `/threads/${run.thread_id}/runs/${run.id}`;
  const answered = new Set<string>();
  const ended = await waitUntil(
    `${run.id} has ended`,
    async () => {
      const { body } = await client.get<Run>(path);
      const asked = JSON.stringify(body.required_action);
      if (body.status === "requires_action" && whenWaiting !== undefined && !answered.has(asked)) {
        answered.add(asked);
        await (whenWaiting === "submit" ? submit(stage, body) : client.post(`${path}/cancel`, {}));
      }
      return ["completed", "failed", "cancelled", "expired", "incomplete"].includes(body.status) && body;
    },
    REST_MS,
  ).catch((error: unknown) => void told.complain(String(error)));
  if (ended === undefined) return;
  told.status(ended);
  if (ended.status !== right) {
    told.complain(
      `${run.id}, which ${name}, is ${ended.status} in place of ${right}: ${JSON.stringify(ended.last_error)}`,
    );
  }
}

async function submit({ client, told }: Stage, { id, thread_id, required_action }: Run): Promise<void> {
  const pending = required_action?.submit_tool_outputs.tool_calls ?? [];
  const tool_outputs = pending.map((call) => ({ tool_call_id: call.id, output: `found ${call.id}` }));
  const answer = await client.post(`/threads/${thread_id}/runs/${id}/submit_tool_outputs`, { tool_outputs });
  if (answer.status !== 200) told.complain(`${id} refused its outputs: ${JSON.stringify(answer.body)}`);
  else for (const output of tool_outputs) told.outputs.push({ run_id: id, thread_id, ...output });
}
