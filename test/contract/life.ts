// Runs that are moved by a real worker, looked at in every moment of their lives, and everything else that is read on the
// way. All of it happens once, before the rows are tried, and the stories are told at the same time.
import assert from "node:assert/strict";
import { newId } from "../../contract/ids.ts";
import { send } from "../api/raw.ts";
import type { RawAnswer } from "../api/raw.ts";
import type { List } from "../support/app.ts";
import { calls, lookup, scripted } from "../support/scripts.ts";
import type { ScriptedTurn } from "../support/scripts.ts";
import { addText, makeStore } from "../support/searchable-files.ts";
import { readEvents } from "../support/sse.ts";
import type { SentEvent } from "../support/sse.ts";
import { makeNamed } from "../support/named-objects.ts";
import { storeFile } from "../support/stored-files.ts";
import { codeSettings } from "../support/code-settings.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { waitUntil } from "../support/wait-until.ts";
import { ANNOTATED, BUILT_IN_CALLS, FORMAT, NAMED, NO_USAGE, QUOTA, RESOURCES, TOOLS } from "./life-samples.ts";
import { fileIds, storeIds } from "./world.ts";
import type { InThread, Made } from "./world.ts";

export type ObjectName =
  | "vector store"
  | "search page"
  | "store file"
  | "file content"
  | "file batch"
  | "assistant"
  | "thread"
  | "message"
  | "run"
  | "step"
  | "model"
  | "message delta"
  | "step delta";

export interface Specimen {
  moment: string;
  value: object;
}

/** A run at one moment, with what it had made by then. */
export interface Moment {
  run: InThread;
  steps: Made[];
  /** What the run wrote. */
  messages: Made[];
  /** Whole seconds around what brought the run here. */
  from: number;
  to: number;
}

/** Each moment of a run's life that the contract tells apart. */
export type MomentName =
  | "create"
  | "start"
  | "needs functions"
  | "needs a function"
  | "outputs submitted"
  | "restarted"
  | "done"
  | "done after functions"
  | "failed"
  | "failed while speaking"
  | "out of quota"
  | "cancel of a waiting run"
  | "cancelled while waiting"
  | "cancel"
  | "cancelled"
  | "completion tokens used up"
  | "prompt tokens used up"
  | "expired while waiting"
  | "expired while speaking"
  | "left by its reader";

export interface Life {
  stack: Stack;
  specimens: Record<ObjectName, Specimen[]>;
  moments: Record<MomentName, Moment>;
  streams: { run: StreamOf; threadAndRun: StreamOf; outputs: StreamOf; search: StreamOf };
  stop(): Promise<void>;
}

export interface StreamOf {
  /** The events in their order; the last is `done`. */
  events: SentEvent[];
  run: Pick<InThread, "id" | "thread_id">;
  /** What the run's row said when the stream told that it requires action. */
  statusWhenToldToAct?: unknown;
}

const SLOWLY: ScriptedTurn = { text: "word ".repeat(2000), chunk_ms: 20 };
const FOR_A_WHILE: ScriptedTurn = { text: "word ".repeat(20), chunk_ms: 40 };
const SOON = { expires_after_seconds: 2 };
const ENDED = ["cancelled", "failed", "completed", "incomplete", "expired"];

