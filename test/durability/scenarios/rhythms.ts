// How blows fall while the load lasts.
import type { Blow } from "../faults/blow.ts";
import type { Stage } from "../faults/scenario.ts";

export interface Rhythm {
  blow: Blow;
  /** From the end of one to the beginning of the next. */
  betweenMs: readonly [number, number];
  /** When the first one falls; early unless told, since even a small load lasts longer. */
  firstMs?: readonly [number, number];
  /** At the most so many times; as long as the load lasts unless told. */
  times?: number;
}

const FIRST_MS = [100, 500] as const;

/** Strikes again and again, and at least once. */
export async function strikeInRhythm(stage: Stage, rhythm: Rhythm): Promise<void> {
  const { blow, betweenMs, firstMs = FIRST_MS, times = Number.POSITIVE_INFINITY } = rhythm;
  await stage.pause(...firstMs);
  for (let time = 1; ; time += 1) {
    await blow.strike(stage);
    if (time >= times || stage.isOver()) return;
    await stage.pause(...betweenMs);
    if (stage.isOver()) return;
  }
}
