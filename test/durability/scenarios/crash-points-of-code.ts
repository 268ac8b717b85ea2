// A call of code breaks between every two of its statements, in the middle of its cell, while its images and files are
// stored, before it has begun, and when it is done and Temporal does not know.
import { planCell } from "../faults/cells.ts";
import type { Random } from "../faults/random.ts";
import type { Scenario } from "../faults/scenario.ts";
import { breakLives } from "./breaking-lives.ts";
import type { Life } from "./breaking-lives.ts";
import type { At } from "./breaking-workers.ts";

const MIDDLE: readonly At[] = [
  ...[1, 2].map((nth): At => ({ kind: "heartbeat", nth })),
  // One is the image, the other the file.
  ...[1, 2].flatMap((nth) => (["before", "after"] as const).map((moment): At => ({ kind: "blob", nth, moment }))),
];

const tools = [{ type: "code_interpreter" }];

const LIVES: readonly Life[] = [
  {
    name: "draws, writes and answers",
    cells: (random) => [planWork(random)],
    extra: { tools },
    breaking: [2],
    also: { 2: MIDDLE },
    right: "completed",
  },
  {
    name: "goes on with what the call before has left",
    cells: (random) => [planCell(random, { writes: 100 }), planWork(random)],
    extra: { tools },
    breaking: [3],
    otherwise: 4,
    also: { 3: MIDDLE },
    right: "completed",
  },
];

function planWork(random: Random) {
  return planCell(random, { draws: true, writes: 50_000, ms: 2500 });
}

export const codeCrashPoints: Scenario = {
  name: "code: crash points of a call",
  fault:
    "a worker loses its connection between every two statements of a call of code, or dies when an image or a file is stored; or it dies between statements, in the middle of the cell, before the call, or before Temporal hears of its end: at a third of these points, which the seed chooses",
  world: { apis: 1, workers: 0, code: { sessions: 4 } },
  play: (stage) => breakLives(stage, LIVES, { tasted: 5, isDear: true }),
};
