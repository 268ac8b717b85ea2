// A bad network between the processes and Postgres, and between them and Temporal.
import { cutOff, forgetting, hanging, refusal, slowness } from "../blows/network.ts";
import type { Place } from "../blows/network.ts";
import type { Blow } from "../faults/blow.ts";
import type { Scenario } from "../faults/scenario.ts";
import { scenarioOf } from "./scenario-of-blows.ts";

const NAMES: Record<Place, string> = { postgres: "Postgres", temporal: "Temporal" };

interface Bad {
  name: string;
  fault: string;
  runs: number;
  blow: (place: Place) => Blow;
  betweenMs?: readonly [number, number];
  /** As long as the load lasts unless told. */
  times?: number;
}

/** One way in which a network is bad, at each of the places. */
function atBoth({ name, fault, runs, blow, betweenMs = [300, 2000], times }: Bad): Scenario[] {
  return (["postgres", "temporal"] as const).map((place) =>
    scenarioOf({
      name: `${NAMES[place]} ${name}`,
      fault: `${fault} ${NAMES[place]}`,
      load: { taste: 15, bounded: runs, long: 2 * runs },
      rhythms: (extent) => [
        {
          blow: blow(place),
          betweenMs,
          ...(times === undefined ? {} : { times: extent === "long" ? 2 * times : times }),
        },
      ],
    }),
  );
}

export const networkScenarios: readonly Scenario[] = [
  ...atBoth({
    name: "cut off",
    fault: "every connection is cut, and new ones pass, to",
    runs: 80,
    blow: cutOff,
    betweenMs: [300, 1500],
  }),
  ...atBoth({
    name: "refuses",
    fault: "connections are cut and refused for 2 to 6 s by",
    runs: 60,
    blow: refusal,
    times: 3,
  }),
  ...atBoth({
    name: "hangs",
    fault: "nothing passes for 3 to 8 s, and then everything that was sent meanwhile, to and from",
    runs: 60,
    blow: hanging,
    times: 3,
  }),
  ...atBoth({
    name: "slow",
    fault: "everything comes 10 to 80 ms later, to and from",
    runs: 60,
    blow: slowness,
    times: 3,
  }),
  ...atBoth({
    name: "forgets its connections",
    fault: "open connections fall silent for good and are not closed, and new ones pass, to",
    runs: 40,
    blow: forgetting,
    times: 1,
  }),
];
