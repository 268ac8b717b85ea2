// A bad network between the processes and Postgres, or between them and Temporal: connections that are cut, refused,
// slow, or silent.
import { lasting } from "../faults/blow.ts";
import type { Blow } from "../faults/blow.ts";

export type Place = "postgres" | "temporal";

/** Every connection is cut, and new ones pass. */
export function cutOff(place: Place): Blow {
  return {
    hits: [place],
    async strike(stage) {
      stage.struck();
      stage.world.network[place].cutAll();
      stage.healed();
    },
  };
}

/** Connections are cut, and new ones refused for a while. */
export function refusal(place: Place): Blow {
  return {
    hits: [place],
    strike: lasting([2000, 6000], ({ world }) => {
      world.network[place].refuse();
      return world.network[place].heal;
    }),
  };
}

/** Nothing passes for a while, and then everything that was sent meanwhile. */
export function hanging(place: Place): Blow {
  return {
    hits: [place],
    strike: lasting([3000, 8000], ({ world }) => {
      world.network[place].hang();
      return world.network[place].heal;
    }),
  };
}

/** Everything comes later for a while. */
export function slowness(place: Place): Blow {
  return {
    hits: [place],
    strike: lasting([3000, 8000], ({ world, random }) => {
      world.network[place].delay(random.int(10, 80));
      return world.network[place].heal;
    }),
  };
}

/** Connections that are open fall silent for good and are not closed, and new ones pass. */
export function forgetting(place: Place): Blow {
  return {
    hits: [place],
    async strike(stage) {
      stage.struck();
      stage.world.network[place].forget();
      stage.healed();
    },
  };
}
