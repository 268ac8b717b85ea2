// Records the history of a run, and of a file's ingestion, on every path, for the replay test: `npm run history:record`. Histories are only added,
// never edited: an old one that no longer replays means that runs in flight would break.
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { Client, Connection } from "@temporalio/client";
import { historyToJSON } from "@temporalio/common/lib/proto-utils.js";
import { codeSettings } from "../support/code-settings.ts";
import { globalSetup, globalTeardown } from "../support/global-setup.ts";
import { calls, lookup, scripted } from "../support/scripts.ts";
import type { ScriptedTurn } from "../support/scripts.ts";
import { makeStore } from "../support/searchable-files.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { recordIngests } from "./record-ingests.ts";
import { waitUntil } from "../support/wait-until.ts";

/** Raised when a change of the workflow adds commands: the new files stand beside the old ones. */
const GENERATION = "v1";

const ENDS = ["completed", "failed", "incomplete", "cancelled", "expired"];

interface Path {
  turns: ScriptedTurn[];
  /** Seconds after which the run expires. */
  expires?: number;
  /** Whether the assistant can search files. */
  searches?: boolean;
  /** Whether it can run code. */
  codes?: boolean;
  /** What the client does while the run lives. */
  act?: (stack: Stack, run: { id: string; thread_id: string }) => Promise<void>;
}

/** A search that takes as long as the run lives. */
const slowSearch = search('x\n#embeddings {"delay_ms":60000}');

const paths: Record<string, Path> = {
  completed: { turns: [{ text: "hello" }] },
  "one-round": { turns: [calls("a"), { text: "done" }], act: (stack, run) => answer(stack, run, 1) },
  "three-rounds": {
    turns: [calls("a"), calls("b", "c"), calls("d"), { text: "done" }],
    act: (stack, run) => answer(stack, run, 3),
  },
  failed: { turns: [{ error: { status: 400 } }] },
  incomplete: { turns: [{ text: "cut", finish_reason: "length" }] },
  "retried-after-429": {
    turns: [{ text: "hello", error: { status: 429, retry_after_ms: 50, times: 1 } }],
  },
  "cancelled-while-speaking": {
    turns: [{ text: "word ".repeat(500), chunk_ms: 20 }],
    act: async (stack, run) => {
      await untilStatus(stack, run, "in_progress");
      await stack.openai.beta.threads.runs.cancel(run.id, { thread_id: run.thread_id });
    },
  },
  "cancelled-while-waiting": {
    turns: [calls("a")],
    act: async (stack, run) => {
      await untilStatus(stack, run, "requires_action");
      await stack.openai.beta.threads.runs.cancel(run.id, { thread_id: run.thread_id });
    },
  },
  "expired-while-waiting": { turns: [calls("a")], expires: 2 },
  "expired-while-speaking": { turns: [{ text: "word ".repeat(500), chunk_ms: 20 }], expires: 2 },
  searched: { turns: [search("a", "b"), search("c"), { text: "done" }], searches: true },
  "searched-with-functions": {
    turns: [{ tool_calls: [...search("a").tool_calls, ...calls("b").tool_calls] }, { text: "done" }],
    searches: true,
    act: (stack, run) => answer(stack, run, 1),
  },
  "cancelled-while-searching": { turns: [slowSearch], searches: true, act: cancelInCall },
  "expired-while-searching": { turns: [slowSearch], searches: true, expires: 3 },
  // The first call of a thread goes to the queue of all workers, the others to that of the worker that took it.
  "ran-code": { turns: [code("1", "2"), code("3"), { text: "done" }], codes: true },
  "ran-code-with-all-else": {
    turns: [
      { tool_calls: [...search("a").tool_calls, ...code("1").tool_calls, ...calls("b").tool_calls] },
      { text: "done" },
    ],
    searches: true,
    codes: true,
    act: (stack, run) => answer(stack, run, 1),
  },
  "cancelled-while-running-code": { turns: [code("while True: pass")], codes: true, act: cancelInCall },
  "expired-while-running-code": { turns: [code("while True: pass")], codes: true, expires: 3 },
  "ran-code-when-its-worker-was-gone": {
    turns: [code("1"), { ...calls("a") }, code("2"), { text: "done" }],
    codes: true,
    act: async (stack, run) => {
      await untilStatus(stack, run, "requires_action");
      stack.workers[0]?.kill();
      await stack.startWorker();
      await answer(stack, run, 1);
    },
  },
};

