// The statuses of a run and how they may follow one another. Pure; the one table that code and SQL obey.
import { z } from "zod";

export const RunStatus = z.enum([
  "queued",
  "in_progress",
  "requires_action",
  "cancelling",
  "cancelled",
  "failed",
  "completed",
  "incomplete",
  "expired",
]);
export type RunStatus = z.infer<typeof RunStatus>;

/** From each status, those that may come next. A terminal status has none. */
export const RUN_TRANSITIONS: Readonly<Record<RunStatus, readonly RunStatus[]>> = {
  queued: ["in_progress", "cancelling", "failed", "expired"],
  in_progress: ["requires_action", "completed", "incomplete", "failed", "cancelling", "expired"],
  requires_action: ["queued", "cancelling", "failed", "expired"],
  cancelling: ["cancelled", "completed", "incomplete", "failed", "expired"],
  cancelled: [],
  failed: [],
  completed: [],
  incomplete: [],
  expired: [],
};

export type TerminalStatus = "cancelled" | "failed" | "completed" | "incomplete" | "expired";

/** A terminal run never changes again and does not lock its thread. */
export function isTerminal(status: RunStatus): status is TerminalStatus {
  return RUN_TRANSITIONS[status].length === 0;
}

/** The statuses from which `to` can be reached in one step: the guard of every status update. */
export function statusesBefore(to: RunStatus): RunStatus[] {
  return RunStatus.options.filter((from) => RUN_TRANSITIONS[from].includes(to));
}
