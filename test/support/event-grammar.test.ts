import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkOrder } from "./event-grammar.ts";
import type { GrammarOptions, StreamedEvent, StreamKind } from "./event-grammar.ts";

const ids = { run: "run_A", thread: "thread_A", step: "", message: "", count: 0 };

/** Fills in what the events of an outline carry: `step.created tool_calls` and the like, in the order given. */
function stream(outline: string): StreamedEvent[] {
  let [type, step, message] = ["tool_calls", "step_0", "msg_0"];
  return outline.split(/\s*[,\n]\s*/).map((item) => {
    const [name = "", detail = ""] = item.trim().split(" ");
    if (name === "done") return { event: "done", data: "[DONE]" };
    if (name === "error") return { event: "error", data: { error: {} } };
    const [, change = ""] = /\.?(\w+)$/.exec(name) ?? [];
    const event = `thread.${name}`;
    const status = change === "created" ? (name === "run.created" ? "queued" : "in_progress") : change;
    if (name === "run.step.created") {
      ids.count += 1;
      [type, step, message] = [detail, `step_${ids.count}`, `msg_${ids.count}`];
    }
    if (name === "created") return { event, data: { id: ids.thread } };
    if (name === "run.step.delta") return { event, data: { id: step } };
    if (name === "message.delta") return { event, data: { id: message } };
    const common = { thread_id: ids.thread, run_id: ids.run, status };
    if (name.startsWith("run.step.")) {
      const step_details = { type, message_creation: { message_id: message } };
      return { event, data: { id: step, ...common, type, step_details } };
    }
    if (name.startsWith("message.")) {
      return { event, data: { id: message, ...common, incomplete_details: detail === "" ? null : { reason: detail } } };
    }
    return { event, data: { id: ids.run, thread_id: ids.thread, status } };
  });
}

const BEGUN = "run.created, run.queued, run.in_progress";
const OPEN_MESSAGE = `run.step.created message_creation, run.step.in_progress, message.created, message.in_progress,
  message.delta, message.delta`;
const MESSAGE = `${OPEN_MESSAGE}, message.completed, run.step.completed`;
const CALLS = "run.step.created tool_calls, run.step.in_progress, run.step.delta, run.step.delta";
const RESUMED = "run.step.completed, run.queued, run.in_progress";

const STANDARD: [string, StreamKind, string][] = [
  ["plain text", "create run", `${BEGUN}, ${MESSAGE}, run.completed, done`],
  ["a thread of its own", "create thread and run", `created, ${BEGUN}, ${MESSAGE}, run.completed, done`],
  ["function calls", "create run", `${BEGUN}, ${CALLS}, run.requires_action, done`],
  ["a text before calls", "create run", `${BEGUN}, ${MESSAGE}, ${CALLS}, run.requires_action, done`],
  ["submitted outputs", "submit outputs", `${RESUMED}, ${MESSAGE}, run.completed, done`],
  ["more calls", "submit outputs", `${RESUMED}, ${CALLS}, run.requires_action, done`],
  [
    "a tool of the server's",
    "create run",
    `${BEGUN}, ${CALLS}, run.step.completed, ${CALLS}, run.step.completed, ${MESSAGE}, run.completed, done`,
  ],
  [
    "failed in a message",
    "create run",
    `${BEGUN}, ${OPEN_MESSAGE}, message.incomplete run_failed, run.step.failed, run.failed, done`,
  ],
  ["failed in calls", "create run", `${BEGUN}, ${CALLS}, run.step.failed, run.failed, done`],
  ["failed behind a tool of the server's", "create run", `${BEGUN}, ${CALLS}, run.step.completed, run.failed, done`],
  ["cancelled in calls", "create run", `${BEGUN}, ${CALLS}, run.cancelling, run.step.cancelled, run.cancelled, done`],
  ["expired in calls", "create run", `${BEGUN}, ${CALLS}, run.step.expired, run.expired, done`],
  [
    "functions and a tool of the server's, joined",
    "joined",
    `${BEGUN}, ${CALLS}, run.step.completed, ${CALLS}, run.requires_action, ${RESUMED}, ${MESSAGE}, run.completed, done`,
  ],
  ["failed before any step", "create run", `${BEGUN}, run.failed, done`],
  [
    "cancelled",
    "create run",
    `${BEGUN}, ${OPEN_MESSAGE}, run.cancelling, message.incomplete run_cancelled, run.step.cancelled, run.cancelled, done`,
  ],
  ["cancelled at once", "create run", "run.created, run.queued, run.cancelling, run.cancelled, done"],
  [
    "expired",
    "create run",
    `${BEGUN}, ${OPEN_MESSAGE}, message.incomplete run_expired, run.step.expired, run.expired, done`,
  ],
  [
    "incomplete",
    "create run",
    `${BEGUN}, ${OPEN_MESSAGE}, message.incomplete max_tokens, run.step.completed, run.incomplete, done`,
  ],
  [
    "joined over two rounds",
    "joined",
    `${BEGUN}, ${CALLS}, run.requires_action, ${RESUMED}, ${MESSAGE}, run.completed, done`,
  ],
];
const RETRIED = `${BEGUN}, ${OPEN_MESSAGE}, message.incomplete run_failed, run.step.failed, ${MESSAGE}, run.completed, done`;

