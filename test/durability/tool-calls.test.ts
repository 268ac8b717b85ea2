// Workers die at every point between the end of a turn that calls the server's own tools and the next turn: each search is
// shown once, each function is asked for once, and the answer cites what was found.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Client, Connection } from "@temporalio/client";
import type { Run } from "openai/resources/beta/threads/runs/runs";
import { audit } from "../../audit/audit.ts";
import { checkOrder } from "../support/event-grammar.ts";
import { calls, lookup, scripted } from "../support/scripts.ts";
import { addChunks, makeStore } from "../support/searchable-files.ts";
import { readEvents } from "../support/sse.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { waitUntil } from "../support/wait-until.ts";
import { PLAN_VARIABLE, RECORD_VARIABLE } from "./failpoints/failpoint.ts";
import type { RecordedStatement, StatementPoint, WorkerPoint } from "./failpoints/failpoint.ts";
import { PRELOAD } from "./failpoints/preload-path.ts";
import { untilWorkflowsClose } from "./faults/deadline.ts";

const WORKERS = 3;
/** Deaths come one after the other, and each costs the time after which a worker is taken for dead. */
const REST_MS = 240_000;

const search = { name: "file_search", arguments: { queries: ["notes"] } };
const TURNS = [
  { tool_calls: [search, search, ...calls("a").tool_calls] },
  { tool_calls: [search] },
  { text: "So【1:0†x】, and so【2:0†x】." },
];
/** The activities of such a run: the turn, its two searches, the look behind them, and the turn behind the outputs. */
const TURN = 1;
const FIRST_SEARCH = 2;
const BEHIND_SEARCHES = 4;
const SEARCH_ALONE = 6;
const LAST_TURN = 7;

