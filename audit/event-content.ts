// What events say against what rows say. The comparison is made in the database, so that no text leaves it.
import type { Queryable } from "../db/pool.ts";
import { findViolations } from "./row-check.ts";
import type { RunLog } from "./run-log.ts";
import type { Found } from "./tally.ts";

/** Texts with their annotations, refusals, and images, of a column of content, in one form for all three places. */
const partsOf = (content: string): string => `(
  select coalesce(jsonb_agg(jsonb_build_object('type', part.value ->> 'type',
      'said', coalesce(part.value -> 'text' ->> 'value', part.value ->> 'refusal', part.value #>> '{image_file,file_id}'),
      'cited', coalesce((part.value #> '{text,annotations}')::jsonb, '[]')) order by part.position), '[]')
  from json_array_elements(${content}) with ordinality as part (value, position))`;

/** $1 runs, $2 messages, $3 whether all deltas of the message are still there. */
const TEXTS = `
  with subject as materialized (
    select * from unnest($1::text[], $2::text[], $3::boolean[]) as s (run_id, id, intact)
  ), piece as (
    select d.run_id, d.data ->> 'id' as id, (part ->> 'index')::integer as index, part ->> 'type' as type,
      string_agg(coalesce(part -> 'text' ->> 'value', part ->> 'refusal', part #>> '{image_file,file_id}', ''), ''
        order by d.seq) as said,
      coalesce(jsonb_agg((part #> '{text,annotations,0}')::jsonb - 'index' #- '{file_citation,quote}' order by d.seq)
        filter (where part #> '{text,annotations,0}' is not null), '[]') as cited
    from run_deltas d cross join json_array_elements(d.data -> 'delta' -> 'content') as part
    where d.run_id = any($1) and d.event = 'thread.message.delta' group by 1, 2, 3, 4
  ), streamed as materialized (
    select run_id, id, jsonb_agg(jsonb_build_object('type', type, 'said', said, 'cited', cited) order by index) as parts
    from piece group by 1, 2
  ), shown as materialized (
    select e.run_id, e.data ->> 'id' as id, ${partsOf("e.data -> 'content'")} as parts
    from run_events e
    where e.run_id = any($1) and e.event in ('thread.message.completed', 'thread.message.incomplete')
  )
  select s.id, nullif(concat_ws('; ',
    case when s.intact and coalesce(d.parts, '[]') <> e.parts then 'its deltas are not the text of its last event' end,
    case when m.id is not null and ${partsOf("m.content")} <> e.parts then 'its last event has another text' end
    ), '') as reason
  from subject s
  join shown e on e.run_id = s.run_id and e.id = s.id
  left join streamed d on d.run_id = s.run_id and d.id = s.id
  left join messages m on m.id = s.id`;

/** The deltas of each message that has ended, the event of its end and its row: all three have the same text. */
export async function compareTexts(tx: Queryable, logs: readonly RunLog[]): Promise<Found> {
  const subjects = logs.flatMap((log) =>
    [...log.order.messages]
      .filter(([, status]) => status === "completed" || status === "incomplete")
      .map(([id]) => ({ run_id: log.run.id, id, intact: isIntact(log, id) })),
  );
  return findViolations(tx, TEXTS, [
    subjects.map(({ run_id }) => run_id),
    subjects.map(({ id }) => id),
    subjects.map(({ intact }) => intact),
  ]);
}

/** Function calls of a column of step details, without outputs. */
const callsOf = (calls: string): string => `(
  select coalesce(jsonb_agg(jsonb_build_object('id', call.value ->> 'id', 'name', call.value -> 'function' ->> 'name',
      'arguments', call.value -> 'function' ->> 'arguments') order by call.position), '[]')
  from json_array_elements(${calls}) with ordinality as call (value, position)
  where call.value ->> 'type' = 'function')`;

/** $1 runs, $2 steps, $3 position of the event that asked for their outputs or null, $4 whether all deltas are there. */
const CALLS = `
  with subject as materialized (
    select * from unnest($1::text[], $2::text[], $3::bigint[], $4::boolean[]) as s (run_id, id, asked_at, intact)
  ), piece as (
    select d.run_id, d.data ->> 'id' as step_id, (call ->> 'index')::integer as index,
      string_agg(call ->> 'id', '' order by d.seq) as id,
      string_agg(call -> 'function' ->> 'name', '' order by d.seq) as name,
      string_agg(call -> 'function' ->> 'arguments', '' order by d.seq) as arguments
    from run_deltas d cross join json_array_elements(d.data #> '{delta,step_details,tool_calls}') as call
    where d.run_id = any($1) and d.event = 'thread.run.step.delta' and call ->> 'type' = 'function' group by 1, 2, 3
  ), streamed as materialized (
    select run_id, step_id, jsonb_agg(jsonb_build_object('id', id, 'name', name, 'arguments', arguments) order by index)
      as calls
    from piece group by 1, 2
  ), finished as materialized (
    select e.run_id, e.data ->> 'id' as id, (e.data -> 'step_details')::jsonb as details
    from run_events e where e.run_id = any($1) and e.event = 'thread.run.step.completed'
  )
  select s.id, nullif(concat_ws('; ',
    case when a.seq is null and ${callsOf("t.step_details -> 'tool_calls'")} <> '[]'
        and (t.status = 'completed' or not exists (
          select 1 from json_array_elements(t.step_details -> 'tool_calls') call where call ->> 'type' <> 'function'))
      then 'has calls whose outputs were never asked for' end,
    case when a.seq is not null and ${callsOf("t.step_details -> 'tool_calls'")}
        <> ${callsOf("a.data #> '{required_action,submit_tool_outputs,tool_calls}'")}
      then 'its calls are not those that were asked for' end,
    case when a.seq is not null and s.intact and coalesce(d.calls, '[]') <> ${callsOf("t.step_details -> 'tool_calls'")}
      then 'its deltas are not its calls' end,
    case when f.details <> t.step_details::jsonb then 'its last event has other calls or outputs' end
    ), '') as reason
  from subject s
  join run_steps t on t.id = s.id and t.type = 'tool_calls'
  left join run_events a on a.run_id = s.run_id and a.seq = s.asked_at
  left join streamed d on d.run_id = s.run_id and d.step_id = s.id
  left join finished f on f.run_id = s.run_id and f.id = s.id`;

