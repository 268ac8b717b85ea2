// What goes wrong inside of processes for a while: their clocks jump, what they tell Temporal gets lost or comes several
// times, what they have started to parse documents dies, and the disk of the blobs fails.
import type { Trouble } from "../failpoints/failpoint.ts";
import { lasting } from "../faults/blow.ts";
import type { Blow, Target } from "../faults/blow.ts";

export const clockSteps = trouble("clocks", "clock steps");
export const lostNudges = trouble("nudges", "nudges lost");
export const doubledNudges = trouble("nudges", "nudges doubled");
export const deadParsers = trouble("parsers", "parsers die");
/** For blobs that are on a disk. */
export const brokenDisk = trouble("blobs", "disk fails");

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
