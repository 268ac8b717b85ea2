// Runs whose workers break at every point of their activities: one run for each point, and each point breaks once.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Run } from "../../../contract/run.ts";
import { lookup, scripted } from "../../support/scripts.ts";
import type { ScriptedTurn } from "../../support/scripts.ts";
import { waitUntil } from "../../support/wait-until.ts";
import type { WorkerPoint } from "../failpoints/failpoint.ts";
import { untilWorkflowsClose } from "../faults/deadline.ts";
import { callOf, expectCells, linkTo } from "../faults/cells.ts";
import type { Cell } from "../faults/cells.ts";
import { expectAnswer } from "../faults/conversations.ts";
import type { Random } from "../faults/random.ts";
import { talkOf } from "../faults/scenario.ts";
import type { Stage } from "../faults/scenario.ts";
import { breakWorkers, choosePoints, countStatements, OUTER_POINTS, statementPoints } from "./breaking-workers.ts";
import type { At } from "./breaking-workers.ts";

/** What is asked of a run, which of its activities break, and how it ends all the same. */
export interface Life {
  name: string;
  turns?: readonly ScriptedTurn[];
  /** Called in one turn, and then there is an answer with what they have written. In place of `turns`, anew for each run. */
  cells?: (random: Random) => readonly Cell[];
  extra?: object;
  /** Done as soon as the run waits for outputs. */
  whenWaiting?: "submit" | "cancel";
  /** Numbers of the activities in the workflow. */
  breaking: readonly number[];
  /** Number of the one that is begun when the worker that should do it is gone. */
  otherwise?: number;
  /** These points in place of all. */
  points?: readonly At[];
  /** These besides all, by the number of the activity. */
  also?: Readonly<Record<number, readonly At[]>>;
  right: Run["status"];
  /** Too much like another one to be worth its time, unless there is plenty. */
  isLong?: boolean;
}

/** Six tries of a turn may be needed by each, one after the other. */
const REST_MS = 400_000;

interface Case {
  life: Life;
  activity: number;
  at: At;
}

interface Extents {
  /** A taste is about so many points. */
  tasted: number;
  /** Whether each point is too dear to be died at, unless there is plenty of time. */
  isDear?: boolean;
}

/** Breaks every activity of every life at every point of it. */
export async function breakLives(
  stage: Stage,
  lives: readonly Life[],
  { tasted, isDear = false }: Extents,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "failpoints-"));
  try {
    const statements = await recordStatements(stage, lives, join(folder, "record"));
    const cases = casesOf(lives, statements).filter(({ life }) => stage.extent === "long" || life.isLong !== true);
    const isDeath = ({ at }: Case) => isDear && (at.kind === "statement" ? at.deed === "kill" : at.kind !== "blob");
    const chosen = choosePoints(stage, cases, { tasted, isDeath });
    for (const life of lives) {
      const own = chosen.filter((one) => one.life === life);
      if (own.length > 0) await breakEach(stage, own, join(folder, life.name));
    }
    // For what is left to do behind the ends of runs.
    await stage.world.stack.startWorker();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How many statements each activity of each life takes, by name of the life and number of the activity. */
async function recordStatements(stage: Stage, lives: readonly Life[], file: string): Promise<Map<string, number>> {
  const names = new Map<string, string>();
  const counts = await countStatements(stage, file, async () => {
    const begun = await Promise.all(lives.map((life) => begin(stage, life)));
    for (const { run, life } of begun) names.set(run.id, life.name);
    await Promise.all(begun.map((one) => see(stage, one)));
    // A run may have ended before its last activity, which finds it so.
    const { stack, client } = stage.world;
    await untilWorkflowsClose(stack.db, client, stack.taskQueue);
  });
  const named = Array.from(counts, ([key, count]) => {
    const [runId = "", activity] = key.split(" ");
    return [`${names.get(runId)} ${activity}`, count] as const;
  });
  return new Map(named);
}

function casesOf(lives: readonly Life[], statements: ReadonlyMap<string, number>): Case[] {
  return lives.flatMap((life) =>
    life.breaking.flatMap((activity) => {
      const count = statements.get(`${life.name} ${activity}`) ?? 0;
      if (count === 0) throw new Error(`${life.name}: no statement of activity ${activity} was recorded`);
      const all = [...OUTER_POINTS, ...statementPoints(count), ...(life.also?.[activity] ?? [])];
      return (life.points ?? all).map((at) => ({ life, activity, at }));
    }),
  );
}

/** All runs are accepted before there is a worker, so that each point is known when its run is taken in hand. */
async function breakEach(stage: Stage, cases: readonly Case[], file: string): Promise<void> {
  const begun = await Promise.all(cases.map(({ life }) => begin(stage, life)));
  const points = cases.flatMap(({ life, activity, at }, index): WorkerPoint[] => {
    const runId = begun[index]?.run.id ?? "";
    const { otherwise } = life;
    return [{ runId, activity, at }, ...(otherwise === undefined ? [] : [{ runId, activity: otherwise, at }])];
  });
  await breakWorkers(stage, { points, file, work: () => Promise.all(begun.map((one) => see(stage, one))) });
}

interface Begun {
  run: Run;
  life: Life;
  key: string;
  cells: readonly Cell[];
}

async function begin({ client, told, assistantId, random }: Stage, life: Life): Promise<Begun> {
  const cells = life.cells?.(random) ?? [];
  const asked = { tool_calls: cells.map(callOf) };
  const turns = cells.length === 0 ? (life.turns ?? []) : [asked, { text: answerTo(cells) }];
  const key = random.key();
  const { body } = await client.post<Run>("/threads/runs", {
    assistant_id: assistantId,
    tools: [lookup],
    thread: { messages: [{ role: "user", content: scripted(turns, key) }] },
    ...life.extra,
  });
  told.run(body);
  return { run: body, life, key, cells };
}

const answerTo = (cells: readonly Cell[]): string => `Done:${cells.map(linkTo).join("")}`;

/** Plays the client of a run to its end. */
async function see(stage: Stage, { run, life, key, cells }: Begun): Promise<void> {
  const { client, told } = stage;
  const { name, whenWaiting, right } = life;
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
    const error = JSON.stringify(ended.last_error);
    return told.complain(`${run.id}, which ${name}, is ${ended.status} in place of ${right}: ${error}`);
  }
  if (cells.length === 0) return;
  const talk = talkOf(stage, REST_MS);
  await expectAnswer(talk, ended, answerTo(cells));
  await expectCells(talk, { run: ended, key, cells, python: { cells: 0 } });
}

async function submit({ client, told }: Stage, { id, thread_id, required_action }: Run): Promise<void> {
  const pending = required_action?.submit_tool_outputs.tool_calls ?? [];
  const tool_outputs = pending.map((call) => ({ tool_call_id: call.id, output: `found ${call.id}` }));
  const answer = await client.post(`/threads/${thread_id}/runs/${id}/submit_tool_outputs`, { tool_outputs });
  if (answer.status !== 200) told.complain(`${id} refused its outputs: ${JSON.stringify(answer.body)}`);
  else for (const output of tool_outputs) told.outputs.push({ run_id: id, thread_id, ...output });
}