/** The deltas of each step of tool calls, the event that asked for outputs, that of its end, and its row. */
export async function compareCalls(tx: Queryable, logs: readonly RunLog[]): Promise<Found> {
  const subjects = logs.flatMap((log) =>
    [...log.order.steps.keys()].map((id) => ({
      run_id: log.run.id,
      id,
      asked_at: log.askedAt.get(id) ?? null,
      intact: isIntact(log, id),
    })),
  );
  return findViolations(tx, CALLS, [
    subjects.map(({ run_id }) => run_id),
    subjects.map(({ id }) => id),
    subjects.map(({ asked_at }) => asked_at),
    subjects.map(({ intact }) => intact),
  ]);
}

/** $1 runs, $2 steps, $3 whether all deltas are there. */
const CODE = `
  with subject as materialized (
    select * from unnest($1::text[], $2::text[], $3::boolean[]) as s (run_id, id, intact)
  ), shown as (
    select s.run_id, t.id, s.intact, call.value ->> 'id' as call_id, call.position - 1 as index,
      call.value #>> '{code_interpreter,input}' as input,
      (select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('type', output.value ->> 'type',
          'logs', output.value ->> 'logs', 'image', output.value #>> '{image,file_id}')) order by output.position), '[]')
        from json_array_elements(call.value #> '{code_interpreter,outputs}') with ordinality as output (value, position)
      ) as outputs
    from subject s
    join run_steps t on t.id = s.id and t.type = 'tool_calls' and t.status = 'completed'
    cross join json_array_elements(t.step_details -> 'tool_calls') with ordinality as call (value, position)
    where call.value ->> 'type' = 'code_interpreter'
  ), written as materialized (
    select d.data ->> 'id' as id, (call ->> 'index')::integer as index,
      string_agg(coalesce(call #>> '{code_interpreter,input}', ''), '' order by d.seq) as input
    from run_deltas d cross join json_array_elements(d.data #> '{delta,step_details,tool_calls}') as call
    where d.run_id = any($1) and d.event = 'thread.run.step.delta' and call ->> 'type' = 'code_interpreter' group by 1, 2
  ), output as (
    select e.data ->> 'id' as id, (call ->> 'index')::integer as index, (output ->> 'index')::integer as place,
      jsonb_strip_nulls(jsonb_build_object('type', min(output ->> 'type'), 'logs', string_agg(output ->> 'logs', '' order by e.seq),
        'image', string_agg(output #>> '{image,file_id}', '' order by e.seq))) as value
    from run_events e
    cross join json_array_elements(e.data #> '{delta,step_details,tool_calls}') as call
    cross join json_array_elements(call #> '{code_interpreter,outputs}') as output
    where e.run_id = any($1) and e.event = 'thread.run.step.delta' group by 1, 2, 3
  ), told as materialized (
    select id, index, jsonb_agg(value order by place) as outputs from output group by 1, 2
  )
  select s.id, string_agg(nullif(concat_ws('; ',
    case when s.intact and coalesce(w.input, '') <> s.input
      then format('the deltas of %s are not its code', s.call_id) end,
    case when coalesce(t.outputs, '[]') <> s.outputs
      then format('the outputs of %s are not those that were told', s.call_id) end
    ), ''), '; ') as reason
  from shown s
  left join written w on w.id = s.id and w.index = s.index
  left join told t on t.id = s.id and t.index = s.index
  group by s.id`;

/** The deltas of the code of each step, the events that told its outputs, and its row. */
export async function compareCode(tx: Queryable, logs: readonly RunLog[]): Promise<Found> {
  const subjects = logs.flatMap((log) =>
    [...log.order.steps.keys()].map((id) => ({ run_id: log.run.id, id, intact: isIntact(log, id) })),
  );
  return findViolations(tx, CODE, [
    subjects.map(({ run_id }) => run_id),
    subjects.map(({ id }) => id),
    subjects.map(({ intact }) => intact),
  ]);
}

/** Whether no crash of Postgres has taken deltas of this step or message. */
function isIntact({ run, createdAt, positions }: RunLog, id: string): boolean {
  return run.last_seq !== null && (createdAt.get(id) ?? 0) >= positions.intactFrom;
}
