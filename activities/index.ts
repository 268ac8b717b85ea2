// The activities that workflows call, with what they need bound to them.
import { cancelRun, expireRun } from "./finish-run.ts";
import { generate } from "./generate.ts";
import type { ActivityDeps, RunInput } from "./generate.ts";
import { removeExpired } from "./remove-expired.ts";

export type { ActionRequired, ActivityDeps, RunEnded, RunInput, TurnOutcome } from "./generate.ts";
export type { Removed } from "./remove-expired.ts";

export function createActivities(deps: ActivityDeps) {
  return {
    generate: (input: RunInput) => generate(deps, input),
    cancelRun: (input: RunInput) => cancelRun(deps, input),
    expireRun: (input: RunInput) => expireRun(deps, input),
    removeExpired: () => removeExpired(deps),
  };
}
export type Activities = ReturnType<typeof createActivities>;
