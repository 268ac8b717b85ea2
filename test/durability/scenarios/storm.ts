// Two to four faults at a time, drawn anew every few seconds from all that there are.
import { fullDisk } from "../blows/full-disk.ts";
import { apiKill, killOfEverything, workerKill } from "../blows/kills.ts";
import { cutAnswers, silence } from "../blows/model-trouble.ts";
import { cutOff, forgetting, hanging, refusal, slowness } from "../blows/network.ts";
import { noConnectionsLeft } from "../blows/no-connections.ts";
import { poison } from "../blows/poison.ts";
import { restart, temporalLoss } from "../blows/restarts.ts";
import { apiRoll, rollOfEverything, workerRoll } from "../blows/rolls.ts";
import { clockSteps, doubledNudges, lostNudges } from "../blows/troubles.ts";
import type { Blow, Target } from "../faults/blow.ts";
import type { Random } from "../faults/random.ts";
import type { Scenario } from "../faults/scenario.ts";
import { loadUnder, worldFor } from "./scenario-of-blows.ts";

const BLOWS: readonly Blow[] = [
  workerKill,
  apiKill,
  killOfEverything,
  workerRoll,
  apiRoll,
  rollOfEverything,
  cutOff("postgres"),
  refusal("postgres"),
  hanging("postgres"),
  slowness("postgres"),
  forgetting("postgres"),
  restart("postgres", "stop", [0, 3000]),
  restart("postgres", "kill", [0, 1000]),
  noConnectionsLeft,
  fullDisk,
  cutOff("temporal"),
  refusal("temporal"),
  hanging("temporal"),
  slowness("temporal"),
  restart("temporal", "stop", [0, 5000]),
  restart("temporal", "kill", [0, 3000]),
  cutAnswers,
  lostNudges,
  doubledNudges,
  clockSteps,
];

/** It takes one to two minutes to find out that these have happened. */
const SLOW_BLOWS: readonly Blow[] = [forgetting("temporal"), temporalLoss, silence, poison];

export const storm: Scenario = {
  name: "storm",
  fault: "two to four of all of these at a time, drawn anew every few seconds",
  world: worldFor([...BLOWS, ...SLOW_BLOWS]),
  load: (extent) => ({
    conversations: { taste: 20, bounded: 200, long: 500 }[extent],
    atATime: 8,
    ...loadUnder(SLOW_BLOWS),
  }),
  async play(stage) {
    const { random } = stage;
    const blows = stage.extent === "long" ? [...BLOWS, ...SLOW_BLOWS] : BLOWS;
    await stage.pause(100, 500);
    do {
      await Promise.all(draw(blows, random).map((blow) => blow.strike(stage.fork())));
      await stage.pause(200, 2000);
    } while (!stage.isOver());
  },
};

/** Two to four, no two of which hit the same one. */
function draw(blows: readonly Blow[], random: Random): Blow[] {
  const count = random.int(2, 4);
  const hit = new Set<Target>();
  const drawn: Blow[] = [];
  for (const blow of random.shuffle(blows)) {
    if (drawn.length === count) break;
    if (blow.hits.some((target) => hit.has(target))) continue;
    for (const target of blow.hits) hit.add(target);
    drawn.push(blow);
  }
  return drawn;
}
