// The only statement that changes a run's status. It obeys the table in contract/run-state.ts.
import {
  EVENT_RETENTION_MS,
  SWEEP_AFTER_MS,
  SWEEP_IN_PROGRESS_AFTER_MS,
  SWEEP_WAITING_AFTER_MS,
} from "../contract/limits.ts";
import { isTerminal, statusesBefore } from "../contract/run-state.ts";
import type { RunStatus } from "../contract/run-state.ts";
import type { LastError, RequiredAction, Run, RunIncompleteReason, Usage } from "../contract/run.ts";
import type { Queryable } from "./pool.ts";
import type { NewEvent } from "./run-events.ts";
import { RUN_COLUMNS, runState } from "./runs.ts";
import type { RunKey } from "./scope.ts";

export interface StatusChange {
  to: RunStatus;
  required_action?: RequiredAction;
  last_error?: LastError;
  incomplete_reason?: RunIncompleteReason;
  /** Tokens to add to those of the run. */
  usage?: Usage | undefined;
}

/** When the sweep should first look at a run in a status. */
const CHECK_AFTER: Partial<Record<RunStatus, string>> = {
  in_progress: `now() + interval '${SWEEP_IN_PROGRESS_AFTER_MS} milliseconds'`,
  requires_action: `least(expires_at, now() + interval '${SWEEP_WAITING_AFTER_MS} milliseconds')`,
};
const CHECK_SOON = `now() + interval '${SWEEP_AFTER_MS} milliseconds'`;

const ENTERED: Record<RunStatus, string> = {
  queued: "",
  in_progress: ", started_at = clock_timestamp(), turn = turn + 1, turn_tries = 0, turn_failures = 0",
  requires_action: "",
  cancelling: "",
  cancelled: ", cancelled_at = clock_timestamp()",
  failed: ", failed_at = clock_timestamp()",
  completed: ", completed_at = clock_timestamp()",
  incomplete: "",
  expired: "",
};

/**
 * Moves a run to another status, if the table allows it from where it is, and returns the run with the event to append.
 * Returns undefined when the run is in a status from which `to` cannot be reached: someone else was first.
 */
export async function changeStatus(
  tx: Queryable,
  key: RunKey,
  change: StatusChange,
): Promise<{ run: Run; event: NewEvent } | undefined> {
  const { to, usage } = change;
  // The new epoch shuts out a worker that does not know yet: nothing is written behind the end.
  const ended = isTerminal(to) ? `, epoch = epoch + 1, events_until = now() + interval '${EVENT_RETENTION_MS} ms'` : "";
  const { rows } = await tx.query<Run>(
    `update runs set status = $4, required_action = $5, last_error = $6, incomplete_reason = $7,
       prompt_tokens = prompt_tokens + $8, completion_tokens = completion_tokens + $9,
       cached_tokens = cached_tokens + $10, reasoning_tokens = reasoning_tokens + $11,
       check_at = ${CHECK_AFTER[to] ?? CHECK_SOON}, checks = 0${ENTERED[to]}${ended}
     where id = $1 and project_id = $2 and status = any($3::text[])
     returning ${RUN_COLUMNS}`,
    [
      key.id,
      key.project_id,
      statusesBefore(to),
      to,
      change.required_action === undefined ? null : JSON.stringify(change.required_action),
      change.last_error === undefined ? null : JSON.stringify(change.last_error),
      change.incomplete_reason ?? null,
      usage?.prompt_tokens ?? 0,
      usage?.completion_tokens ?? 0,
      usage?.prompt_token_details.cached_tokens ?? 0,
      usage?.completion_tokens_details.reasoning_tokens ?? 0,
    ],
  );
  const run = rows[0];
  return run && { run, event: { event: `thread.run.${to}`, data: runState(run) } };
}
