// Faults of several kinds at once: what makes good for one of them may itself be hit by another.
import { fullDisk } from "../blows/full-disk.ts";
import { apiKill, workerKill } from "../blows/kills.ts";
import { badTurns } from "../blows/model-trouble.ts";
import { cutOff, slowness } from "../blows/network.ts";
import { poison } from "../blows/poison.ts";
import { restart } from "../blows/restarts.ts";
import { workerRoll } from "../blows/rolls.ts";
import { clockSteps, lostNudges } from "../blows/troubles.ts";
import type { Scenario } from "../faults/scenario.ts";
import { scenarioOf } from "./scenario-of-blows.ts";

/** A turn has six tries, and deaths of workers use them up, rightly. */
const FEW_KILLS = 3;

export const severalAtOnce: readonly Scenario[] = [
  scenarioOf({
    name: "workers killed, Postgres cut off",
    fault: "kill -9 of one of two workers, while every connection to Postgres is cut, and new ones pass",
    load: { taste: 15, bounded: 70, long: 200 },
    rhythms: () => [
      { blow: workerKill, betweenMs: [2000, 5000] },
      { blow: cutOff("postgres"), betweenMs: [500, 3000] },
    ],
  }),
  scenarioOf({
    name: "APIs killed, model in trouble",
    fault:
      "kill -9 of one of two APIs, while turns fail with 429s, 5xx, garbage and cut streams, one to nine times each",
    load: { taste: 15, bounded: 70, long: 200 },
    rhythms: () => [
      { blow: apiKill, betweenMs: [300, 2000] },
      { blow: badTurns, betweenMs: [0, 0], times: 1 },
    ],
  }),
  scenarioOf({
    name: "Temporal stopped, workers rolling",
    fault: "Temporal is stopped for 5 to 15 s, and workers are replaced in order before, meanwhile and after",
    load: { taste: 15, bounded: 60, long: 150 },
    rhythms: (extent) => [
      { blow: restart("temporal", "stop", [5000, 15_000]), betweenMs: [1000, 4000], times: extent === "long" ? 3 : 1 },
      { blow: workerRoll, betweenMs: [300, 2000] },
    ],
  }),
  scenarioOf({
    name: "Postgres slow, signals lost, submits doubled",
    fault:
      "everything comes 10 to 80 ms later from Postgres, half of all signals are lost, and clients send things twice at once",
    load: { taste: 15, bounded: 60, long: 150 },
    mix: {
      kinds: [
        "submitted twice",
        "one key, two requests",
        "two runs for a thread",
        "rounds of functions",
        "streamed rounds",
      ],
    },
    rhythms: () => [
      { blow: slowness("postgres"), betweenMs: [0, 1000] },
      { blow: lostNudges, firstMs: [0, 0], betweenMs: [0, 0] },
    ],
  }),
  scenarioOf({
    name: "clocks step, workers killed, runs expire",
    fault: "clocks jump by up to an hour, workers are killed with -9, and every second run has few seconds to live",
    load: { taste: 15, bounded: 100, long: 250 },
    mix: {
      kinds: ["expired while it waits", "expired while it speaks", "submitted twice"],
    },
    rhythms: () => [
      { blow: clockSteps, firstMs: [0, 0], betweenMs: [0, 1000] },
      { blow: workerKill, betweenMs: [1000, 4000] },
    ],
  }),
  scenarioOf({
    name: "disk full, workers killed, a poison run",
    fault:
      "every second insert fails for 2 to 5 s, workers are killed with -9, and a run kills each worker that tries it",
    load: { taste: 15, bounded: 60, long: 150 },
    rhythms: () => [
      { blow: poison, betweenMs: [0, 0], times: 1 },
      { blow: fullDisk, betweenMs: [1000, 4000], times: 3 },
      { blow: workerKill, betweenMs: [3000, 6000], times: FEW_KILLS },
    ],
  }),
];
