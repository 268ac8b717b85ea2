// Whatever a model says and however it is cut: the deltas of the streams add up to what the API shows of the run, the
// events come in an order that the contract has, and the SDKs end with the same objects.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Usage } from "../../contract/run.ts";
import { GENERATIONS } from "../api/sdk.ts";
import { accumulate, withoutIndexes } from "../support/delta-accumulation.ts";
import { checkDeltaForms } from "../support/delta-forms.ts";
import { checkOrder } from "../support/event-grammar.ts";
import type { StreamedEvent } from "../support/event-grammar.ts";
import { holdsForAll } from "../support/property.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { anyRun, anyRunCutShort, callsOf, contentOf, storable } from "./model-outputs.ts";
import type { Content, PlannedRun, PlannedTurn } from "./model-outputs.ts";
import { replay } from "./replay.ts";
import { makeAssistant, play } from "./streamed-run.ts";
import type { PlayedRun, Recording } from "./streamed-run.ts";

let stack: Stack;
let assistant: string;
before(async () => {
  stack = await startStack();
  assistant = await makeAssistant(stack);
});
after(() => stack.stop());

/** Runs that are under way side by side. */
const AT_A_TIME = 12;

/** The objects that end with the events of these names, by id. */
function ended(events: readonly StreamedEvent[], names: RegExp): Map<string, Record<string, unknown>> {
  const found = events.filter(({ event }) => names.test(event)).map(({ data }) => data as { id: string });
  return new Map(found.map((object) => [object.id, object as Record<string, unknown>]));
}
const MESSAGE_ENDS = /^thread\.message\.(completed|incomplete)$/;
const STEP_ENDS = /^thread\.run\.step\.(completed|failed|cancelled|expired)$/;
const RUN_STATES = /^thread\.run\.[a-z_]+$/;

function allEvents({ recordings }: PlayedRun): StreamedEvent[] {
  return recordings.flatMap(({ events }) => events);
}

/** What holds for every run, however it ends. */
function checkStreams(plan: PlannedRun, played: PlayedRun): void {
  const events = allEvents(played);
  for (const recording of played.recordings) {
    checkOrder(recording.events, { kind: recording.kind, retries: plan.end === "broken once" });
    assert.equal(recording.events.at(-1)?.event, "done");
    const states = recording.events.filter(({ event }) => RUN_STATES.test(event));
    assert.deepEqual(recording.run, states.at(-1)?.data, "the row says what the last event says");
  }
  checkJoined(plan, played);
  checkDeltaForms(events);
  checkMessages(played, events);
  checkSteps(played, events);
  checkUsage(played);
}

/** Who joins the run gets what its streams brought, numbered without a gap. */
function checkJoined(plan: PlannedRun, { joined, recordings }: PlayedRun): void {
  checkOrder(joined, { kind: "joined", retries: plan.end === "broken once" });
  const brought = recordings.flatMap(({ events }) => events.slice(0, -1));
  assert.deepEqual(
    joined.slice(0, -1),
    brought.map((event, index) => ({ id: index + 1, ...event })),
  );
}

function checkMessages({ messages }: PlayedRun, events: readonly StreamedEvent[]): void {
  const finished = ended(events, MESSAGE_ENDS);
  const accumulated = accumulate(events);
  for (const [id, { content }] of finished) assert.deepEqual(withoutIndexes(accumulated.get(id)?.["content"]), content);
  for (const message of messages) assert.deepEqual(message, finished.get(message.id));
}

function checkSteps({ steps, recordings }: PlayedRun, events: readonly StreamedEvent[]): void {
  const finished = ended(events, STEP_ENDS);
  for (const step of steps) assert.deepEqual(step, finished.get(step.id));
  assert.deepEqual(
    steps.map(({ id }) => id),
    events.filter(({ event }) => event === "thread.run.step.created").map(({ data }) => (data as { id: string }).id),
  );
  const accumulated = accumulate(events);
  for (const { events: own } of recordings) {
    const begun = ended(own, /^thread\.run\.step\.created$/);
    for (const step of ended(own, STEP_ENDS).values()) {
      // Of calls in whose middle a run ended, nothing is kept.
      if (!begun.has(step["id"] as string) || step["type"] === "tool_calls") continue;
      assert.deepEqual(step["step_details"], withoutIndexes(accumulated.get(step["id"] as string)?.["step_details"]));
    }
  }
  // While it waits for outputs, a step of calls is exactly what its deltas make; then the outputs come to it.
  for (const recording of recordings) {
    const soFar = accumulate(events.slice(0, events.indexOf(recording.events.at(-1) as StreamedEvent)));
    for (const step of recording.steps.filter(({ status }) => status === "in_progress"))
      assert.deepEqual(step, withoutIndexes(soFar.get(step.id)));
  }
}

function checkUsage({ run, steps, recordings }: PlayedRun): void {
  // A turn that ended before it said anything has no step that could carry what it cost.
  const lastEvents = recordings.at(-1)?.events ?? [];
  if (!lastEvents.some(({ event }) => event === "thread.run.step.created")) return;
  for (const key of ["prompt_tokens", "completion_tokens", "total_tokens"] as const) {
    const sum = steps.reduce((total, step) => total + (step.usage?.[key] ?? 0), 0);
    assert.equal((run.usage as Usage)[key], sum, `the steps' ${key} add up to the run's`);
  }
}

