// Processes that end in order, on SIGTERM, and new ones in their places.
import type { Blow } from "../faults/blow.ts";

export const workerRoll: Blow = {
  hits: ["workers"],
  async strike(stage) {
    stage.struck();
    await stage.world.rollWorker(stage.random.int(0, 1));
    stage.healed();
  },
};

export const apiRoll: Blow = {
  hits: ["apis"],
  async strike(stage) {
    stage.struck();
    await stage.world.rollApi(stage.random.int(0, 1));
    stage.healed();
  },
};

/** One after the other. */
export const rollOfEverything: Blow = {
  hits: ["apis", "workers"],
  async strike(stage) {
    const { rollWorker, rollApi } = stage.world;
    // A new worker comes behind the others, so that the first is always the oldest.
    for (const roll of [() => rollWorker(0), () => rollApi(0), () => rollWorker(0), () => rollApi(1)]) {
      await stage.pause(100, 800);
      stage.struck();
      await roll();
      stage.healed();
    }
  },
};
