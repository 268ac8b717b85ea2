// Every activity of a run breaks between every two of its statements, behind pieces that the model has said, inside batches
// of events, behind heartbeats, before it has begun, and when it is done and Temporal does not know.
import { calls, lookup } from "../../support/scripts.ts";
import type { ScriptedTurn } from "../../support/scripts.ts";
import type { Deed, Moment } from "../failpoints/failpoint.ts";
import type { Scenario } from "../faults/scenario.ts";
import { breakLives } from "./breaking-lives.ts";
import type { Life } from "./breaking-lives.ts";
import type { At } from "./breaking-workers.ts";

const said: ScriptedTurn = { text: "a few words that come in pieces", chunk_chars: 8, chunk_ms: 40 };

/** While a model says that. */
const SAYING: readonly At[] = [
  ...[1, 2, 3].map((nth): At => ({ kind: "piece", nth })),
  ...(["kill", "cut"] satisfies Deed[]).flatMap((deed) =>
    (["before", "during", "after"] satisfies Moment[]).flatMap((moment) =>
      [1, 2].map((nth): At => ({ kind: "flush", nth, moment, deed })),
    ),
  ),
];

const LIVES: readonly Life[] = [
  { name: "answers", turns: [said], breaking: [1], also: { 1: SAYING }, right: "completed" },
  {
    name: "calls functions and answers",
    turns: [{ text: "Let me see.", ...calls("a", "b") }, said],
    whenWaiting: "submit",
    breaking: [1, 2],
    also: { 2: SAYING },
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
    also: { 3: SAYING },
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

export const workerCrashPoints: Scenario = {
  name: "every crash point of activities",
  fault:
    "a worker dies, or loses its connection, between every two statements of every activity, at pieces, flushes and heartbeats, and before Temporal hears of the end",
  world: { apis: 1, workers: 0 },
  play: (stage) => breakLives(stage, LIVES, { tasted: 8 }),
};
