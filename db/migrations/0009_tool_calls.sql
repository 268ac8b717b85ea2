-- Calls of the server's own tools, from the end of the turn that made them. A step that is open and has some here belongs
-- to a turn that has ended. What a call has found is in its step; here is what clients do not see.
create table built_in_calls (
  run_step_id text not null references run_steps (id) on delete cascade,
  call_id text not null,
  project_id text not null references projects (id),
  run_id text not null,
  -- Place among all calls of the step.
  position integer not null,
  tool text not null,
  -- Place among the run's calls of this tool, from 0: the first number in the markers of citations.
  number integer not null,
  -- As the model wrote them.
  arguments text not null,
  -- Tries that may have been the call's fault.
  tries integer not null default 0,
  -- Grows with every try. A try that holds an older number may write nothing any more.
  epoch integer not null default 0,
  finished_at timestamptz,
  -- What the model is told when the step does not say it: that the call could not be made.
  told text,
  primary key (run_step_id, call_id)
);
create index built_in_calls_of_run on built_in_calls (run_id);

-- The vector stores of a run's assistant when the run was made. Those of its thread are looked up when they are searched.
alter table runs add column vector_store_ids text[] not null default '{}';
