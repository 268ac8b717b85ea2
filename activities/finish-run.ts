// Ends a run from outside of a turn: its workflow was cancelled, or its time is over.
import { endRun, expireOverdueRun } from "../db/run-ends.ts";
import type { ActivityDeps, RunEnded, RunInput } from "./generate.ts";

/** Ends a run as cancelled. A run that has ended already stays as it is. */
export async function cancelRun({ pool, writer }: ActivityDeps, input: RunInput): Promise<RunEnded> {
  const ended = await endRun(pool, { id: input.runId, project_id: input.projectId }, { to: "cancelled" });
  if (ended?.added !== undefined) writer.announce(input.runId, ended.added);
  return { kind: "ended", status: ended?.status ?? "deleted" };
}

/**
 * Ends a run as expired if its time is over by the database's clock. Returns undefined if it is not, or if the run has
 * ended meanwhile: then the workflow looks again at what there is to do.
 */
export async function expireRun({ pool, writer }: ActivityDeps, input: RunInput): Promise<RunEnded | undefined> {
  const ended = await expireOverdueRun(pool, { id: input.runId, project_id: input.projectId });
  if (ended?.added !== undefined) writer.announce(input.runId, ended.added);
  return ended && { kind: "ended", status: ended.status };
}