let stack: Stack;
let connection: Connection;
let folder: string;
let file: string;
let assistant: string;
/** How many statements each activity takes. */
let counts: Map<number, number>;
before(async () => {
  stack = await startStack({ workers: 0 });
  connection = await Connection.connect({ address: process.env["TEMPORAL_ADDRESS"] ?? "" });
  folder = mkdtempSync(join(tmpdir(), "failpoints-"));
  assistant = await makeAssistant();
  counts = await countStatements();
});
after(async () => {
  await connection.close();
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function makeAssistant(): Promise<string> {
  const store = await makeStore(stack);
  file = await addChunks(stack, store, { filename: "notes.txt", chunks: ["These are notes."] });
  const made = await stack.openai.beta.assistants.create({
    model: "gpt-4o",
    tools: [lookup, { type: "file_search" }],
    tool_resources: { file_search: { vector_store_ids: [store] } },
  });
  return made.id;
}

async function begin(): Promise<Run> {
  const messages = [{ role: "user" as const, content: scripted(TURNS) }];
  return stack.openai.beta.threads.createAndRun({ assistant_id: assistant, thread: { messages } });
}

/** Plays the client of a run to its end. */
async function finish({ id, thread_id }: Run): Promise<Run> {
  const { runs } = stack.openai.beta.threads;
  let isAnswered = false;
  return waitUntil(
    `${id} has ended`,
    async () => {
      const run = await runs.retrieve(id, { thread_id });
      if (run.status === "requires_action" && !isAnswered) {
        const asked = run.required_action?.submit_tool_outputs.tool_calls ?? [];
        assert.deepEqual(
          asked.map((call) => call.function.name),
          ["lookup"],
        );
        const tool_outputs = asked.map((call) => ({ tool_call_id: call.id, output: "found" }));
        await runs.submitToolOutputs(id, { thread_id, tool_outputs });
        isAnswered = true;
      }
      return ["completed", "failed", "cancelled", "expired", "incomplete"].includes(run.status) && run;
    },
    REST_MS,
  );
}

/** What every such run has to be, whatever died on its way. */
async function check(run: Run, where: string): Promise<void> {
  const { threads } = stack.openai.beta;
  assert.equal(run.status, "completed", `${where}: ${JSON.stringify(run.last_error)}`);
  const { data: all } = await threads.runs.steps.list(run.id, { thread_id: run.thread_id, order: "asc" });
  const steps = all.filter(({ status }) => status === "completed");
  assert.ok(
    all.every(({ status }) => status === "completed" || status === "failed"),
    where,
  );
  assert.deepEqual(
    steps.map(({ step_details }) =>
      step_details.type === "tool_calls"
        ? step_details.tool_calls.map((call) =>
            call.type === "file_search" ? call.file_search.results?.map((result) => result.file_id) : call.type,
          )
        : step_details.type,
    ),
    [[[file], [file], "function"], [[file]], "message_creation"],
    where,
  );
  const { data: messages } = await threads.messages.list(run.thread_id, { run_id: run.id });
  const [part] = messages[0]?.content ?? [];
  assert.equal(messages.length, 1, where);
  assert.equal(part?.type === "text" && part.text.annotations.length, 2, where);
  const events = [];
  const path = `${stack.baseURL}/threads/${run.thread_id}/runs/${run.id}/events`;
  const headers = { authorization: `Bearer ${stack.apiKey}`, "openai-beta": "assistants=v2" };
  for await (const event of readEvents(await fetch(path, { headers }))) events.push(event);
  checkOrder(events, { kind: "joined", retries: true });
}

async function countStatements(): Promise<Map<number, number>> {
  const record = join(folder, "record");
  writeFileSync(record, "");
  const settings = {
    NODE_OPTIONS: `--import=${PRELOAD}`,
    WORKER_MAX_CONCURRENT_TURNS: "1",
    [RECORD_VARIABLE]: record,
  };
  const worker = await stack.startWorker(settings);
  const run = await begin();
  await check(await finish(run), "without a fault");
  await worker.stop();
  const statements = readFileSync(record, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as RecordedStatement)
    .filter(({ runId }) => runId === run.id);
  const counts = new Map<number, number>();
  for (const { activity, nth } of statements) counts.set(activity, Math.max(counts.get(activity) ?? 0, nth));
  return counts;
}

function countOf(activity: number): number {
  return counts.get(activity) ?? assert.fail(`activity ${activity} has no statements`);
}

function kill(activity: number, nth: number, moment: StatementPoint["moment"]): Omit<WorkerPoint, "runId"> {
  return { activity, at: { kind: "statement", nth, moment, deed: "kill" } };
}

/** All runs are accepted before there is a worker, so that each point is known when its run is taken in hand. */
async function breakEach(points: readonly Omit<WorkerPoint, "runId">[]): Promise<void> {
  const runs = await Promise.all(points.map(() => begin()));
  const plan = join(folder, `plan-${runs[0]?.id}`);
  writeFileSync(plan, JSON.stringify({ points: points.map((point, index) => ({ ...point, runId: runs[index]?.id })) }));
  const over = Promise.withResolvers<void>();
  let isOver = false;
  /** A worker does one thing at a time, so that its death is that of one run. */
  async function keepOneWorker(): Promise<void> {
    while (!isOver) {
      const worker = await stack.startWorker({
        NODE_OPTIONS: `--import=${PRELOAD}`,
        WORKER_MAX_CONCURRENT_TURNS: "1",
        [PLAN_VARIABLE]: plan,
      });
      await Promise.race([worker.exited, over.promise]);
    }
  }
  const workers = Promise.all(Array.from({ length: WORKERS }, keepOneWorker));
  const ended = await Promise.all(runs.map((run) => finish(run))).finally(() => {
    isOver = true;
    over.resolve();
  });
  await workers;
  for (const [index, run] of ended.entries()) {
    const where = JSON.stringify(points[index]);
    assert.ok(existsSync(`${plan}.${run.id}`), `${where} was reached`);
    await check(run, where);
  }
  const client = new Client({ connection });
  await untilWorkflowsClose(stack.db, client, stack.taskQueue);
  const report = await audit({ db: stack.db, temporal: { client, taskQueue: stack.taskQueue }, confirmAfterMs: 500 });
  assert.deepEqual(
    report.invariants.filter(({ violations }) => violations > 0),
    [],
  );
  await Promise.all(stack.workers.map((worker) => worker.stop()));
}

/** Before, while and after the last statement, which is the commit. */
function atCommit(activity: number): Omit<WorkerPoint, "runId">[] {
  return (["before", "during", "after"] as const).map((moment) => kill(activity, countOf(activity), moment));
}

/** Before every other statement: some scenarios of the fault tests take them all. */
function before2nd(activity: number): Omit<WorkerPoint, "runId">[] {
  const places = Array.from({ length: countOf(activity) - 1 }, (_, index) => index + 1);
  return places.filter((nth) => nth % 2 === 0).map((nth) => kill(activity, nth, "before"));
}

test("a worker that dies between the end of a turn and its searches loses and doubles nothing", async () => {
  await breakEach([...atCommit(TURN), ...before2nd(FIRST_SEARCH), ...atCommit(FIRST_SEARCH)]);
});

test("a worker that dies between the searches and the next turn loses and doubles nothing", async () => {
  await breakEach([...atCommit(BEHIND_SEARCHES), ...atCommit(SEARCH_ALONE), ...before2nd(LAST_TURN)]);
});
