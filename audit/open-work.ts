// What runs write: one answer for each turn, nothing left open behind an end, one thing at a time before it.
import type { RowInvariant } from "./row-check.ts";

export const WORK_INVARIANTS: readonly RowInvariant[] = [
  {
    name: "one-answer-per-turn",
    says: "A turn of a run has at most one completed message.",
    checks: [
      {
        over: "runs",
        sql: `
          select r.id, (
            select string_agg(format('turn %s has %s completed messages', t.turn, t.messages), '; ' order by t.turn)
            from (
              select s.turn, count(*) as messages
              from run_steps s
              join messages m on m.id = s.step_details -> 'message_creation' ->> 'message_id'
                and m.run_id = s.run_id and m.status = 'completed'
              where s.run_id = r.id and s.type = 'message_creation'
              group by s.turn having count(*) > 1
            ) t) as reason
          from runs r where r.id = any($1)`,
      },
    ],
  },
  {
    name: "nothing-open-at-the-end",
    says: "A run that has ended has no message and no step in progress.",
    checks: [
      {
        over: "runs",
        sql: `
          select r.id, nullif(concat_ws('; ',
            (select string_agg(m.id || ' is in progress', '; ' order by m.id)
             from messages m where m.run_id = r.id and m.status = 'in_progress'),
            (select string_agg(s.id || ' is in progress', '; ' order by s.id)
             from run_steps s where s.run_id = r.id and s.status = 'in_progress')
            ), '') as reason
          from runs r
          where r.id = any($1) and r.status in ('completed', 'failed', 'cancelled', 'incomplete', 'expired')`,
      },
    ],
  },
  {
    name: "one-thing-open",
    says: "An active run has at most one open step and one open message, which belong together, and none while queued.",
    checks: [
      {
        over: "runs",
        sql: `
          select r.id, nullif(concat_ws('; ',
            case when s.open > 1 then s.open || ' open steps' end,
            case when m.open > 1 then m.open || ' open messages' end,
            case when r.status = 'queued' and s.open + m.open > 0 then 'queued with open work' end,
            case when r.status = 'requires_action' and m.open > 0 then 'waits with an open message' end,
            case when r.status <> 'queued' and m.open = 1 and s.open <= 1 and s.message_id is distinct from m.id
              then m.id || ' is open, and not named by the open step' end,
            case when s.open = 1 and m.open = 0 and exists (select 1 from messages where id = s.message_id)
              then s.message_id || ' is closed, and its step is not' end
            ), '') as reason
          from runs r
          cross join lateral (
            select count(*) as open, max(step_details -> 'message_creation' ->> 'message_id') as message_id
            from run_steps where run_id = r.id and status = 'in_progress'
          ) s
          cross join lateral (
            select count(*) as open, max(id) as id from messages where run_id = r.id and status = 'in_progress'
          ) m
          where r.id = any($1) and r.status in ('queued', 'in_progress', 'requires_action', 'cancelling')`,
      },
    ],
  },
  {
    name: "incomplete-with-its-run",
    says: "An incomplete message has a reason, and its run ended that way.",
    checks: [
      {
        over: "messages",
        sql: `
          select m.id, case
            when m.run_id is null then 'is incomplete, and no run wrote it'
            when m.incomplete_reason is null then 'has no reason'
            when not case m.incomplete_reason
                when 'max_tokens' then r.status = 'incomplete'
                when 'run_cancelled' then r.status = 'cancelled'
                when 'run_expired' then r.status = 'expired'
                when 'run_failed' then r.status = 'failed'
                when 'content_filter' then r.status = 'failed'
                else false end
              then format('is incomplete for %s, and %s is %s', m.incomplete_reason, r.id, r.status)
            end as reason
          from messages m left join runs r on r.id = m.run_id
          where m.id = any($1) and m.status = 'incomplete'`,
      },
    ],
  },
  {
    name: "message-times",
    says: "A message has completed_at or incomplete_at by its status; what no run wrote is complete.",
    checks: [
      {
        over: "messages",
        sql: `
          select id, nullif(concat_ws('; ',
            case when (completed_at is not null) <> (status = 'completed')
              then status || case when completed_at is null then ' without' else ' with' end || ' completed_at' end,
            case when (incomplete_at is not null) <> (status = 'incomplete')
              then status || case when incomplete_at is null then ' without' else ' with' end || ' incomplete_at' end,
            case when status <> 'incomplete' and incomplete_reason is not null then status || ' with a reason' end,
            case when status = 'in_progress' and run_id is null then 'in progress, and no run writes it' end
            ), '') as reason
          from messages where id = any($1)`,
      },
    ],
  },
  {
    name: "step-times",
    says: "A step has the time of its status and no other; one that failed, and no other, has an error.",
    checks: [
      {
        over: "run_steps",
        sql: `
          select id, nullif(concat_ws('; ',
            case when (completed_at is not null) <> (status = 'completed')
              then status || case when completed_at is null then ' without' else ' with' end || ' completed_at' end,
            case when (failed_at is not null) <> (status = 'failed')
              then status || case when failed_at is null then ' without' else ' with' end || ' failed_at' end,
            case when (cancelled_at is not null) <> (status = 'cancelled')
              then status || case when cancelled_at is null then ' without' else ' with' end || ' cancelled_at' end,
            case when (expired_at is not null) <> (status = 'expired')
              then status || case when expired_at is null then ' without' else ' with' end || ' expired_at' end,
            case when (last_error is not null) <> (status = 'failed')
              then status || case when last_error is null then ' without' else ' with' end || ' last_error' end
            ), '') as reason
          from run_steps where id = any($1)`,
      },
    ],
  },
];