function isAllowed(events: readonly StreamedEvent[], options: GrammarOptions): boolean {
  try {
    checkOrder(events, options);
    return true;
  } catch (error) {
    if (error instanceof assert.AssertionError) return false;
    throw error;
  }
}

describe("the standard orders are allowed", () => {
  for (const [name, kind, outline] of STANDARD) {
    test(name, () => {
      checkOrder(stream(outline), { kind });
      checkOrder(stream(outline).slice(0, -1), { kind }); // as the SDKs show it
    });
  }
});

/** Deltas may be many or few; of everything else each counts. */
const counts = (event: StreamedEvent | undefined) => event !== undefined && !event.event.endsWith(".delta");

interface Place {
  name: string;
  kind: StreamKind;
  events: StreamedEvent[];
  index: number;
  event: StreamedEvent;
}

/** Every event of every standard order but `done`. */
const PLACES = STANDARD.flatMap(([name, kind, outline]) => {
  const events = stream(outline);
  return events.slice(0, -1).map((event, index): Place => ({ name, kind, events, index, event }));
});

/** Fails with the places at which the change leaves an order that is allowed. */
function refused(places: readonly Place[], change: (place: Place) => StreamedEvent[]): void {
  assert.ok(places.length > 0);
  const allowed = places.filter((place) => isAllowed(change(place), { kind: place.kind }));
  assert.deepEqual(
    allowed.map(({ name, index, event }) => `${name}: ${event.event} at ${index}`),
    [],
  );
}

describe("no standard order is allowed any more", () => {
  test("with one event missing", () => {
    const needed = PLACES.filter(
      // A queued run may fail as well, before it has begun.
      ({ name, event }) =>
        counts(event) && !(name === "failed before any step" && event.event === "thread.run.in_progress"),
    );
    refused(needed, ({ events, index }) => events.toSpliced(index, 1));
  });

  test("with one event doubled", () => {
    refused(
      PLACES.filter(({ event }) => counts(event)),
      ({ events, index, event }) => events.toSpliced(index, 0, event),
    );
  });

  test("with two neighbours exchanged", () => {
    const nextOf = ({ events, index }: Place) => events[index + 1] as StreamedEvent;
    const ordered = PLACES.filter((place) => {
      const names = [place.event.event, nextOf(place).event];
      // What was under way when a run is cancelled may come before or after.
      const isFree = names.includes("thread.run.cancelling") && names.some((name) => name.endsWith(".delta"));
      return names[0] !== names[1] && !isFree;
    });
    refused(ordered, (place) => place.events.toSpliced(place.index, 2, nextOf(place), place.event));
  });

  test("with an event of another object", () => {
    // Which step a stream of submitted outputs begins with is known to the stream before.
    const known = PLACES.filter(({ kind, index }) => !(kind === "submit outputs" && index === 0));
    refused(known, ({ events, index, event: { event, data } }) =>
      events.with(index, { event, data: { ...(data as object), id: "other" } }),
    );
  });

  test("cut off before its end", () => {
    // A joined stream may rest where outputs are asked for.
    const open = PLACES.filter(({ events, index }) => events[index - 1]?.event !== "thread.run.requires_action");
    refused(open, ({ events, index }) => events.slice(0, index));
  });
});

test("a turn that is made again is allowed only where retries are", () => {
  assert.equal(isAllowed(stream(RETRIED), { kind: "create run", retries: true }), true);
  assert.equal(isAllowed(stream(RETRIED), { kind: "create run" }), false);
});

test("an error may come at any time, and nothing behind it", () => {
  const events = stream(`${BEGUN}, ${OPEN_MESSAGE}, error`);
  assert.equal(isAllowed(events, { kind: "create run" }), true);
  assert.equal(isAllowed([...events, ...stream("done")], { kind: "create run" }), false);
});

test("a message that is not that of its step is refused", () => {
  const events = stream(`${BEGUN}, ${MESSAGE}, run.completed`);
  const renamed = events.map(({ event, data }) =>
    event.startsWith("thread.message.") ? { event, data: { ...(data as object), id: "msg_other" } } : { event, data },
  );
  assert.equal(isAllowed(renamed, { kind: "create run" }), false);
});

test("a status that differs from its event's name is refused", () => {
  const events = stream(`${BEGUN}, ${MESSAGE}, run.completed`);
  const last = events.at(-1) as StreamedEvent;
  const changed = events.with(-1, { ...last, data: { ...(last.data as object), status: "in_progress" } });
  assert.equal(isAllowed(changed, { kind: "create run" }), false);
});

test("the same run, step or message cannot be created twice", () => {
  const said = stream(`${BEGUN}, ${MESSAGE}, run.completed`);
  const again = said.slice(3, -1);
  assert.equal(isAllowed([...said.slice(0, -1), ...again, ...said.slice(-1)], { kind: "create run" }), false);
});
