// What code leaves in rows: images and links lead to files of its own, each made once, and a thread's session
// has done a call of it. A File may be gone, since anybody may delete it.
import type { RowInvariant } from "./row-check.ts";

/** Whether a file `f` that is there is not one that code has made in this project. */
const isForeign = (project: string): string => `(f.project_id, f.purpose) <> (${project}, 'assistants_output')`;

export const CODE_INVARIANTS: readonly RowInvariant[] = [
  {
    name: "file-paths",
    says: "A link to a file that code has written stands where its annotation says, and leads to a file of code.",
    checks: [
      {
        over: "messages",
        sql: `
          select m.id, (
            select string_agg(nullif(concat_ws('; ',
              case when substr(part #>> '{text,value}', (linked.path ->> 'start_index')::integer + 1,
                  (linked.path ->> 'end_index')::integer - (linked.path ->> 'start_index')::integer)
                  is distinct from linked.path ->> 'text'
                then format('%s is not at its place', linked.path ->> 'text') end,
              case when ${isForeign("m.project_id")}
                then format('%s leads to a file that is not of code', linked.path ->> 'text') end), ''), '; ')
            from json_array_elements(m.content) part
            cross join json_array_elements(part #> '{text,annotations}') as linked (path)
            left join files f on f.id = linked.path #>> '{file_path,file_id}'
            where linked.path ->> 'type' = 'file_path') as reason
          from messages m where m.id = any($1)`,
      },
    ],
  },
  {
    name: "code-files",
    says: "A file that code has written and an answer has linked is one File: of the same project, content and bytes.",
    checks: [
      {
        over: "threads",
        sql: `
          select t.id, (
            select string_agg(format('%s is not the file %s', c.name, c.file_id), '; ')
            from code_files c
            left join files f on f.id = c.file_id or f.blob = c.blob
            where c.thread_id = t.id and (c.project_id <> t.project_id or (f.id is not null
              and (f.id, f.project_id, f.blob, f.bytes, f.sha256)
                is distinct from (c.file_id, c.project_id, c.blob, c.bytes, c.sha256)))
            ) as reason
          from threads t where t.id = any($1)`,
      },
    ],
  },
  {
    name: "code-images",
    says: "An image that code has drawn is a file of its own, in one output of one call; a message shows it once, and, in a completed run, one does.",
    checks: [
      {
        over: "runs",
        sql: `
          with drawn as materialized (
            select s.run_id, output #>> '{image,file_id}' as file_id, count(*) as times
            from run_steps s
            cross join json_array_elements(s.step_details -> 'tool_calls') as call
            cross join json_array_elements(call #> '{code_interpreter,outputs}') as output
            where s.run_id = any($1) and s.type = 'tool_calls' and output ->> 'type' = 'image' group by 1, 2
          ), shown as materialized (
            select m.run_id, part #>> '{image_file,file_id}' as file_id, count(*) as times
            from messages m cross join json_array_elements(m.content) as part
            where m.run_id = any($1) and m.status = 'completed' and part ->> 'type' = 'image_file' group by 1, 2
          )
          select r.id, (
            select string_agg(format('%s is %s', image.file_id, image.problem), '; ')
            from (
              select coalesce(d.file_id, s.file_id) as file_id, nullif(concat_ws(' and ',
                case when d.times > 1 then 'drawn twice' end,
                case when s.times > 1 then 'shown twice' end,
                case when d.file_id is null then 'shown and was not drawn' end,
                case when s.file_id is null and r.status = 'completed' and not exists (
                    select 1 from run_steps t
                    left join messages m on m.id = t.step_details #>> '{message_creation,message_id}'
                    where t.run_id = r.id and t.type = 'message_creation' and m.id is null)
                  then 'not shown' end,
                case when ${isForeign("r.project_id")} then 'not of code' end), '') as problem
              from drawn d full join shown s on s.run_id = d.run_id and s.file_id = d.file_id
              left join files f on f.id = coalesce(d.file_id, s.file_id)
              where coalesce(d.run_id, s.run_id) = r.id
            ) image where image.problem is not null) as reason
          from runs r where r.id = any($1)`,
      },
    ],
  },
  {
    name: "code-sessions",
    says: "The session of a thread is of its project, and has done a call of its code.",
    checks: [
      {
        over: "threads",
        sql: `
          select t.id, nullif(concat_ws('; ',
            case when c.project_id <> t.project_id then 'has a session of another project' end,
            case when first.finished_at is null then 'has a session, and none of its calls is finished' end,
            case when first.finished_at > c.used_at then 'has a session that is older than its first call' end
            ), '') as reason
          from threads t
          join code_sessions c on c.thread_id = t.id
          cross join lateral (
            select min(b.finished_at) as finished_at
            from built_in_calls b join runs r on r.id = b.run_id
            where r.thread_id = t.id and b.tool = 'code_interpreter'
          ) first
          where t.id = any($1)`,
      },
    ],
  },
];
