// The activities that workflows call, with what they need bound to them.
import { cancelRun, expireRun } from "./finish-run.ts";
import { generate } from "./generate.ts";
import type { ActivityDeps, RunInput } from "./generate.ts";

export type { ActionRequired, ActivityDeps, RunEnded, RunInput, TurnOutcome } from "./generate.ts";

export function createActivities(deps: ActivityDeps) {
  return {
    generate: (input: RunInput) => generate(deps, input),
    cancelRun: (input: RunInput) => cancelRun(deps, input),
    expireRun: (input: RunInput) => expireRun(deps, input),
  };
}
export type Activities = ReturnType<typeof createActivities>;
