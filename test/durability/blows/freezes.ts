// Processes that stand still for a while and then go on as if nothing had been: by then others have their work.
import { setTimeout as sleep } from "node:timers/promises";
import type { NodeChild } from "../../../embedded/node-child.ts";
import type { Blow } from "../faults/blow.ts";
import type { Stage } from "../faults/scenario.ts";

/** Longer than Temporal waits for a heartbeat. */
export const workerFreeze: Blow = {
  hits: ["workers"],
  strike: (stage) => freeze(stage, stage.world.stack.workers[0], [7000, 11_000]),
};

export const apiFreeze: Blow = {
  hits: ["apis"],
  strike: (stage) => freeze(stage, stage.world.stack.apis[0], [2000, 6000]),
};

async function freeze(stage: Stage, child: NodeChild | undefined, [fromMs, toMs]: [number, number]): Promise<void> {
  if (child === undefined) return stage.pause(fromMs, toMs);
  stage.struck();
  process.kill(child.pid, "SIGSTOP");
  await sleep(stage.random.int(fromMs, toMs));
  try {
    process.kill(child.pid, "SIGCONT");
  } catch (error) {
    // It was killed meanwhile, by something else that is done to it.
    if ((error as { code?: string }).code !== "ESRCH") throw error;
  }
  stage.healed();
}
