// The activities that workflows call, with what they need bound to them.
import { closeAbandoned } from "./close-abandoned.ts";
import type { OpenWorkflows } from "./close-abandoned.ts";
import { cancelRun, expireRun } from "./finish-run.ts";
import { generate } from "./generate.ts";
import type { ActivityDeps, RunInput } from "./generate.ts";
import { removeExpired } from "./remove-expired.ts";
import { Suspects } from "./suspects.ts";

export type { ActionRequired, ActivityDeps, RunEnded, RunInput, TurnOutcome } from "./generate.ts";
export type { OpenWorkflows } from "./close-abandoned.ts";
export type { Removed } from "./remove-expired.ts";

export function createActivities(given: Omit<ActivityDeps, "suspects"> & { openWorkflows: OpenWorkflows }) {
  const deps = { ...given, suspects: new Suspects() };
  return {
    generate: (input: RunInput) => generate(deps, input),
    cancelRun: (input: RunInput) => cancelRun(deps, input),
    expireRun: (input: RunInput) => expireRun(deps, input),
    removeExpired: () => removeExpired(deps),
    closeAbandoned: () => closeAbandoned(deps, deps.openWorkflows),
  };
}
export type Activities = ReturnType<typeof createActivities>;
