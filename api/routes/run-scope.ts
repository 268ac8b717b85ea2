// What the addresses of runs have in common.
import { z } from "zod";
import { runNotFound, threadNotFound } from "../../contract/errors.ts";
import { AnyId, ThreadId } from "../../contract/references.ts";
import type { Run } from "../../contract/run.ts";
import type { Queryable } from "../../db/pool.ts";
import { findRun } from "../../db/runs.ts";
import type { RunScope } from "../../db/scope.ts";
import { threadExists } from "../../db/threads.ts";

export const OneThread = z.object({ thread_id: ThreadId });
export const OneRun = OneThread.extend({ run_id: AnyId });

export function toRunScope(request: { caller: { project_id: string }; params: z.infer<typeof OneRun> }): RunScope {
  return { ...request.caller, thread_id: request.params.thread_id, id: request.params.run_id };
}

/** Throws (404) when the run, or its thread, is not there. */
export async function requireRun(db: Queryable, scope: RunScope): Promise<Run> {
  return (await findRun(db, scope)) ?? missingRun(db, scope);
}

/** Throws (404) for whichever of the two is not there. */
export async function missingRun(db: Queryable, scope: RunScope): Promise<never> {
  throw (await threadExists(db, scope)) ? runNotFound(scope.id) : threadNotFound(scope.thread_id);
}
