// The kinds of conversation that clients have with the server, whatever happens to it meanwhile. Each ends with its run
// at rest, has told what it was told, and complains of what no good server does.
import { setTimeout as sleep } from "node:timers/promises";
import type { Message } from "../../../contract/message.ts";
import { isTerminal } from "../../../contract/run-state.ts";
import type { Run } from "../../../contract/run.ts";
import { calls, lookup, scripted } from "../../support/scripts.ts";
import type { ScriptedTurn } from "../../support/scripts.ts";
import type { SentEvent } from "../../support/sse.ts";
import type { Answer, ErrorBody, GoodClient } from "./good-client.ts";
import type { Inside } from "./inside.ts";
import type { Random } from "./random.ts";

const POLL_MS = 150;

export interface Talk {
  client: GoodClient;
  random: Random;
  assistantId: string;
  /** How long a run may take to come to rest. */
  restMs: number;
  /** How long code may go on when its run has ended. */
  stopMs: number;
  /** Makes the model's turn a worse one. */
  spoil: (turn: ScriptedTurn) => ScriptedTurn;
  inside: Inside;
}

export type Conversation = (talk: Talk) => Promise<void>;

/** Each with how often it comes, compared with the others. */
export const RUN_CONVERSATIONS = {
  plain: { weight: 5, hold: plain },
  "plain with the SDK": { weight: 2, hold: plainWithSdk },
  streamed: { weight: 5, hold: streamed },
  "streamed with the SDK": { weight: 2, hold: streamedWithSdk },
  "rounds of functions": { weight: 4, hold: rounds },
  "streamed rounds": { weight: 3, hold: streamedRounds },
  "cancelled while it speaks": { weight: 2, hold: cancelledSpeaking },
  "cancelled while it waits": { weight: 2, hold: cancelledWaiting },
  "cancelled at once": { weight: 1, hold: cancelledAtOnce },
  "expired while it waits": { weight: 1, hold: expiredWaiting },
  "expired while it speaks": { weight: 1, hold: expiredSpeaking },
  "submitted twice": { weight: 2, hold: submittedTwice },
  "cancel against submit": { weight: 2, hold: cancelAgainstSubmit },
  "one key, two requests": { weight: 2, hold: oneKeyTwoRequests },
  "two runs for a thread": { weight: 2, hold: twoRunsForOneThread },
  "thread deleted": { weight: 1, hold: threadDeleted },
} satisfies Record<string, { weight: number; hold: Conversation }>;

async function plain(talk: Talk): Promise<void> {
  const thread_id = await createThread(talk, "Hello.");
  for (let turn = talk.random.int(1, 3); turn > 0; turn -= 1) {
    const { text, turns } = speak(talk);
    await addMessage(talk, thread_id, script(talk, turns));
    const run = await startRun(talk, thread_id);
    await expectAnswer(talk, await untilRest(talk, run), text);
    if (!talk.random.chance(0.3)) return;
  }
}

async function plainWithSdk(talk: Talk): Promise<void> {
  const { client, assistantId: assistant_id } = talk;
  const { text, turns } = speak(talk);
  const { threads } = client.sdk().beta;
  const thread = await threads.create({ messages: [{ role: "user", content: script(talk, turns) }] });
  const run = await threads.runs.create(thread.id, { assistant_id });
  client.told.run({ id: run.id, thread_id: thread.id });
  const ended = await threads.runs.poll(run.id, { thread_id: thread.id }, { pollIntervalMs: POLL_MS });
  await expectAnswer(talk, ended as unknown as Run, text);
}

async function streamed(talk: Talk): Promise<void> {
  const { text, turns } = speak(talk);
  const events = await streamRun(talk, turns);
  if (events !== undefined) await expectAnswer(talk, lastRun(events), text);
}

