// Makes a scenario of blows: of one, or of several that fall together, each in a rhythm of its own.
import type { Blow } from "../faults/blow.ts";
import type { LoadMix } from "../faults/load.ts";
import type { Extent, Scenario } from "../faults/scenario.ts";
import type { WorldOptions } from "../faults/world.ts";
import { strikeInRhythm } from "./rhythms.ts";
import type { Rhythm } from "./rhythms.ts";

export interface Play {
  name: string;
  fault: string;
  /** Conversations for each extent. */
  load: Record<Extent, number>;
  /** What is different from a mix of everything, besides what the blows do to it. */
  mix?: Partial<LoadMix>;
  /** What it takes in the world, besides what the blows take. */
  world?: WorldOptions;
  rhythms: (extent: Extent) => readonly Rhythm[];
}

export function scenarioOf({ name, fault, load, mix = {}, world = {}, rhythms }: Play): Scenario {
  const blows = rhythms("bounded").map(({ blow }) => blow);
  return {
    name,
    fault,
    world: { ...worldFor(blows), ...world },
    load: (extent) => ({ conversations: load[extent], atATime: 12, ...loadUnder(blows), ...mix }),
    async play(stage) {
      await Promise.all(rhythms(stage.extent).map((rhythm) => strikeInRhythm(stage.fork(), rhythm)));
    },
  };
}

/** Has what each of them takes. */
export function worldFor(blows: readonly Blow[]): WorldOptions {
  const worlds = blows.map(({ world }) => world ?? {});
  return {
    fromWithin: worlds.some(({ fromWithin }) => fromWithin),
    bucket: worlds.some(({ bucket }) => bucket),
    own: [...new Set(worlds.flatMap(({ own }) => own ?? []))],
  };
}

/** With the longest patience of any of them. */
export function loadUnder(blows: readonly Blow[]): Partial<LoadMix> {
  const loads = blows.map(({ load }) => load ?? {});
  const patience = loads.flatMap(({ restMs }) => restMs ?? []);
  return { ...Object.assign({}, ...loads), ...(patience.length === 0 ? {} : { restMs: Math.max(...patience) }) };
}
