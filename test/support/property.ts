// Properties whose cases do real work and mostly wait: several are under way at a time. A failure prints its smallest
// case and how to run just that one again.
import { randomInt } from "node:crypto";
import fc from "fast-check";

/** A property that takes this long hangs, or shrinks for too long: it fails with what it has found by then. */
const TIME_LIMIT_MS = 120_000;
const MAX_REPORT_LENGTH = 4000;
const MAX_SEED = 0x7fff_ffff;

export interface Extent {
  /** Whose name goes into the hint of a failure. */
  test: { name: string };
  /** How many random values are tried. */
  cases: number;
  /** How many of them at a time; 1 unless told otherwise. */
  atATime?: number;
}

/** Throws when a value is found for which `check` throws. */
export async function holdsForAll<T>(
  { test, cases, atATime = 1 }: Extent,
  values: fc.Arbitrary<T>,
  check: (value: T) => Promise<void>,
): Promise<void> {
  const { PROPERTY_SEED: seed, PROPERTY_PATH: path } = process.env;
  // Once a case has failed, only it is made smaller.
  let failing: number | undefined;
  const propertyOf = (lane: number) =>
    fc.asyncProperty(values, async (value) => {
      if (failing !== undefined && failing !== lane) return;
      try {
        await check(value);
      } catch (error) {
        failing ??= lane;
        if (failing === lane) throw error;
      }
    });
  const limits = { interruptAfterTimeLimit: TIME_LIMIT_MS, markInterruptAsFailure: true };
  if (seed !== undefined) {
    return judge(
      test,
      await fc.check(propertyOf(0), { ...limits, seed: Number(seed), path: path ?? "", numRuns: cases }),
    );
  }
  const first = randomInt(MAX_SEED - atATime);
  const numRuns = Math.ceil(cases / atATime);
  const lanes = Array.from({ length: atATime }, (_, lane) =>
    fc.check(propertyOf(lane), { ...limits, seed: first + lane, numRuns }),
  );
  for (const result of await Promise.all(lanes)) judge(test, result);
}

function judge<T>(test: { name: string }, result: fc.RunDetails<T>): void {
  if (!result.failed) return;
  const again = `PROPERTY_SEED=${result.seed} PROPERTY_PATH=${result.counterexamplePath ?? ""} npm test --`;
  const report = fc.defaultReportMessage(result)?.slice(0, MAX_REPORT_LENGTH);
  throw new Error(`Again: ${again} --test-name-pattern='${test.name}' FILE\n${report}`, {
    cause: result.errorInstance,
  });
}
