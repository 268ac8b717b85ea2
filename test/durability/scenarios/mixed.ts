// Loads and rhythms that most scenarios share.
import type { LoadMix } from "../faults/load.ts";
import type { Extent, Scenario, Stage } from "../faults/scenario.ts";

/** A mix of everything; how many conversations there are is told for each extent. */
export function mixed(
  conversations: Record<Extent, number>,
  mix: Partial<LoadMix> = {},
): NonNullable<Scenario["load"]> {
  return (extent) => ({ conversations: conversations[extent], atATime: 12, ...mix });
}

/** When the first blow falls: early, since even a small load lasts longer. */
const FIRST_MS: [number, number] = [100, 500];

/** Strikes again and again while the load lasts, and at least once. */
export async function whileLoaded(
  stage: Stage,
  strike: () => void | Promise<void>,
  [fromMs, toMs]: [number, number],
): Promise<void> {
  await stage.pause(...FIRST_MS);
  do {
    stage.struck();
    await strike();
    await stage.pause(fromMs, toMs);
  } while (!stage.isOver());
}

/** For what is wrong from the beginning to the end: waits until the load is over. */
export async function allTheTime(stage: Stage): Promise<void> {
  while (!stage.isOver()) await stage.pause(200, 200);
  stage.struck();
}

/** Breaks something for a while, so many times while the load lasts, and at least once. */
export async function forAWhile(
  stage: Stage,
  what: { begin(): unknown; end(): unknown; lastsMs: [number, number]; betweenMs: [number, number]; times: number },
): Promise<void> {
  for (let time = 0; time < what.times && (time === 0 || !stage.isOver()); time += 1) {
    await stage.pause(...what.betweenMs);
    stage.struck();
    await what.begin();
    await stage.pause(...what.lastsMs);
    await what.end();
    stage.healed();
  }
}
