// Runs that kill the worker that makes their turn.
import { poison as poisonRun } from "../blows/poison.ts";
import { scenarioOf } from "./scenario-of-blows.ts";

export const poison = scenarioOf({
  name: "poison run",
  fault: "runs that kill their worker each time they are tried; the others go on beside them",
  load: { taste: 15, bounded: 60, long: 200 },
  rhythms: (extent) =>
    Array.from({ length: { taste: 1, bounded: 2, long: 4 }[extent] }, () => ({
      blow: poisonRun,
      betweenMs: [0, 0],
      times: 1,
    })),
});
