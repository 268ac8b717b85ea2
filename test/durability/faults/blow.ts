// A blow: one thing that is done to the server. Scenarios strike with one of them, again and again, or with several
// together.
import type { LoadMix } from "./load.ts";
import type { Stage } from "./scenario.ts";
import type { WorldOptions } from "./world.ts";

/** Whom a blow hits. Two that hit the same one cannot fall at once: each makes whole what the other has broken. */
export type Target =
  | "postgres"
  | "temporal"
  | "model"
  | "embeddings"
  | "blobs"
  | "parsers"
  | "sandboxes"
  | "apis"
  | "workers"
  | "nudges"
  | "clocks"
  | "runs";

export interface Blow {
  hits: readonly Target[];
  /** What it takes in the world. */
  world?: WorldOptions;
  /** What it does to the load, which has to begin with it. */
  load?: Partial<LoadMix>;
  /** Breaks something once. What it breaks is whole again when this has resolved. */
  strike(stage: Stage): Promise<void>;
}

/** Breaks something, lets it be broken for a while, and makes it whole with what `begin` returns. */
export function lasting(
  [fromMs, toMs]: readonly [number, number],
  begin: (stage: Stage) => Mend | Promise<Mend>,
): Blow["strike"] {
  return async (stage) => {
    stage.struck();
    const mend = await begin(stage);
    await stage.pause(fromMs, toMs);
    await mend();
    stage.healed();
  };
}

type Mend = () => unknown;
