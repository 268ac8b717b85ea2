// What the API tells Temporal gets lost, or comes several times, for as long as the load lasts.
import { doubledNudges, lostNudges } from "../blows/troubles.ts";
import { scenarioOf } from "./scenario-of-blows.ts";

export const nudgesLost = scenarioOf({
  name: "signals lost",
  fault: "half of all starts, signals and cancels never leave the API",
  load: { taste: 15, bounded: 80, long: 250 },
  rhythms: () => [{ blow: lostNudges, firstMs: [0, 0], betweenMs: [0, 0] }],
});

export const nudgesDoubled = scenarioOf({
  name: "workflow started twice",
  fault: "every start, signal and cancel is sent three times at once",
  load: { taste: 15, bounded: 80, long: 250 },
  rhythms: () => [{ blow: doubledNudges, firstMs: [0, 0], betweenMs: [0, 0] }],
});