/** The SDK does not join again: a program that uses it looks at the run when its stream broke. */
async function streamedWithSdk(talk: Talk): Promise<void> {
  const { client, assistantId: assistant_id } = talk;
  const { text, turns } = speak(talk);
  const { threads } = client.sdk().beta;
  const thread = await threads.create({ messages: [{ role: "user", content: script(talk, turns) }] });
  const events: { event: string; data: unknown }[] = [];
  let run: Run | undefined;
  try {
    const stream = await threads.runs.create(thread.id, { assistant_id, stream: true });
    for await (const { event, data } of stream) {
      if (events.length === 0) client.told.run({ id: (data as { id: string }).id, thread_id: thread.id });
      events.push({ event, data });
      run = /^thread\.run\.[a-z_]+$/.test(event) ? (data as unknown as Run) : run;
    }
    events.push({ event: "done", data: "[DONE]" });
  } catch {
    client.told.trouble("stream broke off");
  }
  run ??= await newestRun(talk, thread.id);
  if (run === undefined) return void client.told.ended("not accepted");
  client.told.stream(run.id, events);
  await expectAnswer(talk, await untilRest(talk, run), text);
}

async function rounds(talk: Talk): Promise<void> {
  const { text, turns } = functionTurns(talk);
  let run = await untilRest(talk, await createAndRun(talk, turns));
  while (run.status === "requires_action") {
    await submit(talk, run);
    run = await untilRest(talk, run, "a new turn");
  }
  await expectAnswer(talk, run, text);
}

async function streamedRounds(talk: Talk): Promise<void> {
  const { text, turns } = functionTurns(talk);
  const first = await streamRun(talk, turns);
  if (first === undefined) return;
  let run = lastRun(first);
  while (run.status === "requires_action") {
    const tool_outputs = outputsFor(run, "found");
    const answer = await talk.client.stream(`${pathOf(run)}/submit_tool_outputs`, { tool_outputs });
    if ("refused" in answer) {
      talk.client.told.complain(`${run.id} refused its outputs: ${JSON.stringify(answer.refused.body)}`);
      run = await untilRest(talk, run);
      break;
    }
    tellOutputs(talk, run, tool_outputs);
    run = lastRun(answer.events);
  }
  await expectAnswer(talk, run, text);
}

async function cancelledSpeaking(talk: Talk): Promise<void> {
  const run = await createAndRun(talk, [slowly(talk)]);
  await sleep(talk.random.int(0, 1500));
  await cancel(talk, run);
  await expectEnd(talk, await untilRest(talk, run), ["cancelled", "completed"]);
}

async function cancelledWaiting(talk: Talk): Promise<void> {
  const run = await untilRest(talk, await createAndRun(talk, functionTurns(talk).turns));
  if (run.status === "requires_action") await cancel(talk, run);
  await expectEnd(talk, await untilEnd(talk, run), ["cancelled"]);
}

async function cancelledAtOnce(talk: Talk): Promise<void> {
  const run = await createAndRun(talk, [slowly(talk)]);
  await cancel(talk, run);
  await expectEnd(talk, await untilRest(talk, run), ["cancelled", "completed"]);
}

async function expiredWaiting(talk: Talk): Promise<void> {
  const run = await createAndRun(talk, functionTurns(talk).turns, { expires_after_seconds: talk.random.int(2, 4) });
  await expectEnd(talk, await untilEnd(talk, run), ["expired"]);
}

async function expiredSpeaking(talk: Talk): Promise<void> {
  const forLong = { text: "word ".repeat(200), chunk_chars: 5, chunk_ms: 50 };
  const run = await createAndRun(talk, [forLong], { expires_after_seconds: talk.random.int(1, 3) });
  await expectEnd(talk, await untilEnd(talk, run), ["expired"]);
}

