// What the API tells Temporal gets lost, or comes twice.
import { NUDGES_VARIABLE } from "../failpoints/failpoint.ts";
import type { Scenario } from "../faults/scenario.ts";
import { PRELOAD } from "../failpoints/preload-path.ts";
import { allTheTime, mixed } from "./mixed.ts";

const nudged = (how: "lose" | "double"): NonNullable<Scenario["world"]> => ({
  settings: { NODE_OPTIONS: `--import=${PRELOAD}`, [NUDGES_VARIABLE]: how },
});

export const nudgesLost: Scenario = {
  name: "signals lost",
  fault: "half of all starts, signals and cancels never leave the API",
  world: nudged("lose"),
  load: mixed({ taste: 15, bounded: 80, long: 250 }),
  play: allTheTime,
};

export const nudgesDoubled: Scenario = {
  name: "workflow started twice",
  fault: "every start, signal and cancel is sent three times at once",
  world: nudged("double"),
  load: mixed({ taste: 15, bounded: 80, long: 250 }),
  play: allTheTime,
};
