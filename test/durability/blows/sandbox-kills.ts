// Pythons that are killed with -9, and the processes that they are forked from.
import type { Blow } from "../faults/blow.ts";
import { isToken } from "../faults/cells.ts";
import { killNow } from "../faults/sandboxes.ts";
import type { SandboxProcess } from "../faults/sandboxes.ts";
import type { Stage } from "../faults/scenario.ts";

/** In the middle of a cell, or of a file on its way in or out: one that has run a cell before. */
export const sessionKill: Blow = {
  hits: ["sandboxes"],
  strike: (stage) =>
    killOne(stage, () => (stage.world.sandboxes?.busySessions() ?? []).filter(({ name }) => isToken(name))),
};

/** With all sessions, whatever they do. */
export const zygoteKill: Blow = {
  hits: ["sandboxes"],
  strike: (stage) =>
    killOne(stage, () => (stage.world.sandboxes?.list() ?? []).filter(({ kind }) => kind === "zygote")),
};

/** Kills one as soon as there is one. */
async function killOne(stage: Stage, find: () => SandboxProcess[]): Promise<void> {
  for (let found = find(); !stage.isOver(); found = find()) {
    if (found.length > 0) {
      stage.struck();
      killNow(stage.random.pick(found).pid);
      return stage.healed();
    }
    await stage.pause(20, 20);
  }
}