/** Cancels a run whose call of a tool is under way. */
async function cancelInCall(stack: Stack, run: { id: string; thread_id: string }): Promise<void> {
  await waitUntil("the call is made", async () => {
    const { rowCount } = await stack.db.query("select 1 from built_in_calls where run_id = $1 and tries > 0", [run.id]);
    return rowCount === 1;
  });
  await stack.openai.beta.threads.runs.cancel(run.id, { thread_id: run.thread_id });
}

/** A turn that runs code, once for each piece. */
function code(...pieces: string[]) {
  return { tool_calls: pieces.map((piece) => ({ name: "code_interpreter", arguments: { code: piece } })) };
}

/** A turn that searches files, once for each query. */
function search(...queries: string[]) {
  return { tool_calls: queries.map((query) => ({ name: "file_search", arguments: { queries: [query] } })) };
}

async function untilStatus(stack: Stack, run: { id: string; thread_id: string }, status: string): Promise<void> {
  await waitUntil(`the run is ${status}`, async () => {
    const now = await stack.openai.beta.threads.runs.retrieve(run.id, { thread_id: run.thread_id });
    return now.status === status;
  });
}

async function answer(stack: Stack, run: { id: string; thread_id: string }, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await untilStatus(stack, run, "requires_action");
    const now = await stack.openai.beta.threads.runs.retrieve(run.id, { thread_id: run.thread_id });
    const pending = now.required_action?.submit_tool_outputs.tool_calls ?? [];
    await stack.openai.beta.threads.runs.submitToolOutputs(run.id, {
      thread_id: run.thread_id,
      tool_outputs: pending.map((call) => ({ tool_call_id: call.id, output: "found" })),
    });
  }
}

async function recordPath(stack: Stack, temporal: Client, name: string, path: Path): Promise<void> {
  if (existsSync(fileOf(name))) return;
  const { openai } = stack;
  const assistant = await openai.beta.assistants.create({
    model: "gpt-4o",
    tools: [
      lookup,
      ...(path.searches === true ? [{ type: "file_search" } as const] : []),
      ...(path.codes === true ? [{ type: "code_interpreter" } as const] : []),
    ],
    tool_resources: { file_search: { vector_store_ids: path.searches === true ? [await makeStore(stack)] : [] } },
  });
  const thread = await openai.beta.threads.create({
    messages: [{ role: "user", content: scripted(path.turns, name) }],
  });
  const run = await openai.beta.threads.runs.create(thread.id, {
    assistant_id: assistant.id,
    ...(path.expires === undefined ? {} : { expires_after_seconds: path.expires }),
  });
  await path.act?.(stack, run);
  await waitUntil("the run has ended", async () => {
    const now = await openai.beta.threads.runs.retrieve(run.id, { thread_id: thread.id });
    return ENDS.includes(now.status);
  });
  await save(temporal, name, run.id);
}

const fileOf = (name: string): URL => new URL(`./${GENERATION}-${name}.json`, import.meta.url);

async function save(temporal: Client, name: string, workflowId: string): Promise<void> {
  const handle = temporal.workflow.getHandle(workflowId);
  await handle.result().catch(() => undefined); // one that was cancelled ends so
  await writeFile(fileOf(name), withoutStacks(historyToJSON(await handle.fetchHistory())));
  console.log(`recorded ${name}`);
}

/** Stack traces name folders of the machine on which they were made. */
function withoutStacks(history: string): string {
  const kept = JSON.parse(history, (key, value: unknown) => (key === "stackTrace" ? undefined : value)) as unknown;
  return `${JSON.stringify(kept, null, 2)}\n`;
}

await globalSetup();
const stack = await startStack({
  settings: await codeSettings(),
  reroute: async (given) => ({ ...given, EMBEDDINGS_BASE_URL: given["OPENAI_BASE_URL"] ?? "" }),
});
const connection = await Connection.connect({ address: process.env["TEMPORAL_ADDRESS"] ?? "" });
try {
  const temporal = new Client({ connection });
  for (const [name, path] of Object.entries(paths)) await recordPath(stack, temporal, name, path);
  await recordIngests(
    (name) => !existsSync(fileOf(name)),
    (name, workflowId) => save(temporal, name, workflowId),
  );
} finally {
  await connection.close();
  await stack.stop();
  await globalTeardown();
}