/** Two submissions at once, each with outputs of its own: exactly one is taken, and its outputs are kept. */
async function submittedTwice(talk: Talk): Promise<void> {
  const { text, turns } = functionTurns(talk, 1);
  const run = await untilRest(talk, await createAndRun(talk, turns));
  if (run.status === "requires_action") {
    const answers = await Promise.all(["one", "other"].map((found) => trySubmit(talk, run, outputsFor(run, found))));
    const taken = answers.filter(({ status }) => status === 200).length;
    if (taken !== 1) talk.client.told.complain(`${run.id} took ${taken} of two submissions`);
  }
  await expectAnswer(talk, await untilRest(talk, run, "a new turn"), text);
}

async function cancelAgainstSubmit(talk: Talk): Promise<void> {
  const { turns } = functionTurns(talk, 1);
  const run = await untilRest(talk, await createAndRun(talk, turns));
  if (run.status === "requires_action") {
    const [cancelled, submitted] = await Promise.all([
      talk.client.post<Run & ErrorBody>(`${pathOf(run)}/cancel`, {}),
      trySubmit(talk, run, outputsFor(run, "found")),
    ]);
    if (cancelled.status !== 200 && submitted.status !== 200) {
      talk.client.told.complain(`${run.id} took neither its cancel nor its outputs`);
    }
  }
  await expectEnd(talk, await untilRest(talk, run, "a new turn"), ["cancelled", "completed"]);
}

async function oneKeyTwoRequests(talk: Talk): Promise<void> {
  const { text, turns } = speak(talk);
  const body = runBody(talk, turns);
  const key = talk.random.key();
  const [one, other] = await Promise.all([
    talk.client.post<Run>("/threads/runs", body, key),
    talk.client.post<Run>("/threads/runs", body, key),
  ]);
  const run = accepted(talk, one);
  if (JSON.stringify(one) !== JSON.stringify(other)) {
    talk.client.told.complain(`one key had two answers: ${JSON.stringify(one)} and ${JSON.stringify(other)}`);
  }
  await expectAnswer(talk, await untilRest(talk, run), text);
}

/** The thread takes one run at a time, and the next when that has ended. */
async function twoRunsForOneThread(talk: Talk): Promise<void> {
  const { text, turns } = speak(talk);
  const thread_id = await createThread(talk, script(talk, turns));
  const body = { assistant_id: talk.assistantId };
  const answers = await Promise.all([0, 1].map(() => talk.client.post<Run>(`/threads/${thread_id}/runs`, body)));
  const taken = answers.filter(({ status }) => status === 200);
  // Under faults the first may have ended when the second is asked for.
  if (taken.length === 0) return talk.client.told.complain(`${thread_id} took no run: ${JSON.stringify(answers)}`);
  for (const answer of taken) await expectAnswer(talk, await untilRest(talk, accepted(talk, answer)), text);
  await expectAnswer(talk, await untilRest(talk, await startRun(talk, thread_id)), text);
}

async function threadDeleted(talk: Talk): Promise<void> {
  const run = await createAndRun(talk, talk.random.chance(0.5) ? [slowly(talk)] : functionTurns(talk).turns);
  await sleep(talk.random.int(0, 1000));
  talk.client.told.deleted.push(run.thread_id);
  const { status } = await talk.client.delete(`/threads/${run.thread_id}`);
  // A delete whose answer was lost finds nothing the second time.
  if (status !== 200 && status !== 404) talk.client.told.complain(`${run.thread_id} could not be deleted: ${status}`);
  talk.client.told.ended("deleted");
}

// --- what conversations are made of --------------------------------------------------------------

/** A text of its own, said at a pace between at once and some two seconds. */
export function speak(talk: Talk): { text: string; turns: ScriptedTurn[] } {
  const text = sentence(talk);
  const pace = talk.random.chance(0.4) ? { chunk_chars: 6, chunk_ms: talk.random.int(5, 60) } : { chunk_chars: 12 };
  return { text, turns: [talk.spoil({ text, ...pace })] };
}

function sentence({ random }: Talk): string {
  const words = ["rain", "größer", "雨", "seldom", "🌧️", "with", "a", "word"];
  return Array.from({ length: random.int(3, 40) }, () => random.pick(words)).join(" ");
}

