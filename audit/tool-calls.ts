// Function calls: what a run asks for is what its open step shows, and what was done has an output.
import type { RowInvariant } from "./row-check.ts";

export const CALL_INVARIANTS: readonly RowInvariant[] = [
  {
    name: "required-calls",
    says: "The calls of a required action are exactly those of the run's open step, none of which has an output yet.",
    checks: [
      {
        over: "runs",
        sql: `
          select r.id, nullif(concat_ws('; ',
            case when c.calls is distinct from (r.required_action #> '{submit_tool_outputs,tool_calls}')::jsonb
              then format('asks for other calls than %s shows', s.id) end,
            case when c.outputs > 0 then format('%s has %s outputs already', s.id, c.outputs) end
            ), '') as reason
          from runs r
          join run_steps s on s.run_id = r.id and s.status = 'in_progress' and s.type = 'tool_calls'
          cross join lateral (
            select jsonb_agg(item.call #- '{function,output}' order by item.position) as calls,
              count(item.call -> 'function' ->> 'output') as outputs
            from jsonb_array_elements((s.step_details -> 'tool_calls')::jsonb)
              with ordinality as item (call, position)
            where item.call ->> 'type' = 'function'
          ) c
          where r.id = any($1) and r.status = 'requires_action'
            and json_array_length(r.required_action #> '{submit_tool_outputs,tool_calls}') > 0`,
      },
    ],
  },
  {
    name: "tool-outputs",
    says: "A completed step of tool calls has every output; only an answer that was cut off leaves one without calls.",
    checks: [
      {
        over: "run_steps",
        sql: `
          select s.id, case
            when c.calls = 0 and r.status <> 'incomplete' then 'is completed without any call'
            when c.calls > c.outputs then format('has %s outputs for %s calls', c.outputs, c.calls) end as reason
          from run_steps s
          join runs r on r.id = s.run_id
          cross join lateral (
            select count(*) as calls, count(call -> 'function' ->> 'output') as outputs
            from json_array_elements(s.step_details -> 'tool_calls') as call
            where call ->> 'type' = 'function'
          ) c
          where s.id = any($1) and s.type = 'tool_calls' and s.status = 'completed'`,
      },
    ],
  },
];
