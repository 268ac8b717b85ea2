// A bad network between the processes and Postgres, and between them and Temporal: connections that are cut, refused,
// slow, or silent.
import type { Scenario, Stage } from "../faults/scenario.ts";
import type { TcpProxy } from "../faults/tcp-proxy.ts";
import { forAWhile, mixed, whileLoaded } from "./mixed.ts";

type Place = "postgres" | "temporal";
const NAMES: Record<Place, string> = { postgres: "Postgres", temporal: "Temporal" };

/** One way in which a network is bad, for each of the places. */
function onThe(
  places: readonly Place[],
  what: { name: string; fault: string; runs: number; play: (stage: Stage, proxy: TcpProxy) => Promise<void> },
): Scenario[] {
  return places.map((place) => ({
    name: `${NAMES[place]} ${what.name}`,
    fault: `${what.fault} ${NAMES[place]}`,
    load: mixed({ taste: 15, bounded: what.runs, long: 2 * what.runs }),
    play: (stage) => what.play(stage, stage.world.network[place]),
  }));
}

function lasting(begin: (proxy: TcpProxy, stage: Stage) => void, lastsMs: [number, number], times: number) {
  return (stage: Stage, proxy: TcpProxy): Promise<void> =>
    forAWhile(stage, {
      begin: () => begin(proxy, stage),
      end: () => proxy.heal(),
      lastsMs,
      betweenMs: [300, 2000],
      times: stage.extent === "long" ? 2 * times : times,
    });
}

const both: readonly Place[] = ["postgres", "temporal"];

export const networkScenarios: readonly Scenario[] = [
  ...onThe(both, {
    name: "cut off",
    fault: "every connection is cut, and new ones pass, to",
    runs: 80,
    play: (stage, proxy) =>
      whileLoaded(stage, () => {
        proxy.cutAll();
        stage.healed();
      }, [300, 1500]),
  }),
  ...onThe(both, {
    name: "refuses",
    fault: "connections are cut and refused for 2 to 6 s by",
    runs: 60,
    play: lasting((proxy) => proxy.refuse(), [2000, 6000], 3),
  }),
  ...onThe(both, {
    name: "hangs",
    fault: "nothing passes for 3 to 8 s, and then everything that was sent meanwhile, to and from",
    runs: 60,
    play: lasting((proxy) => proxy.hang(), [3000, 8000], 3),
  }),
  ...onThe(both, {
    name: "slow",
    fault: "everything comes 10 to 80 ms later, to and from",
    runs: 60,
    play: lasting((proxy, stage) => proxy.delay(stage.random.int(10, 80)), [3000, 8000], 3),
  }),
  ...onThe(both, {
    name: "forgets its connections",
    fault: "open connections fall silent for good and are not closed, and new ones pass, to",
    runs: 40,
    play: lasting((proxy) => proxy.forget(), [0, 0], 1),
  }),
];
