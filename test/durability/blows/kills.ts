// Processes that are killed with -9, and started again as whoever looks after them would.
import type { Blow } from "../faults/blow.ts";

export const workerKill: Blow = {
  hits: ["workers"],
  async strike(stage) {
    stage.struck();
    const replaced = stage.world.replaceWorker(stage.random.int(0, 1));
    stage.healed(); // the moment of death is where recovery is timed from
    await replaced;
  },
};

export const apiKill: Blow = {
  hits: ["apis"],
  async strike(stage) {
    stage.struck();
    const replaced = stage.world.replaceApi(stage.random.int(0, 1));
    stage.healed();
    await replaced;
  },
};

export const killOfEverything: Blow = {
  hits: ["apis", "workers"],
  async strike(stage) {
    stage.struck();
    const { stack, sandboxes, replaceApi, fillWorkers } = stage.world;
    const all = [...stack.workers, ...stack.apis];
    for (const child of all) child.kill();
    sandboxes?.killAll();
    await Promise.all(all.map((child) => child.exited));
    stage.healed();
    await Promise.all([replaceApi(0), replaceApi(1), fillWorkers()]);
  },
};
