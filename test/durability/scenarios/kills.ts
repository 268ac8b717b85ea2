// Processes that are killed with -9 at random moments, and processes that are replaced in order.
import { apiKill, killOfEverything, workerKill } from "../blows/kills.ts";
import { rollOfEverything } from "../blows/rolls.ts";
import { scenarioOf } from "./scenario-of-blows.ts";

export const workerKilled = scenarioOf({
  name: "worker killed",
  fault: "kill -9 of one of two workers",
  load: { taste: 20, bounded: 100, long: 300 },
  rhythms: () => [{ blow: workerKill, betweenMs: [300, 2000] }],
});

export const apiKilled = scenarioOf({
  name: "API killed",
  fault: "kill -9 of one of two APIs",
  load: { taste: 20, bounded: 100, long: 300 },
  rhythms: () => [{ blow: apiKill, betweenMs: [100, 1000] }],
});

export const everythingKilled = scenarioOf({
  name: "everything killed",
  fault: "kill -9 of all workers and all APIs at once",
  load: { taste: 20, bounded: 80, long: 200 },
  rhythms: () => [{ blow: killOfEverything, betweenMs: [1000, 4000] }],
});

export const rollingRestarts = scenarioOf({
  name: "rolling restarts",
  fault: "SIGTERM to two workers and two APIs, one after the other, and a new process in the place of each",
  load: { taste: 20, bounded: 80, long: 250 },
  rhythms: (extent) => [
    { blow: rollOfEverything, betweenMs: [100, 800], times: { taste: 1, bounded: 2, long: 4 }[extent] },
  ],
});
