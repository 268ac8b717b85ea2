// Plays a planned run through the whole server by raw streams, and keeps every byte of them together with what the API
// shows of the run when they are over.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { Message } from "openai/resources/beta/threads/messages";
import type { Run } from "openai/resources/beta/threads/runs/runs";
import type { RunStep } from "openai/resources/beta/threads/runs/steps";
import { newId } from "../../contract/ids.ts";
import { script } from "../api/conversation.ts";
import { send } from "../api/raw.ts";
import { collect } from "../api/sdk.ts";
import type { StreamedEvent, StreamKind } from "../support/event-grammar.ts";
import { readEvents } from "../support/sse.ts";
import type { SentEvent } from "../support/sse.ts";
import type { Stack } from "../support/stack.ts";
import { FUNCTION_NAMES, speaksBeforeEnd, toScript } from "./model-outputs.ts";
import type { PlannedRun } from "./model-outputs.ts";
import { toResponse } from "./sse-readers.ts";

/** Of runs that expire while their model is silent. */
const LIFETIME_SECONDS = 1;

/** One stream of a run. */
export interface Recording {
  kind: StreamKind;
  bytes: Uint8Array;
  /** Read strictly, `done` included. */
  events: StreamedEvent[];
  /** What the API shows behind the stream's end. */
  run: Run;
  steps: RunStep[];
}

export interface PlayedRun {
  recordings: Recording[];
  /** The run at its end. */
  run: Run;
  steps: RunStep[];
  /** What the run wrote, oldest first. */
  messages: Message[];
  /** The outputs that were submitted, by call. */
  outputs: Map<string, string>;
  /** All events of the run as whoever joins it gets them, with their positions. */
  joined: SentEvent[];
}

/** The assistant of all runs: it is offered every function. */
export async function makeAssistant(stack: Stack): Promise<string> {
  const tools = FUNCTION_NAMES.map((name) => ({
    type: "function" as const,
    function: { name, parameters: { type: "object", properties: {} } },
  }));
  return (await stack.openai.beta.assistants.create({ model: "gpt-4o", tools })).id;
}

/** Streams a run from its creation to its end, and submits outputs for whatever it calls. */
export async function play(stack: Stack, assistant_id: string, plan: PlannedRun): Promise<PlayedRun> {
  const content = script(
    toScript(plan, () => newId("call_")),
    randomUUID(),
  );
  const messages = [{ role: "user", content }];
  const lifetime = plan.end === "expired" ? { expires_after_seconds: LIFETIME_SECONDS } : {};
  const body = { assistant_id, parallel_tool_calls: plan.parallel, stream: true, ...lifetime };
  const cancelling = plan.end === "cancelled" ? plan : undefined;
  const player = new Player(stack, cancelling);
  if (plan.withThread) await player.stream("create thread and run", "/threads/runs", { ...body, thread: { messages } });
  else {
    const thread = (await send(stack, "/threads", { method: "POST", body: { messages } })).body as { id: string };
    await player.stream("create run", `/threads/${thread.id}/runs`, body);
  }
  const outputs = new Map<string, string>();
  for (let round = 1; player.last.run.status === "requires_action"; round += 1) {
    assert.ok(round <= plan.turns.length, "no more rounds than planned");
    const calls = player.last.run.required_action?.submit_tool_outputs.tool_calls ?? [];
    const tool_outputs = calls.map(({ id }, index) => {
      const output = plan.outputs[(round + index) % plan.outputs.length] ?? "";
      outputs.set(id, output);
      return { tool_call_id: id, output };
    });
    const { path } = player;
    await player.stream("submit outputs", `${path}/submit_tool_outputs`, { tool_outputs, stream: true });
  }
  const { run, steps } = player.last;
  const listed = await send(stack, `/threads/${run.thread_id}/messages?order=asc&limit=100&run_id=${run.id}`);
  const written = (listed.body as { data: Message[] }).data;
  const joined = await collect(readEvents(await player.request(`${player.path}/events`)));
  return { recordings: player.recordings, run, steps, messages: written, outputs, joined };
}

class Player {
  readonly #stack: Stack;
  /** Is to be cancelled while its last turn is under way. */
  readonly #cancelling: PlannedRun | undefined;
  readonly recordings: Recording[] = [];
  path = "";

  constructor(stack: Stack, cancelling: PlannedRun | undefined) {
    this.#stack = stack;
    this.#cancelling = cancelling;
  }

  get last(): Recording {
    const last = this.recordings.at(-1);
    assert.ok(last);
    return last;
  }

  async stream(kind: StreamKind, path: string, body: object): Promise<void> {
    const response = await this.request(path, body);
    assert.equal(response.status, 200);
    const endsHere = this.recordings.length === this.#cancelling?.endsIn;
    const bytes = await readBytes(response, endsHere ? (text) => this.#cancelAt(text) : undefined);
    const events = await collect(readEvents(toResponse([bytes])));
    assert.ok(events.every(({ id }) => id === undefined));
    this.path = pathOf(events);
    const run = (await send(this.#stack, this.path)).body as Run;
    const listed = await send(this.#stack, `${this.path}/steps?order=asc&limit=100`);
    const { data: steps } = listed.body as { data: RunStep[] };
    this.recordings.push({ kind, bytes, events: events.map(({ event, data }) => ({ event, data })), run, steps });
  }

  request(path: string, body?: object): Promise<Response> {
    const { baseURL, apiKey } = this.#stack;
    const headers = { authorization: `Bearer ${apiKey}`, "openai-beta": "assistants=v2" };
    if (body === undefined) return fetch(`${baseURL}${path}`, { headers });
    return fetch(`${baseURL}${path}`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  }

  /** Cancels when the turn has begun to speak; or before that, where it does not speak or every other time. */
  async #cancelAt(text: string): Promise<boolean> {
    const plan = this.#cancelling;
    const begun = text.indexOf("event: thread.run.in_progress\n");
    const end = text.indexOf("\n\n", begun);
    if (plan === undefined || begun === -1 || end === -1) return false;
    if (plan.endAfter % 2 === 1 && speaksBeforeEnd(plan) && !text.includes(".delta\n", end)) return false;
    const data = JSON.parse(text.slice(text.indexOf("\ndata: ", begun) + "\ndata: ".length, end)) as unknown;
    const path = pathOf([{ event: "thread.run.in_progress", data }]);
    assert.equal((await send(this.#stack, `${path}/cancel`, { method: "POST" })).status, 200);
    return true;
  }
}

/** All bytes of an answer. `look` is shown what has come until it says that it has seen enough. */
async function readBytes(response: Response, look?: (text: string) => Promise<boolean>): Promise<Uint8Array> {
  assert.ok(response.body);
  const chunks: Uint8Array[] = [];
  let looking = look;
  for await (const chunk of response.body) {
    chunks.push(chunk);
    if (await looking?.(Buffer.concat(chunks).toString())) looking = undefined;
  }
  return new Uint8Array(Buffer.concat(chunks));
}

/** The path of the run that the first event of a run is of. */
function pathOf(events: readonly StreamedEvent[]): string {
  const found = events.find(({ event }) => /^thread\.run\.[a-z_]+$/.test(event));
  assert.ok(found);
  const { id, thread_id } = found.data as Run;
  return `/threads/${thread_id}/runs/${id}`;
}
