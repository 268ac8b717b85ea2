// One run of every kind, on a running stack: how they ended, what was asked for between, and what clients were told.
import { newId } from "../../contract/ids.ts";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { Run, RunCreateParamsNonStreaming } from "openai/resources/beta/threads/runs/runs";
import type { RunStatus } from "../../contract/run-state.ts";
import { calls, lookup, scripted } from "../support/scripts.ts";
import type { ScriptedTurn } from "../support/scripts.ts";
import { addText, makeStore } from "../support/searchable-files.ts";
import { readEvents } from "../support/sse.ts";
import type { SentEvent } from "../support/sse.ts";
import type { Stack } from "../support/stack.ts";
import { waitUntil } from "../support/wait-until.ts";

export interface RunRef {
  id: string;
  thread_id: string;
}

/** Everything that clients were told, as lists that can be tampered with. */
export interface Told {
  runs: RunRef[];
  messages: { id: string; thread_id: string }[];
  deleted: string[];
  statuses: { run_id: string; thread_id: string; status: RunStatus }[];
  outputs: { run_id: string; thread_id: string; tool_call_id: string; output: string }[];
  streams: { run_id: string; events: SentEvent[] }[];
}

/** A turn that searches files, and what else it does. */
const searches = (...more: object[]) => ({
  tool_calls: [{ name: "file_search", arguments: { queries: ["notes"] } }, ...more],
});

const WRITE = [
  'open("/mnt/data/a.txt", "w").write("a")',
  'print("written")',
  "import matplotlib.pyplot as plt",
  "plt.plot([1, 4, 9])",
  "plt.show()",
].join("\n");