/** The SDK's objects are those of the events; where it builds them from deltas alone, they say the same. */
async function checkFinalObjects({ recordings }: PlayedRun): Promise<void> {
  for (const [index, recording] of recordings.entries()) {
    await checkReplay(
      recording,
      recordings.slice(0, index + 1).flatMap(({ events }) => events),
    );
  }
}

async function checkReplay(recording: Recording, soFar: readonly StreamedEvent[]): Promise<void> {
  const { events, bytes, run } = recording;
  const messages = [...ended(events, MESSAGE_ENDS).values()];
  const steps = [...ended(events, STEP_ENDS).values()];
  for (const generation of GENERATIONS) {
    const replayed = await replay(recording, [bytes], generation);
    assert.deepEqual(replayed.events, events.slice(0, -1));
    // Version 4 does not know that an incomplete run is at its end.
    if (run.status === "incomplete" && generation === "openai 4") assert.ok(replayed.run instanceof Error);
    else assert.deepEqual(replayed.run, run);
    if (replayed.run instanceof Error) continue;

    if (generation === "openai 7") assert.deepEqual(replayed.messages, messages);
    assert.deepEqual(
      replayed.messages.map(({ id, content }) => ({ id, content: withoutIndexes(content) })),
      messages.map(({ id, content }) => ({ id, content })),
    );
    const open = [...accumulate(soFar).values()].filter(
      ({ id, object }) =>
        object === "thread.run.step" && recording.steps.some((s) => s.id === id && s.status === "in_progress"),
    );
    assert.deepEqual(replayed.steps.map(withoutIndexes), [...steps, ...open.map(withoutIndexes)]);
  }
}

test("deltas add up to what the API shows, in an order of the contract, for whatever a model says", async (t) => {
  await holdsForAll({ test: t, cases: 120, atATime: AT_A_TIME }, anyRun, async (plan) => {
    const played = await play(stack, assistant, plan);
    checkStreams(plan, played);
    assert.equal(played.run.status, "completed");
    checkSaid(plan, played);
    await checkFinalObjects(played);
  });
});

/** The thread has what the model said, and the steps have what it called and what came back. */
function checkSaid({ turns, parallel }: PlannedRun, { messages, steps, outputs, recordings }: PlayedRun): void {
  const contents = turns.flatMap((turn) => {
    const content = contentOf(turn);
    return content === undefined ? [] : [content];
  });
  assert.deepEqual(
    messages.map(({ content }) => content),
    contents,
  );
  const calls = steps
    .filter(({ status }) => status === "completed")
    .flatMap(({ step_details }) => (step_details.type === "tool_calls" ? [step_details.tool_calls] : []));
  const expected = turns.filter((turn) => turn.calls.length > 0).map((turn) => callsOf(turn, parallel));
  assert.deepEqual(
    calls.map((round) => round.map((call) => call.type === "function" && { ...call.function, output: null })),
    expected.map((round) => round.map((call) => ({ ...call, output: null }))),
  );
  for (const call of calls.flat())
    assert.equal(call.type === "function" && call.function.output, storable(outputs.get(call.id ?? "") ?? "none"));
  assert.equal(recordings.length, expected.length + 1);
}

const STATUS = {
  completed: "completed",
  length: "incomplete",
  "content filter": "failed",
  refused: "failed",
  "broken once": "completed",
  cancelled: "cancelled",
  expired: "expired",
} as const;

/** Turns before the end are whole; of what the last one said, the beginning is there, or all of it. */
function checkSaidSoFar({ turns, endsIn, end }: PlannedRun, { messages }: PlayedRun): void {
  const before = turns.slice(0, endsIn).flatMap((turn) => [contentOf(turn) ?? []]);
  const whole = before.filter((content) => content.length > 0);
  assert.deepEqual(
    messages.slice(0, whole.length).map(({ content }) => content),
    whole,
  );
  const [last, ...others] = messages.slice(whole.length).map(({ content }) => texts(content));
  assert.deepEqual(others, []);
  const said = texts(contentOf(turns[endsIn] as PlannedTurn) ?? []);
  if (end === "refused") assert.equal(last, undefined);
  if (end === "length" || end === "content filter") assert.deepEqual(last ?? [""], said.length > 0 ? said : [""]);
  // Half a character at the place where it was cut has been replaced.
  for (const [index, text] of (last ?? []).entries()) assert.ok(said[index]?.startsWith(text.replace(/\uFFFD$/, "")));
}

function texts(content: readonly object[]): string[] {
  return (content as Content).map((part) => (part.type === "text" ? part.text.value : part.refusal));
}

test("deltas add up and events are in order as well when a run ends in the middle of what it says", async (t) => {
  await holdsForAll({ test: t, cases: 60, atATime: AT_A_TIME }, anyRunCutShort, async (plan) => {
    const played = await play(stack, assistant, plan);
    checkStreams(plan, played);
    assert.equal(played.run.status, STATUS[plan.end]);
    if (played.run.status === "completed") checkSaid(plan, played);
    else checkSaidSoFar(plan, played);
    await checkFinalObjects(played);
  });
});
