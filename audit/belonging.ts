// What belongs to what: no row without the rows that it hangs on, and all of them of one project and one thread.
import type { RowInvariant } from "./row-check.ts";

/** Every key in $1 is a run's id. */
const NO_SUCH_RUN = `
  select given.id, case when r.id is null then 'is of a run that is gone' end as reason
  from unnest($1::text[]) as given (id) left join runs r on r.id = given.id`;

export const BELONGING_INVARIANTS: readonly RowInvariant[] = [
  {
    name: "no-orphans",
    says: "All rows hang on rows that exist, and are of the same project, thread and assistant as those.",
    checks: [
      {
        over: "assistants",
        sql: `
          select a.id, case when p.id is null then 'is of a project that is gone' end as reason
          from assistants a left join projects p on p.id = a.project_id where a.id = any($1)`,
      },
      {
        over: "threads",
        sql: `
          select t.id, case when p.id is null then 'is of a project that is gone' end as reason
          from threads t left join projects p on p.id = t.project_id where t.id = any($1)`,
      },
      {
        over: "runs",
        sql: `
          select r.id, case
            when t.id is null then 'is on a thread that is gone'
            when t.project_id <> r.project_id then 'is of another project than its thread' end as reason
          from runs r left join threads t on t.id = r.thread_id where r.id = any($1)`,
      },
      {
        over: "run_steps",
        sql: `
          select s.id, case
            when r.id is null then 'is of a run that is gone'
            else nullif(concat_ws('; ',
              case when s.thread_id <> r.thread_id then 'is on another thread than its run' end,
              case when s.project_id <> r.project_id then 'is of another project than its run' end,
              case when s.assistant_id <> r.assistant_id then 'is of another assistant than its run' end,
              case when s.turn < 1 or s.turn > r.turn then format('is of turn %s of %s', s.turn, r.turn) end
              ), '') end as reason
          from run_steps s left join runs r on r.id = s.run_id where s.id = any($1)`,
      },
      {
        over: "messages",
        sql: `
          select m.id, case
            when t.id is null then 'is on a thread that is gone'
            when m.run_id is not null and r.id is null then 'is of a run that is gone'
            else nullif(concat_ws('; ',
              case when m.project_id <> t.project_id then 'is of another project than its thread' end,
              case when r.thread_id <> m.thread_id then 'is on another thread than its run' end,
              case when m.run_id is not null and m.assistant_id is distinct from r.assistant_id
                then 'is of another assistant than its run' end
              ), '') end as reason
          from messages m
          left join threads t on t.id = m.thread_id
          left join runs r on r.id = m.run_id
          where m.id = any($1)`,
      },
      { over: "run_events", sql: NO_SUCH_RUN },
      { over: "run_deltas", sql: NO_SUCH_RUN },
      { over: "run_cursors", sql: NO_SUCH_RUN },
    ],
  },
  {
    name: "message-has-its-step",
    says: "Each message of a run is named by exactly one of its steps, and a step names no message of another run.",
    checks: [
      {
        over: "runs",
        sql: `
          with named as materialized (
            select run_id, step_details -> 'message_creation' ->> 'message_id' as message_id, count(*) as steps
            from run_steps where run_id = any($1) and type = 'message_creation' group by 1, 2
          )
          select m.id, case when coalesce(n.steps, 0) <> 1
            then format('is named by %s steps of its run', coalesce(n.steps, 0)) end as reason
          from messages m left join named n on n.run_id = m.run_id and n.message_id = m.id
          where m.run_id = any($1)`,
      },
      {
        over: "run_steps",
        sql: `
          select s.id, nullif(concat_ws('; ',
            case when s.type <> s.step_details ->> 'type' then 'is not of the type of its details' end,
            case when s.type = 'message_creation' and s.step_details -> 'message_creation' ->> 'message_id' is null
              then 'names no message' end,
            case when m.id is not null and m.run_id is distinct from s.run_id then 'names a message of another run' end
            ), '') as reason
          from run_steps s
          left join messages m on m.id = s.step_details -> 'message_creation' ->> 'message_id'
          where s.id = any($1)`,
      },
    ],
  },
];
