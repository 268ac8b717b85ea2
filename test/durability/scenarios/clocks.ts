// The clocks of API and worker processes jump: what decides must be the clock of Postgres.
import { clockSteps as steps } from "../blows/troubles.ts";
import { scenarioOf } from "./scenario-of-blows.ts";

export const clockSteps = scenarioOf({
  name: "clock steps",
  fault: "the clock of each process jumps by up to an hour, back or forth, every half second",
  load: { taste: 15, bounded: 80, long: 250 },
  rhythms: () => [{ blow: steps, firstMs: [0, 0], betweenMs: [0, 0] }],
});
