// The activities that workflows call, with what they need bound to them.
import { MAX_HELD_IMAGE_BYTES } from "../contract/limits.ts";
import { ByteBudget } from "./byte-budget.ts";
import type { CallInput } from "./call-tool.ts";
import { closeAbandoned } from "./close-abandoned.ts";
import type { OpenWorkflows } from "./close-abandoned.ts";
import { cancelRun, expireRun } from "./finish-run.ts";
import { generate } from "./generate.ts";
import type { RunInput } from "./generate.ts";
import { cancelIngest, embedChunks, extractChunks } from "./ingest.ts";
import type { IngestDeps } from "./ingest.ts";
import type { IngestInput } from "./ingest-try.ts";
import { removeExpired } from "./remove-expired.ts";
import { removeOrphans } from "./remove-orphans.ts";
import { runCode } from "./run-code.ts";
import type { CodeDeps } from "./run-code.ts";
import { searchFiles } from "./search-files.ts";
import type { SearchDeps } from "./search-files.ts";
import { Suspects } from "./suspects.ts";
import { withHeartbeat } from "./with-heartbeat.ts";

export type { CallInput, CallOutcome } from "./call-tool.ts";
export type { ActionRequired, RunEnded, RunInput, ToolsCalled, TurnOutcome } from "./generate.ts";
export type { IngestEnded, IngestInput } from "./ingest-try.ts";
export type { OpenWorkflows } from "./close-abandoned.ts";
export type { Removed } from "./remove-expired.ts";
export type { OrphansRemoved } from "./remove-orphans.ts";

type Given = Omit<SearchDeps & CodeDeps & IngestDeps, "suspects" | "suspectFiles" | "imageBudget"> & {
  openWorkflows: OpenWorkflows;
};

export function createActivities(given: Given) {
  const imageBudget = new ByteBudget(MAX_HELD_IMAGE_BYTES);
  const deps = { ...given, suspects: new Suspects(), suspectFiles: new Suspects(), imageBudget };
  return {
    generate: (input: RunInput) => generate(deps, input),
    searchFiles: (input: CallInput) => searchFiles(deps, input),
    runCode: (input: CallInput) => runCode(deps, input),
    cancelRun: (input: RunInput) => cancelRun(deps, input),
    expireRun: (input: RunInput) => expireRun(deps, input),
    extractChunks: (input: IngestInput) => extractChunks(deps, input),
    embedChunks: (input: IngestInput) => embedChunks(deps, input),
    cancelIngest: (input: IngestInput) => cancelIngest(deps, input),
    removeExpired: () => withHeartbeat(() => removeExpired(deps)),
    removeOrphans: () => withHeartbeat(() => removeOrphans(deps)),
    closeAbandoned: () => withHeartbeat(() => closeAbandoned(deps, deps.openWorkflows)),
  };
}
export type Activities = ReturnType<typeof createActivities>;