const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** Starts a server and lets it live through everything. To be stopped. */
export async function liveThroughEverything(): Promise<Life> {
  const stack = await startStack();
  await stack.putFiles(...fileIds(2));
  await makeNamed(stack.db, { project: "default", vector_store_ids: storeIds(1) });
  try {
    return await new Witness(stack).see();
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

class Witness {
  readonly #stack: Stack;
  readonly #specimens: Life["specimens"] = {
    assistant: [],
    thread: [],
    message: [],
    run: [],
    step: [],
    model: [],
    "message delta": [],
    "step delta": [],
    "vector store": [],
    "search page": [],
    "store file": [],
    "file content": [],
    "file batch": [],
  };
  readonly #moments: Partial<Life["moments"]> = {};

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  async see(): Promise<Life> {
    const [run, threadAndRun, outputs, search] = await Promise.all([
      this.#streamOfRun(),
      this.#streamOfThreadAndRun(),
      this.#streamOfOutputs(),
      this.#streamOfSearch(),
      this.#plainRun(),
      this.#functionCalls(),
      this.#cancelWhileSpeaking(),
      this.#cancelWhileWaiting(),
      this.#ending("failed", [{ error: { status: 401 } }]),
      this.#ending("failed while speaking", [{ text: "Well, ", finish_reason: "content_filter" }]),
      this.#ending("out of quota", [{ error: { status: 429, body: QUOTA } }]),
      this.#ending("completion tokens used up", [{ text: "word ".repeat(1000) }], { max_completion_tokens: 256 }),
      this.#ending("prompt tokens used up", [{ text: "x" }], {
        max_prompt_tokens: 256,
        additional_messages: [{ role: "user", content: "many different words ".repeat(200) }],
      }),
      this.#ending("expired while waiting", [calls("a")], SOON),
      this.#ending("expired while speaking", [SLOWLY], SOON),
      this.#leftByItsReader(),
      this.#streamOfRefusal(),
      this.#richRuns(),
      this.#assistants(),
      this.#threads(),
      this.#messagesOfClients(),
      this.#stepsOfBuiltInTools(),
      this.#models(),
    ]);
    // By themselves: parsers and code are processes, and the runs above have little time.
    await this.#vectorStores();
    await this.#streamOfCode();
    return {
      stack: this.#stack,
      specimens: this.#specimens,
      moments: this.#moments as Life["moments"],
      streams: { run, threadAndRun, outputs, search },
      stop: () => this.#stack.stop(),
    };
  }

  // --- requests ---

  async #send<Body = Made>(method: string, path: string, body?: unknown): Promise<Body> {
    const answer: RawAnswer = await send(this.#stack, path, { method, body });
    assert.equal(answer.status, 200, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body as Body;
  }

  async #list(path: string): Promise<Made[]> {
    return (await this.#send<List<Made>>("GET", `${path}?order=asc`)).data;
  }

  /** Sees an object: it will be held against the table of its fields. */
  #keep(name: ObjectName, moment: string, value: Made): Made {
    this.#specimens[name].push({ moment, value });
    return value;
  }

  async #prepare(turns: readonly ScriptedTurn[], assistant: object = { tools: [lookup] }) {
    const { id: assistant_id } = await this.#send("POST", "/assistants", { model: "gpt-4o", ...assistant });
    const content = scripted(turns, newId("key_"));
    const { id } = await this.#send("POST", "/threads", { messages: [{ role: "user", content }] });
    return { assistant_id, path: `/threads/${id}/runs` };
  }

  /** Makes a run and sees it in its first moment. */
  async #begin(turns: readonly ScriptedTurn[], body: object = {}, assistant?: object): Promise<Moment> {
    const { assistant_id, path } = await this.#prepare(turns, assistant);
    const from = nowSeconds();
    const run = await this.#send<InThread>("POST", path, { assistant_id, ...body });
    this.#keep("run", "create", run);
    return { run, steps: [], messages: [], from, to: nowSeconds() };
  }

  /** Waits until a run is there, and sees it with everything that it made. */
  async #see(name: string, { run, from }: Moment, isThere: (run: Made) => boolean): Promise<Moment> {
    const path = pathOf(run);
    const seen = await waitUntil(`a run is there: ${name}`, async () => {
      const now = await this.#send<InThread>("GET", path);
      return isThere(now) && now;
    });
    // Messages first: the step of each of them is then among the steps.
    const { data: messages } = await this.#send<List<Made>>(
      "GET",
      `/threads/${run.thread_id}/messages?run_id=${run.id}&order=asc`,
    );
    const steps = await this.#list(`${path}/steps`);
    const moment = { run: seen, steps, messages, from, to: nowSeconds() };
    this.#keep("run", name, seen);
    for (const step of steps) this.#keep("step", name, step);
    for (const message of messages) this.#keep("message", name, message);
    return moment;
  }

  async #seeMoment(name: MomentName, before: Moment, isThere: (run: Made) => boolean): Promise<Moment> {
    const moment = await this.#see(name, before, isThere);
    this.#moments[name] = moment;
    return moment;
  }

  /** Does something to a run and takes the answer as a moment of its own. */
  async #act(name: MomentName, before: Moment, action: string, body?: object): Promise<Moment> {
    const from = nowSeconds();
    const run = await this.#send<InThread>("POST", `${pathOf(before.run)}/${action}`, body);
    const moment = { ...before, run, from, to: nowSeconds() };
    this.#keep("run", name, run);
    this.#moments[name] = moment;
    return moment;
  }

  // --- lives of runs ---

  async #plainRun(): Promise<void> {
    const created = await this.#begin([{ text: "Done." }], {}, {});
    this.#moments.create = created;
    await this.#seeMoment("done", created, hasEnded);
  }

  async #functionCalls(): Promise<void> {
    const created = await this.#begin([{ text: "Let me see.", ...calls("a", "b") }, FOR_A_WHILE]);
    const waiting = await this.#seeMoment("needs functions", created, isWaiting);
    // Times are whole seconds: a later start can only be told from the first one when one has gone by.
    await waitUntil("a second has gone by", () => nowSeconds() > Number(waiting.run["started_at"]));
    const tool_outputs = callsOf(waiting.run).map(({ id }) => ({ tool_call_id: id, output: "17" }));
    const submitted = await this.#act("outputs submitted", waiting, "submit_tool_outputs", { tool_outputs });
    const restarted = await this.#seeMoment("restarted", submitted, isInProgress);
    await this.#seeMoment("done after functions", restarted, hasEnded);
  }

  async #cancelWhileSpeaking(): Promise<void> {
    const created = await this.#begin([SLOWLY]);
    await waitUntil("the run speaks", async () => (await this.#list(`${pathOf(created.run)}/steps`)).length > 0);
    const started = await this.#seeMoment("start", created, isInProgress);
    const cancelling = await this.#act("cancel", started, "cancel");
    await this.#seeMoment("cancelled", cancelling, hasEnded);
  }

  async #cancelWhileWaiting(): Promise<void> {
    const waiting = await this.#seeMoment("needs a function", await this.#begin([calls("a")]), isWaiting);
    const cancelling = await this.#act("cancel of a waiting run", waiting, "cancel");
    await this.#seeMoment("cancelled while waiting", cancelling, hasEnded);
  }

  async #ending(name: MomentName, turns: readonly ScriptedTurn[], body: object = {}): Promise<void> {
    await this.#seeMoment(name, await this.#begin(turns, body), hasEnded);
  }

  /** Runs that make every optional part of an answer appear. */
  async #richRuns(): Promise<void> {
    const overrides = {
      instructions: "Be short.",
      metadata: { order: "17" },
      temperature: 0.5,
      top_p: 0.5,
      reasoning_effort: "low",
      max_prompt_tokens: 5000,
      max_completion_tokens: 400,
      truncation_strategy: { type: "last_messages", last_messages: 3 },
      parallel_tool_calls: false,
    };
    const forced = { tool_choice: { type: "function", function: { name: "lookup" } } };
    const withFunction = { tools: [lookup], response_format: FORMAT };
    const withTools = { tools: TOOLS, tool_resources: RESOURCES };
    for (const [name, body, assistant, turn] of [
      ["done, with a forced function", { ...overrides, ...forced }, withFunction, { text: "{}" }],
      ["done, with every tool", overrides, withTools, { text: "x" }],
      ["done, with a refusal", {}, {}, { refusal: "I cannot help with that." }],
    ] as const) {
      await this.#see(name, await this.#begin([turn], body, assistant), hasEnded);
    }
    const { assistant_id } = await this.#prepare([], {});
    const run = await this.#send("POST", "/threads/runs", { assistant_id, tool_resources: RESOURCES });
    this.#keep("run", "created with a thread and resources", run);
  }

  // --- other objects ---

  async #assistants(): Promise<void> {
    for (const [moment, body] of [
      ["created with a model only", {}],
      ["created with every tool", { ...NAMED, tools: TOOLS, tool_resources: RESOURCES }],
      ["created with a form of answer", { ...NAMED, tools: [lookup], response_format: FORMAT }],
    ] as const) {
      const made = this.#keep("assistant", moment, await this.#send("POST", "/assistants", { model: "m", ...body }));
      const path = `/assistants/${made.id}`;
      this.#keep("assistant", `${moment}, read`, await this.#send("GET", path));
      this.#keep("assistant", `${moment}, listed`, (await this.#listOf("/assistants", made.id)) as Made);
      const cleared = Object.fromEntries(
        Object.keys({ ...NAMED, tools: [], response_format: null }).map((key) => [key, null]),
      );
      this.#keep("assistant", `${moment}, then cleared`, await this.#send("POST", path, cleared));
    }
  }

  async #listOf(path: string, id: string): Promise<Made | undefined> {
    return (await this.#list(`${path}`)).find((item) => item.id === id) ?? (await this.#send("GET", `${path}/${id}`));
  }

  async #threads(): Promise<void> {
    for (const [moment, body] of [
      ["created from nothing", undefined],
      ["created with resources", { metadata: { a: "b" }, tool_resources: RESOURCES }],
    ] as const) {
      const made = this.#keep("thread", moment, await this.#send("POST", "/threads", body));
      this.#keep("thread", `${moment}, read`, await this.#send("GET", `/threads/${made.id}`));
      this.#keep("thread", `${moment}, modified`, await this.#send("POST", `/threads/${made.id}`, { metadata: null }));
    }
  }

  async #messagesOfClients(): Promise<void> {
    const { id } = await this.#send("POST", "/threads");
    const path = `/threads/${id}/messages`;
    const [file_id] = fileIds(1);
    const attachments = [{ file_id, tools: [{ type: "code_interpreter" }, { type: "file_search" }] }];
    const content = [
      { type: "text", text: "Look" },
      { type: "image_file", image_file: { file_id, detail: "low" } },
      { type: "image_url", image_url: { url: "https://example.com/a.png" } },
    ];
    for (const body of [
      { content: "Hi" },
      { content, attachments, metadata: { a: "b" } },
      { role: "assistant", content },
    ]) {
      const made = await this.#send("POST", path, { role: "user", ...body });
      this.#keep("message", "created by a client", made);
      this.#keep("message", "created by a client, read", await this.#send("GET", `${path}/${made.id}`));
    }
    // One of each kind, as no single run would make them.
    const made = await this.#send("POST", path, { role: "assistant", content: "x" });
    await this.#stack.db.query("update messages set content = $2 where id = $1", [made.id, JSON.stringify(ANNOTATED)]);
    for (const message of await this.#list(path)) this.#keep("message", "listed", message);
  }

  /** Written here, with one of each kind of output, as no single run would make them. */
  async #stepsOfBuiltInTools(): Promise<void> {
    const { run } = await this.#see("done", await this.#begin([{ text: "x" }], {}, {}), hasEnded);
    const step = newId("step_");
    await this.#stack.db.query(
      `insert into run_steps (id, project_id, run_id, thread_id, assistant_id, turn, type, status, completed_at, step_details, usage)
       select $1, project_id, id, thread_id, assistant_id, 1, 'tool_calls', 'completed', now(), $3, $4 from runs where id = $2`,
      [step, run.id, JSON.stringify(BUILT_IN_CALLS), JSON.stringify(NO_USAGE)],
    );
    const path = `${pathOf(run)}/steps/${step}`;
    this.#keep("step", "with built-in tools", await this.#send("GET", path));
    const include = encodeURIComponent("step_details.tool_calls[*].file_search.results[*].content");
    this.#keep("step", "with built-in tools and content", await this.#send("GET", `${path}?include[]=${include}`));
  }

  async #vectorStores(): Promise<void> {
    const file_ids = await Promise.all([
      storeFile(this.#stack, { content: "The heron stands in the shallow water." }),
      storeFile(this.#stack, { content: "" }),
    ]);
    const body = {
      name: "birds",
      description: "All about birds",
      expires_after: { anchor: "last_active_at", days: 3 },
    };
    const store = await this.#send("POST", "/vector_stores", body);
    this.#keep("vector store", "empty", store);
    const path = `/vector_stores/${store.id}`;
    const files = file_ids.map((file_id) => ({ file_id, attributes: { year: 2024 } }));
    const batch = await this.#send("POST", `${path}/file_batches`, { files });
    this.#keep("file batch", "just made", batch);
    this.#keep("vector store", "with a batch", await this.#send("GET", path));
    this.#keep("store file", "just added", await this.#send("GET", `${path}/files/${file_ids[0]}`));
    await waitUntil("the batch is through", async () => {
      return (await this.#send("GET", `${path}/file_batches/${batch.id}`))["status"] === "completed";
    });
    this.#keep("file batch", "through", await this.#send("GET", `${path}/file_batches/${batch.id}`));
    this.#keep("vector store", "filled", await this.#send("GET", path));
    for (const id of file_ids) this.#keep("store file", "through", await this.#send("GET", `${path}/files/${id}`));
    this.#keep("file content", "of a text", await this.#send("GET", `${path}/files/${file_ids[0]}/content`));
    this.#keep("search page", "with a hit", await this.#send("POST", `${path}/search`, { query: "heron" }));
    const plain = await this.#send("POST", "/vector_stores", {});
    this.#keep("vector store", "of nothing", plain);
  }

  async #models(): Promise<void> {
    const models = await waitUntil("models are listed", async () => {
      const { data } = await this.#send<List<Made>>("GET", "/models");
      return data.length > 0 && data;
    });
    for (const model of models) this.#keep("model", "listed", model);
    const first = models[0] as Made;
    this.#keep("model", "read", await this.#send("GET", `/models/${encodeURIComponent(first.id)}`));
  }

  // --- streams ---

  async #streamOfRun(): Promise<StreamOf> {
    const { assistant_id, path } = await this.#prepare([{ text: "Let me see.", ...calls("a") }, { text: "Done." }]);
    return this.#stream(path, { assistant_id });
  }

  async #streamOfThreadAndRun(): Promise<StreamOf> {
    const { assistant_id } = await this.#prepare([], {});
    const messages = [{ role: "user", content: scripted([{ text: "Done." }]) }];
    return this.#stream("/threads/runs", { assistant_id, thread: { messages } });
  }

  async #streamOfRefusal(): Promise<void> {
    const { assistant_id, path } = await this.#prepare([{ refusal: "I cannot help with that." }], {});
    await this.#stream(path, { assistant_id });
  }

  async #streamOfOutputs(): Promise<StreamOf> {
    const created = await this.#begin([calls("a", "b"), { text: "Done." }]);
    const { run } = await this.#see("needs functions", created, isWaiting);
    const tool_outputs = callsOf(run).map(({ id }) => ({ tool_call_id: id, output: "17" }));
    return this.#stream(`${pathOf(run)}/submit_tool_outputs`, { tool_outputs });
  }

  /** A search whose answer cites, and then everything that can be read of it. */
  async #streamOfSearch(): Promise<StreamOf> {
    const store = await makeStore(this.#stack);
    await addText(this.#stack, store, {
      filename: "b.txt",
      text: "The answer is 42.",
      attributes: { year: "2024" },
    });
    const { assistant_id, path } = await this.#prepare(
      [
        { tool_calls: [{ name: "file_search", arguments: { queries: ["answer"] } }] },
        { chunks: ["😀 It is 42【", "0:0", "†b.txt】 and not 43【", "8:8†b.txt】."], chunk_ms: 30 },
      ],
      { tools: [{ type: "file_search" }], tool_resources: { file_search: { vector_store_ids: [store] } } },
    );
    const stream = await this.#stream(path, { assistant_id });
    for (const step of await this.#list(`${pathOf(stream.run)}/steps`)) this.#keep("step", "of a search", step);
    for (const message of await this.#list(`/threads/${stream.run.thread_id}/messages`))
      this.#keep("message", "that cites", message);
    return stream;
  }

  /** Code that prints, draws and writes a file, an answer that links it, and then everything that can be read of it. */
  async #streamOfCode(): Promise<void> {
    // Getting ready to run code keeps a machine busy for some seconds, so the worker that had all the rest to do does not.
    await Promise.all(this.#stack.workers.map((worker) => worker.stop()));
    await this.#stack.startWorker(await codeSettings());
    const code = `import matplotlib.pyplot as plt
open("/mnt/data/a.txt", "w").write("a")
plt.plot([1, 2])
plt.show()
print("42")`;
    const { assistant_id, path } = await this.#prepare(
      [{ tool_calls: [{ name: "code_interpreter", arguments: { code } }] }, { text: "[a](sandbox:/mnt/data/a.txt)" }],
      { tools: [{ type: "code_interpreter" }] },
    );
    const { run } = await this.#stream(path, { assistant_id });
    for (const step of await this.#list(`${pathOf(run)}/steps`)) this.#keep("step", "of code", step);
    for (const message of await this.#list(`/threads/${run.thread_id}/messages`))
      this.#keep("message", "of code", message);
  }

  #keepStreamed({ event, data }: SentEvent): void {
    const name = CARRIED.find(([pattern]) => pattern.test(event))?.[1];
    if (name !== undefined) this.#specimens[name].push({ moment: `in ${event}`, value: data as object });
  }

  /** Hangs up at the first words. */
  async #leftByItsReader(): Promise<void> {
    const { assistant_id, path } = await this.#prepare([FOR_A_WHILE], {});
    const from = nowSeconds();
    let run: InThread | undefined;
    for await (const { event, data } of readEvents(await this.#openStream(path, { assistant_id }))) {
      if (event === "thread.run.created") run = data as InThread;
      if (event === "thread.message.delta") break;
    }
    assert.ok(run);
    await this.#seeMoment("left by its reader", { run, steps: [], messages: [], from, to: from }, hasEnded);
  }

  #openStream(path: string, body: object): Promise<Response> {
    const { baseURL, apiKey } = this.#stack;
    return fetch(`${baseURL}${path}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${apiKey}`,
        "openai-beta": "assistants=v2",
        "content-type": "application/json",
        accept: "application/json",
      },
      body: JSON.stringify({ ...body, stream: true }),
    });
  }

  async #stream(path: string, body: object): Promise<StreamOf> {
    const stream: StreamOf = { events: [], run: { id: "", thread_id: "" } };
    for await (const event of readEvents(await this.#openStream(path, body))) {
      stream.events.push(event);
      this.#keepStreamed(event);
      if (!/^thread\.run\.[a-z_]+$/.test(event.event)) continue;
      stream.run = event.data as StreamOf["run"];
      if (event.event !== "thread.run.requires_action") continue;
      stream.statusWhenToldToAct = (await this.#send("GET", pathOf(stream.run)))["status"];
    }
    return stream;
  }
}

/** What each event of a stream carries: the objects themselves, or pieces of them. */
const CARRIED: readonly [RegExp, ObjectName][] = [
  [/^thread\.created$/, "thread"],
  [/^thread\.run\.step\.delta$/, "step delta"],
  [/^thread\.run\.step\./, "step"],
  [/^thread\.run\./, "run"],
  [/^thread\.message\.delta$/, "message delta"],
  [/^thread\.message\./, "message"],
];

export function pathOf(run: Pick<InThread, "id" | "thread_id">): string {
  return `/threads/${run.thread_id}/runs/${run.id}`;
}

export interface Call {
  id: string;
  type: string;
  function: { name: string; arguments: string; output?: string | null };
}

/** The calls that a run waits for. */
export function callsOf(run: Made): Call[] {
  const action = run["required_action"] as { submit_tool_outputs: { tool_calls: Call[] } } | null;
  return action?.submit_tool_outputs.tool_calls ?? [];
}

const isWaiting = (run: Made) => run["status"] === "requires_action";
const isInProgress = (run: Made) => run["status"] === "in_progress";
const hasEnded = (run: Made) => ENDED.includes(String(run["status"]));
