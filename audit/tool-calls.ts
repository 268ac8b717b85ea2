// Calls: what a run asks for is what its open step shows, what was done has an output, and the server's own tools have
// done what their steps show.
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
            when c.all_calls = 0 and r.status <> 'incomplete' then 'is completed without any call'
            when c.calls > c.outputs then format('has %s outputs for %s calls', c.outputs, c.calls) end as reason
          from run_steps s
          join runs r on r.id = s.run_id
          cross join lateral (
            select count(*) as all_calls, count(*) filter (where call ->> 'type' = 'function') as calls,
              count(call -> 'function' ->> 'output') as outputs
            from json_array_elements(s.step_details -> 'tool_calls') as call
          ) c
          where s.id = any($1) and s.type = 'tool_calls' and s.status = 'completed'`,
      },
    ],
  },
  {
    name: "built-in-calls",
    says: "The calls of the server's own tools in a step are those that were kept of it, in their order; each is answered once, by a try that had it in hand, and all of them when the step is completed.",
    checks: [
      {
        over: "run_steps",
        sql: `
          select s.id, nullif(concat_ws('; ',
            case when shown.calls is distinct from kept.calls then 'shows other calls than were kept' end,
            case when kept.unfinished > 0 and s.status = 'completed'
              then format('is completed with %s calls that are not finished', kept.unfinished) end,
            case when kept.unfinished > 0 and r.status = 'requires_action'
              then format('waits for outputs with %s calls that are not finished', kept.unfinished) end,
            case when kept.untaken > 0 then format('has %s answers that no try has given', kept.untaken) end,
            case when kept.early > 0 then format('shows %s results of calls that are not finished', kept.early) end,
            case when kept.twice > 0 then format('has %s calls with two answers', kept.twice) end,
            case when kept.calls is not null and s.usage is null then 'has calls of a turn that was not counted' end
            ), '') as reason
          from run_steps s
          join runs r on r.id = s.run_id
          cross join lateral (
            select jsonb_agg(jsonb_build_array(call ->> 'id', call ->> 'type', position - 1) order by position) as calls
            from json_array_elements(s.step_details -> 'tool_calls') with ordinality as item (call, position)
            where call ->> 'type' <> 'function'
          ) shown
          cross join lateral (
            select jsonb_agg(jsonb_build_array(call_id, tool, position) order by position) as calls,
              count(*) filter (where finished_at is null) as unfinished,
              count(*) filter (where (finished_at is not null or has_outputs) and epoch = 0) as untaken,
              count(*) filter (where finished_at is null and has_results) as early,
              count(*) filter (where told is not null and (has_results or finished_at is null)) as twice
            from built_in_calls
            cross join lateral (
              select coalesce(bool_or(json_array_length(call #> '{file_search,results}') > 0), false) as has_results,
                coalesce(bool_or(json_array_length(call #> '{code_interpreter,outputs}') > 0), false) as has_outputs
              from json_array_elements(s.step_details -> 'tool_calls') as call where call ->> 'id' = call_id
            ) result
            where run_step_id = s.id
          ) kept
          where s.id = any($1)`,
      },
    ],
  },
  {
    name: "search-numbers",
    says: "The calls of a tool in a run are numbered from 0 in their order, so that markers name one passage each.",
    checks: [
      {
        over: "runs",
        sql: `
          select r.id, (
            select string_agg(format('%s has the number %s in place of %s', n.call_id, n.number, n.expected), '; ')
            from (
              select c.call_id, c.number,
                row_number() over (partition by c.tool order by s.seq, c.position) - 1 as expected
              from built_in_calls c join run_steps s on s.id = c.run_step_id where c.run_id = r.id
            ) n where n.number <> n.expected) as reason
          from runs r where r.id = any($1)`,
      },
    ],
  },
  {
    name: "citations",
    says: "A citation stands where it says, and is of the file whose passage its marker names in the same run.",
    checks: [
      {
        over: "messages",
        sql: `
          select m.id, (
            select string_agg(format('%s cites wrongly', cited.citation ->> 'text'), '; ')
            from json_array_elements(m.content) part
            cross join json_array_elements(part #> '{text,annotations}') as cited (citation)
            cross join lateral regexp_match(cited.citation ->> 'text', '^【([0-9]+):([0-9]+)†') as marker
            where cited.citation ->> 'type' = 'file_citation' and (
              substr(part #>> '{text,value}', (cited.citation ->> 'start_index')::integer + 1,
                (cited.citation ->> 'end_index')::integer - (cited.citation ->> 'start_index')::integer)
                is distinct from cited.citation ->> 'text'
              or not exists (
                select 1 from built_in_calls c
                join run_steps s on s.id = c.run_step_id
                cross join json_array_elements(s.step_details -> 'tool_calls') shown
                where c.run_id = m.run_id and c.number = marker[1]::integer and shown ->> 'id' = c.call_id
                  and json_extract_path_text(shown, 'file_search', 'results', marker[2], 'file_id')
                    = cited.citation #>> '{file_citation,file_id}'))) as reason
          from messages m where m.id = any($1)`,
      },
    ],
  },
];