function slowly(talk: Talk): ScriptedTurn {
  return { text: "word ".repeat(60), chunk_chars: 5, chunk_ms: talk.random.int(20, 60) };
}

function functionTurns(talk: Talk, most = 3): { text: string; turns: ScriptedTurn[] } {
  const { random } = talk;
  const { text, turns } = speak(talk);
  const asked = Array.from({ length: random.int(1, most) }, () => {
    const said = random.chance(0.2) ? { text: sentence(talk) } : {};
    return talk.spoil({ ...said, ...calls(...Array.from({ length: random.int(1, 3) }, () => sentence(talk))) });
  });
  return { text, turns: [...asked, ...turns] };
}

/** With a key, so that two conversations that say the same have turns of their own. */
function script({ random }: Talk, turns: readonly ScriptedTurn[]): string {
  return scripted(turns, random.key());
}

function runBody(talk: Talk, turns: readonly ScriptedTurn[], extra: object = {}) {
  return {
    assistant_id: talk.assistantId,
    tools: [lookup],
    thread: { messages: [{ role: "user", content: script(talk, turns) }] },
    ...extra,
  };
}

export function pathOf({ id, thread_id }: { id: string; thread_id: string }): string {
  return `/threads/${thread_id}/runs/${id}`;
}

async function createThread({ client }: Talk, content: string): Promise<string> {
  const { body } = await client.post<{ id: string }>("/threads", { messages: [{ role: "user", content }] });
  return body.id;
}

async function addMessage({ client }: Talk, thread_id: string, content: string): Promise<void> {
  const { status, body } = await client.post<{ id: string }>(`/threads/${thread_id}/messages`, {
    role: "user",
    content,
  });
  if (status === 200) client.told.messages.push({ id: body.id, thread_id });
  else client.told.complain(`${thread_id} refused a message: ${JSON.stringify(body)}`);
}

/** The new run. Throws when it was refused, which ends the conversation. */
export function accepted({ client }: Talk, { status, body }: Answer<Run>): Run {
  if (status !== 200) throw new Error(`a run was refused: ${JSON.stringify(body)}`);
  client.told.run(body);
  return body;
}

async function createAndRun(talk: Talk, turns: readonly ScriptedTurn[], extra: object = {}): Promise<Run> {
  return accepted(talk, await talk.client.post<Run>("/threads/runs", runBody(talk, turns, extra)));
}

async function startRun(talk: Talk, thread_id: string): Promise<Run> {
  return accepted(talk, await talk.client.post<Run>(`/threads/${thread_id}/runs`, { assistant_id: talk.assistantId }));
}

/** The events of a new run, to its first rest; undefined when it was refused. */
async function streamRun(talk: Talk, turns: readonly ScriptedTurn[]): Promise<SentEvent[] | undefined> {
  const answer = await talk.client.stream("/threads/runs", runBody(talk, turns));
  if ("refused" in answer) {
    talk.client.told.complain(`a streamed run was refused: ${JSON.stringify(answer.refused)}`);
    return undefined;
  }
  talk.client.told.run(lastRun(answer.events));
  return answer.events;
}

/** The run as the newest of its events has it. */
export function lastRun(events: readonly SentEvent[]): Run {
  const run = events.findLast(({ event }) => /^thread\.run\.[a-z_]+$/.test(event))?.data;
  if (run === undefined) throw new Error("a stream without its run");
  return run as Run;
}

async function newestRun({ client }: Talk, thread_id: string): Promise<Run | undefined> {
  const { body } = await client.get<{ data: Run[] }>(`/threads/${thread_id}/runs`);
  const [run] = body.data;
  if (run !== undefined) client.told.run(run);
  return run;
}

export function outputsFor(run: Run, found: string): { tool_call_id: string; output: string }[] {
  const pending = run.required_action?.submit_tool_outputs.tool_calls ?? [];
  return pending.map(({ id }) => ({ tool_call_id: id, output: `${found} ${id}` }));
}

