// What goes wrong inside of processes for a while: their clocks jump, and what they tell Temporal gets lost or comes
// several times.
import type { Trouble } from "../failpoints/failpoint.ts";
import { lasting } from "../faults/blow.ts";
import type { Blow, Target } from "../faults/blow.ts";

export const clockSteps = trouble("clocks", "clock steps");
export const lostNudges = trouble("nudges", "nudges lost");
export const doubledNudges = trouble("nudges", "nudges doubled");

function trouble(target: Target, what: Trouble): Blow {
  return {
    hits: [target],
    world: { fromWithin: true },
    strike: lasting([3000, 6000], ({ world }) => {
      world.begin(what);
      return () => world.end(what);
    }),
  };
}