const KINDS = {
  plain: { turns: [{ text: "An answer. ".repeat(20) }] },
  refused: { turns: [{ refusal: "I would rather not." }] },
  streamed: { turns: [{ text: "A streamed answer. ".repeat(20), chunk_ms: 2 }], stream: true },
  called: { turns: [calls("a", "b"), { text: "One more. ", ...calls("c") }, calls("d"), { text: "Found." }] },
  calledAndStreamed: { turns: [calls("a"), { text: "Found." }], stream: true },
  retried: { turns: [{ text: "Half an answer, or all of it.", cut_after_chunks: 4, times: 1 }] },
  retriedCalls: {
    turns: [{ text: "One more. ", ...calls("abcdefgh"), cut_after_chunks: 5, times: 1 }, { text: "Found." }],
  },
  searched: { turns: [{ text: "Let me see. ", ...searches() }, { text: "It is so【0:0†notes.txt】." }], stream: true },
  searchedAndCalled: {
    turns: [searches(...calls("a").tool_calls), { text: "Found." }],
  },
  searchedTwice: { turns: [searches(), searches(...searches().tool_calls), { text: "So【2:0†x】, so【0:0†x】." }] },
  coded: {
    turns: [
      { tool_calls: [{ name: "code_interpreter", arguments: { code: WRITE } }] },
      { text: "See [it](sandbox:/mnt/data/a.txt)." },
    ],
    stream: true,
  },
  failed: { turns: [{ error: { status: 400 } }] },
  filtered: { turns: [{ text: "Well, ", finish_reason: "content_filter" }] },
  incomplete: { turns: [{ text: "word ".repeat(1000) }], options: { max_completion_tokens: 256 } },
  incompleteCalls: { turns: [{ ...calls("a"), finish_reason: "length" }] },
  cancelledSpeaking: { turns: [{ text: "word ".repeat(1000), chunk_ms: 20 }], until: "speaks", finally: "cancel" },
  cancelledWaiting: { turns: [calls("a")], until: "waits", finally: "cancel" },
  expiredSpeaking: {
    turns: [{ text: "Still here. ", hang_after_chunks: 1 }],
    options: { expires_after_seconds: 2 },
    until: "expires",
  },
  expiredWaiting: { turns: [calls("a")], until: "waits", finally: "expire" },
  deleted: { turns: [{ text: "Gone soon." }], finally: "delete" },
  deletedSpeaking: { turns: [{ text: "word ".repeat(1000), chunk_ms: 20 }], until: "speaks", finally: "delete" },
  deletedMessage: { turns: [{ text: "Taken back." }], finally: "delete message" },
  waiting: { turns: [calls("a", "b")], options: { expires_after_seconds: 86_400 }, until: "waits" },
  waitingToo: { turns: [calls("a")], options: { expires_after_seconds: 86_400 }, until: "waits" },
  speaking: {
    turns: [{ text: "Still here. ", hang_after_chunks: 1 }],
    options: { expires_after_seconds: 86_400 },
    until: "speaks",
  },
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;

interface Kind {
  turns: readonly ScriptedTurn[];
  options?: Partial<RunCreateParamsNonStreaming> & { expires_after_seconds?: number };
  stream?: boolean;
  /** How far the run is followed; to its end unless told, with outputs submitted on the way. */
  until?: "speaks" | "waits" | "expires";
  finally?: "cancel" | "expire" | "delete" | "delete message";
}

export interface MixedRuns {
  runs: Record<KindName, RunRef>;
  /** A run of version 1, with files. */
  old: RunRef;
  /** The step whose message a client has deleted. */
  stepOfDeletedMessage: string;
  told: Told;
}

/** Makes them all. Those that wait, and the one that speaks, are left that way. */
export async function makeMixedRuns(stack: Stack): Promise<MixedRuns> {
  const told: Told = { runs: [], messages: [], deleted: [], statuses: [], outputs: [], streams: [] };
  const store = await makeStore(stack);
  await addText(stack, store, { filename: "notes.txt", text: "These are notes." });
  const assistant = await stack.openai.beta.assistants.create({
    model: "gpt-4o",
    tools: [lookup, { type: "file_search" }, { type: "code_interpreter" }],
    tool_resources: { file_search: { vector_store_ids: [store] } },
  });
  const made = await Promise.all(
    Object.entries(KINDS).map(async ([name, kind]) => [name, await makeRun(stack, told, assistant.id, kind)] as const),
  );
  const runs = Object.fromEntries(made) as Record<KindName, RunRef>;
  const { id, thread_id } = runs.deletedMessage;
  const [step] = (await stack.openai.beta.threads.runs.steps.list(id, { thread_id })).data;
  return { runs, old: await makeOldRun(stack), stepOfDeletedMessage: step?.id ?? "", told };
}

async function makeRun(stack: Stack, told: Told, assistant_id: string, kind: Kind): Promise<RunRef> {
  const { threads } = stack.openai.beta;
  const { id: thread_id } = await threads.create();
  const path = `/threads/${thread_id}`;
  const content = scripted(kind.turns, randomUUID());
  const message = await post<{ id: string }>(stack, `${path}/messages`, { role: "user", content });
  told.messages.push({ id: message.id, thread_id });

  const body = { assistant_id, ...kind.options };
  const id = kind.stream
    ? await readRun(stack, told, `${path}/runs`, body)
    : (await post<Run>(stack, `${path}/runs`, body)).id;
  const run = { id, thread_id };
  told.runs.push(run);
  await follow(stack, told, run, kind);
  await finish(stack, told, run, kind);
  return run;
}

/** Follows a run until it rests where it is to rest. */
async function follow(stack: Stack, told: Told, run: RunRef, kind: Kind): Promise<void> {
  const { threads } = stack.openai.beta;
  for (;;) {
    const now = await waitUntil(
      `${run.id} rests`,
      async () => {
        const found = await threads.runs.retrieve(run.id, { thread_id: run.thread_id });
        if (kind.until === "speaks") return (await hasSpoken(stack, run)) && found;
        if (kind.until === "expires") return found.status === "expired" && found;
        return !["queued", "in_progress", "cancelling"].includes(found.status) && found;
      },
      60_000,
    );
    told.statuses.push({ run_id: run.id, thread_id: run.thread_id, status: now.status });
    if (now.status !== "requires_action" || kind.until !== undefined) return;
    await submit(stack, told, now, kind.stream === true);
  }
}

async function submit(stack: Stack, told: Told, run: Run, stream: boolean): Promise<void> {
  const pending = run.required_action?.submit_tool_outputs.tool_calls ?? [];
  const tool_outputs = pending.map(({ id }) => ({ tool_call_id: id, output: `found for ${id}` }));
  const path = `/threads/${run.thread_id}/runs/${run.id}/submit_tool_outputs`;
  if (stream) await readRun(stack, told, path, { tool_outputs });
  else await post(stack, path, { tool_outputs });
  const where = { run_id: run.id, thread_id: run.thread_id };
  told.outputs.push(...tool_outputs.map((output) => ({ ...where, ...output })));
}

async function finish(stack: Stack, told: Told, run: RunRef, { finally: last }: Kind): Promise<void> {
  const { threads } = stack.openai.beta;
  const { thread_id } = run;
  if (last === "cancel") {
    await post(stack, `/threads/${thread_id}/runs/${run.id}/cancel`, {});
    await waitUntil(
      `${run.id} is cancelled`,
      async () => (await threads.runs.retrieve(run.id, { thread_id })).status === "cancelled",
    );
  }
  if (last === "expire") {
    await stack.db.query("update runs set expires_at = now(), check_at = now() where id = $1", [run.id]);
    await waitUntil(
      `${run.id} has expired`,
      async () => (await threads.runs.retrieve(run.id, { thread_id })).status === "expired",
    );
  }
  if (last === "delete") {
    told.deleted.push(thread_id);
    await threads.delete(thread_id);
  }
  if (last === "delete message") {
    const [answer] = (await threads.messages.list(thread_id, { run_id: run.id })).data;
    assert.ok(answer);
    told.deleted.push(answer.id);
    await threads.messages.delete(answer.id, { thread_id });
  }
}

async function hasSpoken(stack: Stack, run: RunRef): Promise<boolean> {
  const { rowCount } = await stack.db.query("select 1 from run_deltas where run_id = $1", [run.id]);
  return rowCount !== 0;
}

async function makeOldRun(stack: Stack): Promise<RunRef> {
  const v1 = { "openai-beta": "assistants=v1" };
  const tools = [{ type: "code_interpreter" }, { type: "retrieval" }];
  const file_ids = [newId("file-"), newId("file-")];
  await stack.putFiles(...file_ids);
  const assistant = await post<{ id: string }>(stack, "/assistants", { model: "gpt-4", tools, file_ids }, v1);
  const content = scripted([{ text: "As in 2023." }]);
  const messages = [{ role: "user", content, file_ids }];
  const body = { assistant_id: assistant.id, thread: { messages } };
  const { id, thread_id } = await post<RunRef>(stack, "/threads/runs", body, v1);
  const { runs } = stack.openai.beta.threads;
  await waitUntil(`${id} ends`, async () => (await runs.retrieve(id, { thread_id })).status === "completed");
  return { id, thread_id };
}

async function readRun(stack: Stack, told: Told, path: string, body: object): Promise<string> {
  const events: SentEvent[] = [];
  for await (const event of readEvents(await request(stack, path, { ...body, stream: true }))) events.push(event);
  const created = events.find(({ event }) => event === "thread.run.created");
  const run_id = path.match(/run_[A-Za-z0-9]+/)?.[0] ?? (created as { data: { id: string } }).data.id;
  told.streams.push({ run_id, events });
  return run_id;
}

/** Every post has a key, as that of a careful client has. */
async function post<Body>(stack: Stack, path: string, body: object, headers = {}): Promise<Body> {
  const response = await request(stack, path, body, { "idempotency-key": randomUUID(), ...headers });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text) as Body;
}

async function request(stack: Stack, path: string, body: object, headers = {}): Promise<Response> {
  return fetch(`${stack.baseURL}${path}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${stack.apiKey}`,
      "openai-beta": "assistants=v2",
      "content-type": "application/json",
      ...headers,
    },
    body: JSON.stringify(body),
  });
}
