// An endpoint of the model that is busy, fails, says garbage, breaks off, or falls silent.
import type { ScriptedTurn } from "../../support/scripts.ts";
import { lasting } from "../faults/blow.ts";
import type { Blow } from "../faults/blow.ts";
import type { Random } from "../faults/random.ts";

/** Lasts as long as the load, which is the fault; it is counted by the requests that were in vain. */
export const badTurns: Blow = {
  hits: ["model"],
  load: { spoil },
  async strike(stage) {
    while (!stage.isOver()) await stage.pause(200, 200);
    for (const request of stage.world.stack.model.requests) if (request.status !== 200) stage.struck();
  },
};

/** Each turn fails at first, and then does not: fewer times than a turn is tried. */
function spoil(turn: ScriptedTurn, random: Random): ScriptedTurn {
  const times = random.int(1, 3);
  return random.pick<() => ScriptedTurn>([
    () => turn,
    // A 429 does not count as a try.
    () => ({ ...turn, error: { status: 429, retry_after_ms: random.int(10, 800), times: random.int(1, 9) } }),
    () => ({ ...turn, error: { status: 429, retry_after: 1, times } }),
    () => ({ ...turn, error: { status: random.pick([500, 502, 503, 529]), times } }),
    () => ({ ...turn, error: { status: 500, body: "<html>Bad gateway</html>", times } }),
    () => ({ ...turn, cut_after_chunks: random.int(0, 4), times }),
    () => ({ ...turn, garbage_after_chunks: random.int(0, 4), times }),
  ])();
}

/** Every second connection is cut after some bytes of answer. Not for long: no turn may have bad luck six times. */
export const cutAnswers: Blow = {
  hits: ["model"],
  strike: lasting([1000, 3000], ({ world, random }) => {
    const lots = random.fork();
    world.network.model.cutAnswersAfter(() => (lots.chance(0.5) ? lots.int(1, 4000) : Number.POSITIVE_INFINITY));
    return world.network.model.heal;
  }),
};

/** Connections fall silent and are not closed. A call counts as hung after two minutes. */
export const silence: Blow = {
  hits: ["model"],
  load: { restMs: 400_000 },
  async strike(stage) {
    stage.struck();
    stage.world.network.model.forget();
    stage.healed();
  },
};