function tellOutputs({ client }: Talk, run: Run, outputs: ReturnType<typeof outputsFor>): void {
  for (const output of outputs) client.told.outputs.push({ run_id: run.id, thread_id: run.thread_id, ...output });
}

export async function trySubmit(talk: Talk, run: Run, tool_outputs: ReturnType<typeof outputsFor>) {
  const answer = await talk.client.post<Run & ErrorBody>(`${pathOf(run)}/submit_tool_outputs`, { tool_outputs });
  if (answer.status === 200) tellOutputs(talk, run, tool_outputs);
  return answer;
}

async function submit(talk: Talk, run: Run): Promise<void> {
  const { status, body } = await trySubmit(talk, run, outputsFor(run, "found"));
  if (status !== 200) talk.client.told.complain(`${run.id} refused its outputs: ${JSON.stringify(body)}`);
}

export async function cancel({ client }: Talk, run: Run): Promise<void> {
  const { status, body } = await client.post<Run & ErrorBody>(`${pathOf(run)}/cancel`, {});
  if (status === 200) {
    if (body.status !== "cancelling") client.told.complain(`the cancel of ${run.id} answered ${body.status}`);
  } else if (!body.error.message.startsWith("Cannot cancel run with status")) {
    client.told.complain(`${run.id} could not be cancelled: ${JSON.stringify(body)}`);
  }
}

/**
 * Looks at a run until it has ended or waits for outputs; with `unlike`, for other outputs than it waited for before.
 * Throws when that takes too long.
 */
export async function untilRest(talk: Talk, run: Run, unlike?: "a new turn"): Promise<Run> {
  const before = unlike === undefined ? undefined : JSON.stringify(run.required_action);
  return untilIt(talk, run, (now) => {
    const waits = now.status === "requires_action" && JSON.stringify(now.required_action) !== before;
    return waits || isTerminal(now.status);
  });
}

export function untilEnd(talk: Talk, run: Run): Promise<Run> {
  return untilIt(talk, run, ({ status }) => isTerminal(status));
}

async function untilIt({ client, restMs }: Talk, run: Run, rests: (run: Run) => boolean): Promise<Run> {
  const endsAt = Date.now() + restMs;
  for (;;) {
    const { status, body } = await client.get<Run>(pathOf(run));
    if (status !== 200) throw new Error(`${run.id} is not to be had: ${JSON.stringify(body)}`);
    if (rests(body)) {
      client.told.status(body);
      return body;
    }
    if (Date.now() > endsAt) throw new Error(`${run.id} is still ${body.status} after ${restMs / 1000} s`);
    await sleep(POLL_MS);
  }
}

export async function expectEnd({ client }: Talk, run: Run, right: readonly Run["status"][]): Promise<void> {
  client.told.status(run);
  client.told.ended(run.status);
  if (right.includes(run.status)) return;
  const why = run.last_error === null ? "" : `, ${JSON.stringify(run.last_error)}`;
  client.told.complain(`${run.id} ended as ${run.status}${why}; right would be ${right.join(" or ")}`);
}

/** The run is completed, and its last message is the one with this text. */
export async function expectAnswer(talk: Talk, run: Run, text: string): Promise<void> {
  await expectEnd(talk, run, ["completed"]);
  if (run.status !== "completed") return;
  const { client } = talk;
  const { body } = await client.get<{ data: Message[] }>(
    `/threads/${run.thread_id}/messages?run_id=${run.id}&limit=100`,
  );
  const texts = body.data.map(({ content }) => content.map((part) => (part.type === "text" ? part.text.value : "")));
  const newest = texts[0]?.join("");
  if (newest !== text) client.told.complain(`${run.id} has the answer ${newest} in place of ${text}`);
  if (body.data.some(({ status }) => status !== "completed")) {
    client.told.complain(`${run.id} is completed and has messages that are not`);
  }
}
