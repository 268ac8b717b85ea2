// Tokens. A try that came to nothing costs nothing: its step is closed with zeros.
import type { RowInvariant } from "./row-check.ts";

export const USAGE_INVARIANTS: readonly RowInvariant[] = [
  {
    name: "usage-adds-up",
    says: "The tokens of a run are those of its steps; only a last turn that left no step may come on top.",
    checks: [
      {
        over: "runs",
        sql: `
          with spent as (
            select r.id,
              coalesce(sum((s.usage ->> 'prompt_tokens')::bigint), 0) as prompt,
              coalesce(sum((s.usage ->> 'completion_tokens')::bigint), 0) as completion,
              coalesce(sum((s.usage -> 'prompt_token_details' ->> 'cached_tokens')::bigint), 0) as cached,
              coalesce(sum((s.usage -> 'completion_tokens_details' ->> 'reasoning_tokens')::bigint), 0) as reasoning,
              coalesce(sum((s.usage ->> 'total_tokens')::bigint) filter (where s.turn = r.turn), 0) as in_last_turn
            from runs r left join run_steps s on s.run_id = r.id
            where r.id = any($1) group by r.id
          )
          select r.id, case
            when (r.prompt_tokens, r.completion_tokens, r.cached_tokens, r.reasoning_tokens)
              = (s.prompt, s.completion, s.cached, s.reasoning) then null
            when r.status in ('failed', 'incomplete') and s.in_last_turn = 0 and r.prompt_tokens >= s.prompt
              and r.completion_tokens >= s.completion and r.cached_tokens >= s.cached
              and r.reasoning_tokens >= s.reasoning then null
            else format('has %s + %s tokens, and its steps %s + %s', r.prompt_tokens, r.completion_tokens, s.prompt,
              s.completion) end as reason
          from runs r join spent s on s.id = r.id`,
      },
    ],
  },
  {
    name: "usage-of-steps",
    says: "A step has its tokens once it is closed or waits for outputs, and its total is their sum.",
    checks: [
      {
        over: "run_steps",
        sql: `
          select s.id, case
            when s.usage is null and s.status <> 'in_progress' then s.status || ' without usage'
            when s.usage is null and r.status = 'requires_action' then 'waits for outputs without usage'
            when (s.usage ->> 'total_tokens')::bigint
              <> (s.usage ->> 'prompt_tokens')::bigint + (s.usage ->> 'completion_tokens')::bigint
              then 'has a total that is not the sum' end as reason
          from run_steps s join runs r on r.id = s.run_id where s.id = any($1)`,
      },
    ],
  },
  {
    name: "tokens-not-negative",
    says: "No count of tokens is below zero.",
    checks: [
      {
        over: "runs",
        sql: `
          select id, case
            when least(prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens) < 0
              then 'has a count below zero' end as reason
          from runs where id = any($1)`,
      },
      {
        over: "run_steps",
        sql: `
          select id, case
            when least((usage ->> 'prompt_tokens')::bigint, (usage ->> 'completion_tokens')::bigint,
                (usage ->> 'total_tokens')::bigint, (usage -> 'prompt_token_details' ->> 'cached_tokens')::bigint,
                (usage -> 'completion_tokens_details' ->> 'reasoning_tokens')::bigint) < 0
              then 'has a count below zero' end as reason
          from run_steps where id = any($1) and usage is not null`,
      },
      {
        over: "messages",
        sql: `
          select id, case when tokens < 0 then 'has a count below zero' end as reason
          from messages where id = any($1)`,
      },
    ],
  },
];
