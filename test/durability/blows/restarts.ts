// Postgres and Temporal themselves, stopped or killed and started again on their data, or without them.
import { setTimeout as sleep } from "node:timers/promises";
import type { Blow } from "../faults/blow.ts";
import type { OwnServer } from "../faults/own-server.ts";
import type { World } from "../faults/world.ts";

export type Server = "postgres" | "temporal";

/** Away for some time between these, whether or not there is still load. */
export function restart(server: Server, how: "stop" | "kill", [fromMs, toMs]: readonly [number, number]): Blow {
  return {
    hits: [server],
    world: { own: [server] },
    async strike(stage) {
      const own = ownServer(stage.world, server);
      stage.struck();
      await own[how]();
      await sleep(stage.random.int(fromMs, toMs));
      await own.start();
      stage.healed();
    },
  };
}

/** Temporal is killed, its disk emptied, and it is started again without any workflow. */
export const temporalLoss: Blow = {
  hits: ["temporal"],
  world: { own: ["temporal"] },
  load: { restMs: 400_000 },
  async strike(stage) {
    const own = ownServer(stage.world, "temporal");
    stage.struck();
    await own.kill();
    own.forget();
    await own.start();
    stage.healed();
  },
};

function ownServer(world: World, server: Server): OwnServer {
  const own = world[server];
  if (own === undefined) throw new Error(`the scenario has no ${server} of its own`);
  return own;
}
