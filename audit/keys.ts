// API keys and idempotency keys.
import { IDEMPOTENCY_KEY_SECONDS, JANITOR_INTERVAL_MS } from "../contract/limits.ts";
import { GRACE } from "./row-check.ts";
import type { RowInvariant } from "./row-check.ts";

export const KEY_INVARIANTS: readonly RowInvariant[] = [
  {
    name: "idempotency-result",
    says: "An idempotency key has the result of its first request; a run that it names is there, unless its thread is gone.",
    checks: [
      {
        over: "idempotency_keys",
        sql: `
          select given.id, case
            when json_typeof(k.result -> 'result') is distinct from 'object' then 'has no result'
            when p.id is null then 'is of a project that is gone'
            when t.id is not null and r.id is null then format('has made %s, which is gone', named.run_id)
            when r.project_id <> k.project_id or r.thread_id <> named.thread_id
              then format('has made %s, which is elsewhere', named.run_id) end as reason
          from unnest($1::text[]) as given (id)
          join idempotency_keys k on k.project_id = given.id::json ->> 0 and k.key = given.id::json ->> 1
          left join projects p on p.id = k.project_id
          left join lateral (
            select run ->> 'id' as run_id, run ->> 'thread_id' as thread_id
            from (values (k.result -> 'result'), (k.result -> 'result' -> 'run')) as given (run)
            where run ->> 'object' = 'thread.run' limit 1
          ) named on true
          left join threads t on t.id = named.thread_id
          left join runs r on r.id = named.run_id`,
      },
    ],
  },
  {
    name: "idempotency-age",
    says: "An idempotency key is dropped when it is too old to count.",
    checks: [
      {
        over: "idempotency_keys",
        withGrace: true,
        sql: `
          select given.id, case when k.created_at
              < now() - interval '${IDEMPOTENCY_KEY_SECONDS} s' - interval '${JANITOR_INTERVAL_MS} ms' - ${GRACE}
            then format('is %s s old', floor(extract(epoch from now() - k.created_at))) end as reason
          from unnest($1::text[]) as given (id)
          join idempotency_keys k on k.project_id = given.id::json ->> 0 and k.key = given.id::json ->> 1`,
      },
    ],
  },
  {
    name: "api-key-project",
    says: "The project that an API key opens exists.",
    checks: [
      {
        over: "api_keys",
        sql: `
          select k.id, case when p.id is null then 'opens a project that is gone' end as reason
          from api_keys k left join projects p on p.id = k.project_id where k.id = any($1)`,
      },
    ],
  },
];
