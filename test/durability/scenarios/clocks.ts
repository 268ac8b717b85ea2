// The clocks of API and worker processes jump: what decides must be the clock of Postgres.
import { CLOCK_VARIABLE } from "../failpoints/failpoint.ts";
import { PRELOAD } from "../failpoints/preload-path.ts";
import type { Scenario } from "../faults/scenario.ts";
import { allTheTime, mixed } from "./mixed.ts";

export const clockSteps: Scenario = {
  name: "clock steps",
  fault: "the clock of each process jumps by up to an hour, back or forth, every half second",
  world: { settings: { NODE_OPTIONS: `--import=${PRELOAD}`, [CLOCK_VARIABLE]: "3600000" } },
  load: mixed({ taste: 15, bounded: 80, long: 250 }),
  play: allTheTime,
};
