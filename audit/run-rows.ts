// Runs by themselves: each has ended, waits for its client, or is looked at; and its fields are those of its status.
import { SWEEP_IN_PROGRESS_AFTER_MS, SWEEP_MAX_BACKOFF_MS, SWEEP_WAITING_AFTER_MS } from "../contract/limits.ts";
import { GRACE } from "./row-check.ts";
import type { RowInvariant } from "./row-check.ts";

export const RUN_INVARIANTS: readonly RowInvariant[] = [
  {
    name: "run-moves",
    says: "A run that is queued, in progress or being cancelled is looked at in time, and ends when its time is over.",
    checks: [
      {
        over: "runs",
        withGrace: true,
        sql: `
          select id, nullif(concat_ws('; ',
            case when check_at < now() - ${GRACE}
              then format('%s, and nobody has looked at it for %s s', status, floor(extract(epoch from now() - check_at)))
            end,
            case when check_at > now() + interval '${SWEEP_MAX_BACKOFF_MS} ms' + ${GRACE}
              then format('%s, and not to be looked at for %s s', status, floor(extract(epoch from check_at - now())))
            end,
            case when expires_at < now() - interval '${SWEEP_IN_PROGRESS_AFTER_MS} ms' - ${GRACE}
              then format('%s, and %s s past its time', status, floor(extract(epoch from now() - expires_at)))
            end), '') as reason
          from runs where id = any($1) and status in ('queued', 'in_progress', 'cancelling')`,
      },
    ],
  },
  {
    name: "run-waits",
    says: "A run that requires action says which, has its step of tool calls open, and is not past its time.",
    checks: [
      {
        over: "runs",
        withGrace: true,
        sql: `
          select r.id, nullif(concat_ws('; ',
            case when coalesce(json_array_length(r.required_action #> '{submit_tool_outputs,tool_calls}'), 0) = 0
              then 'requires no action' end,
            case when not exists (select 1 from run_steps s
                where s.run_id = r.id and s.status = 'in_progress' and s.type = 'tool_calls')
              then 'has no open step of tool calls' end,
            case when r.expires_at < now() - ${GRACE}
              then format('%s s past its time', floor(extract(epoch from now() - r.expires_at))) end,
            case when r.check_at < now() - ${GRACE}
              then format('nobody has looked at it for %s s', floor(extract(epoch from now() - r.check_at))) end,
            case when r.check_at > now() + interval '${SWEEP_WAITING_AFTER_MS} ms' + ${GRACE}
              then format('not to be looked at for %s s', floor(extract(epoch from r.check_at - now()))) end
            ), '') as reason
          from runs r where r.id = any($1) and r.status = 'requires_action'`,
      },
    ],
  },
  {
    name: "run-times",
    says: "A run has started_at once it was begun, and of the times of its end exactly that of its status.",
    checks: [
      {
        over: "runs",
        sql: `
          select id, nullif(concat_ws('; ',
            case when turn > 0 and started_at is null then 'begun, and without started_at' end,
            case when turn = 0 and started_at is not null then 'never begun, and with started_at' end,
            case when turn = 0 and status in ('in_progress', 'requires_action', 'completed', 'incomplete')
              then status || ', and never begun' end,
            case when (completed_at is not null) <> (status = 'completed')
              then status || case when completed_at is null then ' without' else ' with' end || ' completed_at' end,
            case when (failed_at is not null) <> (status = 'failed')
              then status || case when failed_at is null then ' without' else ' with' end || ' failed_at' end,
            case when (cancelled_at is not null) <> (status = 'cancelled')
              then status || case when cancelled_at is null then ' without' else ' with' end || ' cancelled_at' end
            ), '') as reason
          from runs where id = any($1)`,
      },
    ],
  },
  {
    name: "run-outcome",
    says: "Only a failed run has an error, only an incomplete one a reason, only a waiting one a required action.",
    checks: [
      {
        over: "runs",
        sql: `
          select id, nullif(concat_ws('; ',
            case when (last_error is not null) <> (status = 'failed')
              then status || case when last_error is null then ' without' else ' with' end || ' last_error' end,
            case when (incomplete_reason is not null) <> (status = 'incomplete')
              then status || case when incomplete_reason is null then ' without' else ' with' end || ' a reason' end,
            case when required_action is not null and status <> 'requires_action'
              then status || ' with required_action' end
            ), '') as reason
          from runs where id = any($1)`,
      },
    ],
  },
];
