// Processes that are killed with -9 at random moments, and processes that are replaced in order.
import type { Scenario, Stage } from "../faults/scenario.ts";
import { mixed, whileLoaded } from "./mixed.ts";

/** The moment of death is where recovery is timed from. */
async function dying(stage: Stage, ...replacing: Promise<void>[]): Promise<void> {
  stage.healed();
  await Promise.all(replacing);
}

export const workerKilled: Scenario = {
  name: "worker killed",
  fault: "kill -9 of one of two workers",
  load: mixed({ taste: 20, bounded: 100, long: 300 }),
  play: (stage) =>
    whileLoaded(stage, () => dying(stage, stage.world.replaceWorker(stage.random.int(0, 1))), [300, 2000]),
};

export const apiKilled: Scenario = {
  name: "API killed",
  fault: "kill -9 of one of two APIs",
  load: mixed({ taste: 20, bounded: 100, long: 300 }),
  play: (stage) => whileLoaded(stage, () => dying(stage, stage.world.replaceApi(stage.random.int(0, 1))), [100, 1000]),
};

export const everythingKilled: Scenario = {
  name: "everything killed",
  fault: "kill -9 of all workers and all APIs at once",
  load: mixed({ taste: 20, bounded: 80, long: 200 }),
  play: (stage) =>
    whileLoaded(stage, async () => {
      const { stack, replaceApi, replaceWorker } = stage.world;
      const all = [...stack.workers, ...stack.apis];
      for (const child of all) child.kill();
      await Promise.all(all.map((child) => child.exited));
      await dying(stage, replaceApi(0), replaceApi(1), replaceWorker(0), replaceWorker(0));
    }, [1000, 4000]),
};

export const rollingRestarts: Scenario = {
  name: "rolling restarts",
  fault: "SIGTERM to two workers and two APIs, one after the other, and a new process in the place of each",
  load: mixed({ taste: 20, bounded: 80, long: 250 }),
  async play(stage) {
    const { rollWorker, rollApi } = stage.world;
    const rounds = { taste: 1, bounded: 2, long: 4 }[stage.extent];
    for (let round = 0; round < rounds; round += 1) {
      for (const [roll, index] of [
        [rollWorker, 0],
        [rollApi, 0],
        [rollWorker, 0],
        [rollApi, 1],
      ] as const) {
        await stage.pause(100, 800);
        stage.struck();
        await roll(index);
        stage.healed();
      }
    }
  },
};
