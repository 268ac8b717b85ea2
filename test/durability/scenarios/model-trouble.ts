// An endpoint of the model that is busy, fails, says garbage, breaks off, or falls silent.
import type { ScriptedTurn } from "../../support/scripts.ts";
import type { Random } from "../faults/random.ts";
import type { Scenario } from "../faults/scenario.ts";
import { forAWhile, mixed } from "./mixed.ts";

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

export const modelTrouble: Scenario = {
  name: "model in trouble",
  fault: "429 storms with Retry-After, 5xx storms, garbage and cut streams, one to nine times for each turn",
  load: mixed({ taste: 15, bounded: 90, long: 300 }, { spoil, atATime: 20 }),
  play: async (stage) => {
    // The load is the fault; it is counted by the requests that were in vain.
    while (!stage.isOver()) await stage.pause(200, 200);
    for (const request of stage.world.stack.model.requests) if (request.status !== 200) stage.struck();
  },
};

export const modelCut: Scenario = {
  name: "model cut at any byte",
  fault: "for 1 to 3 s every second connection is cut after some bytes of answer, by the model's endpoint",
  load: mixed({ taste: 15, bounded: 90, long: 250 }),
  play: (stage) =>
    forAWhile(stage, {
      // No turn may have bad luck six times: it would rightly fail.
      begin: () =>
        stage.world.network.model.cutAnswersAfter(() =>
          stage.random.chance(0.5) ? stage.random.int(1, 4000) : Number.POSITIVE_INFINITY,
        ),
      end: () => stage.world.network.model.heal(),
      lastsMs: [1000, 3000],
      betweenMs: [500, 2000],
      times: { taste: 1, bounded: 4, long: 10 }[stage.extent],
    }),
};

export const modelHangs: Scenario = {
  name: "model hangs",
  fault: "connections fall silent and are not closed, by the model's endpoint",
  // A call counts as hung after two minutes.
  load: mixed({ taste: 10, bounded: 40, long: 100 }, { restMs: 400_000 }),
  async play(stage) {
    await stage.pause(500, 1500);
    stage.struck();
    stage.world.network.model.forget();
    stage.healed();
  },
};
