// Threads: how many messages they have, and who may lock them.
import type { RowInvariant } from "./row-check.ts";

export const THREAD_INVARIANTS: readonly RowInvariant[] = [
  {
    name: "one-active-run",
    says: "A thread has at most one active run.",
    checks: [
      {
        over: "threads",
        sql: `
          select t.id, case when count(r.id) > 1 then string_agg(r.id, ', ' order by r.id) || ' are active' end as reason
          from threads t
          left join runs r on r.thread_id = t.id
            and r.status in ('queued', 'in_progress', 'requires_action', 'cancelling')
          where t.id = any($1) group by t.id`,
      },
    ],
  },
  {
    name: "message-count",
    says: "A thread counts its messages right.",
    checks: [
      {
        over: "threads",
        sql: `
          select t.id, case when t.message_count <> n.messages
            then format('counts %s messages and has %s', t.message_count, n.messages) end as reason
          from threads t
          cross join lateral (select count(*) as messages from messages m where m.thread_id = t.id) n
          where t.id = any($1)`,
      },
    ],
  },
];
