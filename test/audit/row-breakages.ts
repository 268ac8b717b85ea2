// Ways to break each invariant of rows and events by hand, on a copy of a database with runs of every kind.
// `$plain` stands for the id of the run of that kind, `$plain.thread` for its thread's.

export interface RowBreakage {
  invariant: string;
  how: string;
  /** The rows that the last statement returns are those that are to be reported, by `id`. */
  sql: readonly string[];
  /** More than rows is changed. */
  needsOwnCopy?: boolean;
  /** Without foreign keys and triggers. */
  loose?: boolean;
  /** Other invariants that cannot hold either. */
  also?: readonly string[];
}

/** Takes the events of a run away, as it happens a day after its end, so that only its rows are left to be judged. */
const forget = (run: string): string[] => [
  ...["run_events", "run_deltas", "run_cursors"].map((table) => `delete from ${table} where run_id = $${run}`),
  `update runs set events_until = null where id = $${run}`,
];

/** Adds a row that is like another but for some columns. */
const copy = (table: string, where: string, change: string): string => `
  insert into ${table} select (jsonb_populate_record(null::${table}, to_jsonb(r) || jsonb_build_object(${change}))).*
  from ${table} r where ${where} limit 1`;

const USAGE = `'{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0,"prompt_token_details":{"cached_tokens":0},
  "completion_tokens_details":{"reasoning_tokens":0}}'`;

/** Gives every call of a step of searches a result. */
const showResults = `
  update run_steps set step_details = jsonb_set(step_details::jsonb, '{tool_calls,0,file_search,results}',
    '[{"file_id":"file-a","file_name":"a","score":1,"content":[]}]')::json
  where id in (select run_step_id from built_in_calls where run_id = $searchedAndCalled)`;

export const ROW_BREAKAGES: readonly RowBreakage[] = [
  {
    invariant: "run-moves",
    how: "nobody has looked for an hour",
    sql: ["update runs set check_at = now() - interval '1 hour' where id = $speaking returning id"],
  },
  {
    invariant: "run-moves",
    how: "nobody will look today",
    sql: ["update runs set check_at = now() + interval '1 day' where id = $speaking returning id"],
  },
  {
    invariant: "run-moves",
    how: "its time was over an hour ago",
    sql: ["update runs set expires_at = now() - interval '1 hour' where id = $speaking returning id"],
  },
  {
    invariant: "run-waits",
    how: "it does not say for what",
    sql: ["update runs set required_action = null where id = $waiting returning id"],
  },
  {
    invariant: "run-waits",
    how: "its step is closed",
    sql: [
      `update run_steps set status = 'cancelled', cancelled_at = now() where run_id = $waiting`,
      "select id from runs where id = $waiting",
    ],
    also: ["event-objects"],
  },
  {
    invariant: "run-waits",
    how: "its time was over an hour ago",
    sql: ["update runs set expires_at = now() - interval '1 hour' where id = $waiting returning id"],
  },
  {
    invariant: "run-waits",
    how: "nobody has looked for an hour",
    sql: ["update runs set check_at = now() - interval '1 hour' where id = $waiting returning id"],
  },
  {
    invariant: "run-waits",
    how: "nobody will look today",
    sql: ["update runs set check_at = now() + interval '1 day' where id = $waiting returning id"],
  },
  ...(
    [
      ["plain", "completed_at = null"],
      ["plain", "failed_at = now()"],
      ["plain", "cancelled_at = now()"],
      ["plain", "started_at = null"],
      ["failed", "failed_at = null"],
      ["failed", "turn = 0"],
      ["cancelledWaiting", "cancelled_at = null"],
    ] as const
  ).map(([run, change]) => ({
    invariant: "run-times",
    how: `${run} with ${change}`,
    sql: [`update runs set ${change} where id = $${run} returning id`],
  })),
  {
    invariant: "run-times",
    how: "completed, and never begun",
    sql: [
      "delete from run_steps where run_id = $plain",
      ...forget("plain"),
      "delete from messages where run_id = $plain",
      "update threads set message_count = 1 where id = $plain.thread",
      "update runs set turn = 0, started_at = null, prompt_tokens = 0, completion_tokens = 0 where id = $plain returning id",
    ],
  },
  ...(
    [
      ["failed", "last_error = null"],
      ["plain", `last_error = '{"code":"server_error","message":""}'`],
      ["incomplete", "incomplete_reason = null"],
      ["plain", "incomplete_reason = 'max_prompt_tokens'"],
      ["plain", "required_action = '{}'"],
    ] as const
  ).map(([run, change]) => ({
    invariant: "run-outcome",
    how: `${run} with ${change}`,
    sql: [`update runs set ${change} where id = $${run} returning id`],
  })),
  {
    invariant: "one-active-run",
    how: "a second run on a thread that is taken",
    needsOwnCopy: true,
    sql: [
      "drop index runs_one_active_per_thread",
      copy(
        "runs",
        "id = $waiting",
        "'id', 'run_second', 'seq', 999999, 'status', 'queued', 'required_action', null, 'turn', 0, 'started_at', null, 'prompt_tokens', 0, 'completion_tokens', 0, 'check_at', now()",
      ),
      `select append_run_events('run_second', '{thread.run.created,thread.run.queued}',
         array['{"status":"queued"}', '{"status":"queued"}']::json[])`,
      "select $waiting.thread as id",
    ],
  },
  {
    invariant: "message-count",
    how: "one too many",
    sql: ["update threads set message_count = message_count + 1 where id = $plain.thread returning id"],
  },
  {
    invariant: "message-count",
    how: "none",
    sql: ["update threads set message_count = 0 where id = $plain.thread returning id"],
  },
  {
    invariant: "one-answer-per-turn",
    how: "the last answer is of a turn that had a message",
    sql: [
      "update run_steps set turn = 2 where run_id = $called and type = 'message_creation'",
      "select id from runs where id = $called",
    ],
  },
  {
    invariant: "nothing-open-at-the-end",
    how: "a message",
    sql: [
      ...forget("plain"),
      "update messages set status = 'in_progress', completed_at = null where run_id = $plain returning run_id as id",
    ],
  },
  {
    invariant: "nothing-open-at-the-end",
    how: "a step",
    sql: [
      ...forget("plain"),
      "update run_steps set status = 'in_progress', completed_at = null where run_id = $plain returning run_id as id",
    ],
  },
  {
    invariant: "one-thing-open",
    how: "a queued run with an open message",
    sql: ["update runs set status = 'queued' where id = $speaking returning id"],
    also: ["event-status"],
  },
  {
    invariant: "one-thing-open",
    how: "a step whose message is closed",
    sql: [
      `update messages set status = 'completed', completed_at = now() where run_id = $speaking returning run_id as id`,
    ],
    also: ["event-objects"],
  },
  {
    invariant: "one-thing-open",
    how: "a second step",
    sql: [
      copy("run_steps", "run_id = $waiting", `'id', 'step_second', 'seq', 999999, 'usage', ${USAGE}::jsonb`),
      "select $waiting as id",
    ],
    also: ["event-objects"],
  },
  {
    invariant: "one-thing-open",
    how: "a second message",
    sql: [
      copy("messages", "run_id = $speaking", "'id', 'msg_second', 'seq', 999999"),
      "update threads set message_count = message_count + 1 where id = $speaking.thread",
      "select $speaking as id",
    ],
    also: ["message-has-its-step", "event-objects"],
  },
  {
    invariant: "one-thing-open",
    how: "a waiting run with an open message",
    sql: [
      copy(
        "messages",
        "run_id = $speaking",
        "'id', 'msg_second', 'seq', 999999, 'run_id', $waiting, 'thread_id', $waiting.thread",
      ),
      "update threads set message_count = message_count + 1 where id = $waiting.thread",
      "select $waiting as id",
    ],
    also: ["message-has-its-step", "event-objects"],
  },
  {
    invariant: "one-thing-open",
    how: "an open step of another message",
    sql: [
      `update run_steps set step_details = '{"type":"message_creation","message_creation":{"message_id":"msg_other"}}'
       where run_id = $speaking returning run_id as id`,
    ],
    also: ["message-has-its-step"],
  },
  {
    invariant: "incomplete-with-its-run",
    how: "for a cancel that never was",
    sql: ["update messages set incomplete_reason = 'run_cancelled' where run_id = $incomplete returning id"],
  },
  {
    invariant: "incomplete-with-its-run",
    how: "for an unknown reason",
    sql: ["update messages set incomplete_reason = 'whatever' where run_id = $incomplete returning id"],
  },
  {
    invariant: "incomplete-with-its-run",
    how: "without a reason",
    sql: ["update messages set incomplete_reason = null where run_id = $incomplete returning id"],
  },
  {
    invariant: "incomplete-with-its-run",
    how: "without a run",
    sql: [
      `update messages set status = 'incomplete', completed_at = null, incomplete_at = now(),
         incomplete_reason = 'max_tokens' where thread_id = $plain.thread and run_id is null returning id`,
    ],
  },
  ...(
    [
      ["plain", "completed_at = null"],
      ["plain", "incomplete_at = now()"],
      ["plain", "incomplete_reason = 'max_tokens'"],
      ["incomplete", "incomplete_at = null"],
      ["incomplete", "completed_at = now()"],
    ] as const
  ).map(([run, change]) => ({
    invariant: "message-times",
    how: `${run} with ${change}`,
    sql: [`update messages set ${change} where run_id = $${run} returning id`],
  })),
  {
    invariant: "message-times",
    how: "a client's message in progress",
    sql: [
      `update messages set status = 'in_progress', completed_at = null
       where thread_id = $plain.thread and run_id is null returning id`,
    ],
  },
  ...(
    [
      ["plain", "completed_at = null"],
      ["plain", "failed_at = now()"],
      ["plain", `last_error = '{"code":"server_error","message":""}'`],
      ["filtered", "failed_at = null"],
      ["filtered", "last_error = null"],
      ["cancelledWaiting", "cancelled_at = null"],
      ["cancelledWaiting", "expired_at = now()"],
      ["expiredWaiting", "expired_at = null"],
      ["expiredWaiting", "cancelled_at = now()"],
    ] as const
  ).map(([run, change]) => ({
    invariant: "step-times",
    how: `${run} with ${change}`,
    sql: [`update run_steps set ${change} where run_id = $${run} returning id`],
  })),
  {
    invariant: "no-orphans",
    how: "a thread is gone, and the rest is there",
    loose: true,
    sql: [
      "delete from threads where id = $plain.thread",
      "select $plain as id union all select id from messages where thread_id = $plain.thread",
    ],
  },
  {
    invariant: "no-orphans",
    how: "a run is gone, and the rest is there",
    loose: true,
    sql: [
      "delete from idempotency_keys where result::text like '%' || $plain || '%'",
      "delete from runs where id = $plain",
      `select id from messages where run_id = $plain union all select id from run_steps where run_id = $plain
       union all select $plain from generate_series(1, 3)`,
    ],
  },
  {
    invariant: "no-orphans",
    how: "a project is gone, and the rest is there",
    loose: true,
    sql: [
      "insert into projects (id, name) values ('proj_gone', 'gone')",
      `insert into assistants select (jsonb_populate_record(null::assistants,
         to_jsonb(a) || '{"id":"asst_alone","project_id":"proj_gone"}')).* from assistants a limit 1`,
      `insert into threads (id, project_id, metadata, tool_resources) values ('thread_alone', 'proj_gone', '{}', '{}')`,
      "delete from projects where id = 'proj_gone'",
      "select unnest(array['asst_alone', 'thread_alone']) as id",
    ],
  },
  {
    invariant: "no-orphans",
    how: "a run of another project than its thread",
    sql: [
      "insert into projects (id, name) values ('proj_other', 'other')",
      "delete from idempotency_keys where result::text like '%' || $failed || '%'",
      "update runs set project_id = 'proj_other' where id = $failed returning id",
    ],
  },
  ...["run_events", "run_deltas"].map((table) => ({
    invariant: "no-orphans",
    how: `${table} of a run that never was`,
    loose: true,
    sql: [`insert into ${table} values ('run_gone', 1, 'thread.message.delta', '{}') returning run_id as id`],
  })),
  {
    invariant: "no-orphans",
    how: "a cursor of a run that never was",
    sql: ["insert into run_cursors (run_id, last_seq, epoch) values ('run_gone', 1, 1) returning run_id as id"],
  },
  ...["thread_id = 'thread_other'", "assistant_id = 'asst_other'", "project_id = 'proj_other'", "turn = 9"].map(
    (change) => ({
      invariant: "no-orphans",
      how: `a step with ${change}`,
      sql: [
        "insert into projects (id, name) values ('proj_other', 'other')",
        `update run_steps set ${change} where run_id = $plain returning id`,
      ],
    }),
  ),
  ...["assistant_id = null", "project_id = 'proj_other'"].map((change) => ({
    invariant: "no-orphans",
    how: `a message with ${change}`,
    sql: [
      "insert into projects (id, name) values ('proj_other', 'other')",
      `update messages set ${change} where run_id = $plain returning id`,
    ],
  })),
  {
    invariant: "no-orphans",
    how: "a message on another thread than its run",
    sql: [
      "update threads set message_count = message_count - 1 where id = $plain.thread",
      "update threads set message_count = message_count + 1 where id = $failed.thread",
      "update messages set thread_id = $failed.thread where run_id = $plain returning id",
    ],
  },
  {
    invariant: "message-has-its-step",
    how: "the step names none that exists",
    sql: [
      `update run_steps set step_details = '{"type":"message_creation","message_creation":{"message_id":"msg_other"}}'
       where run_id = $plain`,
      "select id from messages where run_id = $plain",
    ],
  },
  {
    invariant: "message-has-its-step",
    how: "the step names that of another run",
    sql: [
      `update run_steps set step_details = json_build_object('type', 'message_creation', 'message_creation',
         json_build_object('message_id', (select id from messages where run_id = $refused))) where run_id = $plain`,
      "select id from messages where run_id = $plain union all select id from run_steps where run_id = $plain",
    ],
  },
  {
    invariant: "message-has-its-step",
    how: "the step names none at all",
    sql: [
      `update run_steps set step_details = '{"type":"message_creation","message_creation":{}}' where run_id = $plain`,
      "select id from messages where run_id = $plain union all select id from run_steps where run_id = $plain",
    ],
  },
  {
    invariant: "message-has-its-step",
    how: "the step says that it is another one",
    sql: [
      "update run_steps set type = 'tool_calls' where run_id = $plain",
      "select id from messages where run_id = $plain union all select id from run_steps where run_id = $plain",
    ],
    also: ["tool-outputs"],
  },
  {
    invariant: "required-calls",
    how: "the run asks for another call",
    sql: [
      `update runs set required_action = jsonb_set(required_action::jsonb, '{submit_tool_outputs,tool_calls,0,id}',
         '"call_other"')::json where id = $waiting returning id`,
    ],
  },
  {
    invariant: "required-calls",
    how: "the run asks for one call less",
    sql: [
      `update runs set required_action = (required_action::jsonb #- '{submit_tool_outputs,tool_calls,0}')::json
       where id = $waiting returning id`,
    ],
  },
  {
    invariant: "required-calls",
    how: "a call has an output already",
    sql: [
      `update run_steps set step_details = jsonb_set(step_details::jsonb, '{tool_calls,1,function,output}', '"early"')::json
       where run_id = $waiting returning run_id as id`,
    ],
  },
  {
    invariant: "tool-outputs",
    how: "an output is missing",
    sql: [
      ...forget("called"),
      `update run_steps set step_details = jsonb_set(step_details::jsonb, '{tool_calls,0,function,output}', 'null')::json
       where run_id = $called and turn = 1 returning id`,
    ],
  },
  {
    invariant: "tool-outputs",
    how: "the calls are missing",
    sql: [
      ...forget("called"),
      `update run_steps set step_details = '{"type":"tool_calls","tool_calls":[]}'
       where run_id = $called and turn = 1 returning id`,
    ],
  },
  ...["prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens"].map((column) => ({
    invariant: "usage-adds-up",
    how: `one more of ${column}`,
    sql: [`update runs set ${column} = ${column} + 1 where id = $plain returning id`],
  })),
  {
    invariant: "usage-adds-up",
    how: "more than those of a failed run's last step",
    sql: ["update runs set prompt_tokens = prompt_tokens + 1 where id = $filtered returning id"],
  },
  {
    invariant: "usage-adds-up",
    how: "less than those of a failed run's steps",
    sql: [
      `update run_steps set usage = jsonb_set(usage::jsonb, '{prompt_tokens}', '1')::json
       where run_id = $retried and status = 'failed'`,
      ...forget("retried"),
      "update runs set prompt_tokens = 0, completion_tokens = 0 where id = $retried returning id",
    ],
    also: ["usage-of-steps"],
  },
  {
    invariant: "usage-of-steps",
    how: "none",
    sql: ["update run_steps set usage = null where run_id = $plain returning id"],
    also: ["usage-adds-up"],
  },
  {
    invariant: "usage-of-steps",
    how: "none while it waits",
    sql: [
      "update runs set prompt_tokens = 0, completion_tokens = 0 where id = $waiting",
      "update run_steps set usage = null where run_id = $waiting returning id",
    ],
  },
  {
    invariant: "usage-of-steps",
    how: "a wrong total",
    sql: [
      `update run_steps set usage = jsonb_set(usage::jsonb, '{total_tokens}', '1')::json where run_id = $plain returning id`,
    ],
  },
  {
    invariant: "tokens-not-negative",
    how: "of a message",
    sql: ["update messages set tokens = -1 where run_id = $plain returning id"],
  },
  {
    invariant: "tokens-not-negative",
    how: "of a run and its step",
    sql: [
      "update runs set cached_tokens = -1 where id = $plain",
      `update run_steps set usage = jsonb_set(usage::jsonb, '{prompt_token_details,cached_tokens}', '-1')::json
       where run_id = $plain`,
      "select id from runs where id = $plain union all select id from run_steps where run_id = $plain",
    ],
  },
  {
    invariant: "events-dropped",
    how: "those of an active run are to be dropped",
    sql: ["update runs set events_until = now() + interval '1 day' where id = $waiting returning id"],
  },
  {
    invariant: "events-dropped",
    how: "they are a day late",
    sql: ["update runs set events_until = now() - interval '1 day' where id = $plain returning id"],
  },
  ...["run_events", "run_deltas", "run_cursors"].map((left) => ({
    invariant: "events-dropped",
    how: `but for ${left}`,
    sql: [
      ...["run_events", "run_deltas", "run_cursors"]
        .filter((table) => table !== left)
        .map((table) => `delete from ${table} where run_id = $plain`),
      "update runs set events_until = null where id = $plain returning id",
    ],
  })),
  ...["null", "'{}'", `'{"result":null}'`].map((result) => ({
    invariant: "idempotency-result",
    how: `the result is ${result}`,
    sql: [
      `update idempotency_keys set result = ${result} where key = (select min(key) from idempotency_keys)
       returning json_build_array(project_id, key)::text as id`,
    ],
  })),
  {
    invariant: "idempotency-result",
    how: "the run is gone, and its thread is there",
    sql: [
      "delete from messages where run_id = $plain",
      "update threads set message_count = 1 where id = $plain.thread",
      "delete from runs where id = $plain",
      `select json_build_array(project_id, key)::text as id from idempotency_keys
       where result::text like '%' || $plain || '%'`,
    ],
  },
  {
    invariant: "idempotency-result",
    how: "the cancelled run is on another thread",
    sql: [
      `update idempotency_keys set result = jsonb_set(result::jsonb, '{result,run,thread_id}', '"thread_other"')::json
       where result #>> '{result,run,id}' = $cancelledWaiting returning json_build_array(project_id, key)::text as id`,
    ],
  },
  {
    invariant: "idempotency-result",
    how: "the project is gone",
    loose: true,
    sql: [
      `update idempotency_keys set project_id = 'proj_gone' where key = (select min(key) from idempotency_keys
         where result -> 'result' ->> 'object' = 'thread.message')
       returning json_build_array(project_id, key)::text as id`,
    ],
  },
  {
    invariant: "idempotency-age",
    how: "it is two days old",
    sql: [
      `update idempotency_keys set created_at = now() - interval '2 days'
       where key = (select min(key) from idempotency_keys) returning json_build_array(project_id, key)::text as id`,
    ],
  },
  {
    invariant: "api-key-project",
    how: "it is gone",
    loose: true,
    sql: ["update api_keys set project_id = 'proj_gone' returning id"],
  },
  ...(
    [
      ["runs", "[]"],
      ["assistants", "[]"],
      ["messages", "{}"],
      ["messages", '[{"id":"a","created_at":1},{"id":"a","created_at":1}]'],
      ["messages", '[{"created_at":1}]'],
      ["messages", '[{"id":"a"}]'],
    ] as const
  ).map(([table, files]) => ({
    invariant: "v1-files",
    how: `${files} in ${table}`,
    sql: [`update ${table} set v1_files = '${files}' where v1_files is not null returning id`],
  })),
  {
    invariant: "event-positions",
    how: "one is left out where no delta can have been",
    sql: [
      "update run_events set seq = seq + 1 where run_id = $plain and event = 'thread.run.completed'",
      "update run_cursors set last_seq = last_seq + 1 where run_id = $plain returning run_id as id",
    ],
  },
  {
    invariant: "event-positions",
    how: "a delta is gone",
    sql: [
      `delete from run_deltas d where run_id = $plain and seq = (select max(seq) from run_deltas where run_id = $plain)
       returning run_id as id`,
    ],
    also: ["event-text"],
  },
  {
    invariant: "event-positions",
    how: "a jump that spared the deltas before it",
    sql: [
      "update run_events set seq = seq + 1000000 where run_id = $plain and event = 'thread.run.completed'",
      "update run_cursors set last_seq = last_seq + 1000000 where run_id = $plain returning run_id as id",
    ],
  },
  {
    invariant: "event-positions",
    how: "one is given twice",
    sql: [
      `insert into run_deltas select run_id, seq, 'thread.message.delta', '{}' from run_events
       where run_id = $failed and event = 'thread.run.queued' returning run_id as id`,
    ],
    also: ["event-order"],
  },
  {
    invariant: "event-cursor",
    how: "it is ahead",
    sql: ["update run_cursors set last_seq = last_seq + 1 where run_id = $plain returning run_id as id"],
  },
  {
    invariant: "event-cursor",
    how: "it is of an older epoch",
    sql: ["update run_cursors set epoch = epoch - 1 where run_id = $plain returning run_id as id"],
  },
  {
    invariant: "event-cursor",
    how: "it is gone, and the deltas are there",
    sql: ["delete from run_cursors where run_id = $plain returning run_id as id"],
  },
  ...(
    [
      ["plain", "thread.run.created", "event = 'thread.run.queued'"],
      ["plain", "thread.run.queued", "event = 'thread.run.in_progress'"],
      ["plain", "thread.run.queued", `data = '{"status":"in_progress"}'`],
      ["plain", "thread.run.in_progress", "event = 'thread.run.completed'"],
      ["plain", "thread.run.in_progress", `data = '{"status":"queued"}'`],
      ["plain", "thread.run.step.created", "event = 'thread.run.step.in_progress'"],
      ["plain", "thread.run.step.in_progress", "event = 'thread.run.step.completed'"],
      ["plain", "thread.message.created", "event = 'thread.message.in_progress'"],
      ["plain", "thread.message.in_progress", "event = 'thread.message.incomplete'"],
      ["plain", "thread.message.completed", "event = 'thread.run.step.completed'"],
      ["plain", "thread.message.completed", "event = 'thread.message.incomplete'"],
      ["plain", "thread.run.step.completed", "event = 'thread.run.step.failed'"],
      ["plain", "thread.run.completed", "event = 'thread.run.expired'"],
      ["plain", "thread.run.completed", "event = 'thread.unheard_of'"],
      ["waiting", "thread.run.requires_action", "event = 'thread.run.failed'"],
      ["cancelledWaiting", "thread.run.cancelling", "event = 'thread.run.queued'"],
      ["cancelledWaiting", "thread.run.cancelled", "event = 'thread.run.expired'"],
    ] as const
  ).map(([run, event, change]) => ({
    invariant: "event-order",
    how: `${event} of ${run} with ${change}`,
    sql: [`update run_events set ${change} where run_id = $${run} and event = '${event}' returning run_id as id`],
  })),
  {
    invariant: "event-order",
    how: "something comes behind the end",
    sql: [
      `select append_run_events($plain, '{thread.run.failed}', array['{"status":"failed"}']::json[])`,
      "select $plain as id",
    ],
  },
  {
    invariant: "event-order",
    how: "half of a transaction is missing at the end",
    sql: [
      `select append_run_events($waiting, '{thread.run.step.cancelled}',
         array[(select json_build_object('id', id, 'status', 'cancelled') from run_steps where run_id = $waiting)])`,
      "select $waiting as id",
    ],
  },
  {
    invariant: "event-order",
    how: "there is nothing",
    sql: [
      ...["run_events", "run_deltas", "run_cursors"].map((table) => `delete from ${table} where run_id = $plain`),
      "select $plain as id",
    ],
  },
  {
    invariant: "event-status",
    how: "the run is being cancelled, and no event says so",
    sql: ["update runs set status = 'cancelling' where id = $speaking returning id"],
  },
  {
    invariant: "event-objects",
    how: "a step is gone",
    sql: ["delete from run_steps where run_id = $retried and status = 'failed' returning id"],
  },
  {
    invariant: "event-objects",
    how: "a step came without events",
    sql: [
      copy(
        "run_steps",
        "run_id = $filtered",
        `'id', 'step_second', 'seq', 999999, 'step_details', '{"type":"message_creation","message_creation":{"message_id":"msg_never"}}'::jsonb, 'usage', ${USAGE}::jsonb`,
      ),
      "select 'step_second' as id",
    ],
  },
  {
    invariant: "event-objects",
    how: "a message is incomplete, and its event says that it is complete",
    sql: [
      `update messages set status = 'completed', completed_at = now(), incomplete_at = null, incomplete_reason = null
       where run_id = $incomplete returning id`,
    ],
  },
  {
    invariant: "event-text",
    how: "the message cites something else",
    sql: [
      `update messages set content = jsonb_set(content::jsonb, '{0,text,annotations}', '[]')::json
       where run_id = $searched and content::text like '%file_citation%' returning id`,
    ],
  },
  {
    invariant: "event-text",
    how: "a delta cites something else",
    sql: [
      `update run_deltas set data = replace(data::text, '"end_index":', '"end_index":1')::json
       where run_id = $searched and event = 'thread.message.delta' and data::text like '%file_citation%'
       returning data ->> 'id' as id`,
    ],
  },
  {
    invariant: "citations",
    how: "it stands elsewhere",
    sql: [
      ...forget("searched"),
      `update messages set content = replace(content::text, '"start_index":', '"start_index":1')::json
       where run_id = $searched and content::text like '%file_citation%' returning id`,
    ],
  },
  {
    invariant: "citations",
    how: "it is of another file",
    sql: [
      ...forget("searched"),
      `update messages set content = replace(content::text, '"file-', '"file-other')::json
       where run_id = $searched and content::text like '%file_citation%' returning id`,
    ],
  },
  {
    invariant: "built-in-calls",
    how: "a step is completed before its search",
    sql: ["update built_in_calls set finished_at = null where run_id = $searchedAndCalled returning run_step_id as id"],
  },
  {
    invariant: "built-in-calls",
    how: "a search was not kept",
    sql: ["delete from built_in_calls where run_id = $searchedAndCalled returning run_step_id as id"],
  },
  {
    invariant: "built-in-calls",
    how: "a search has another place",
    sql: ["update built_in_calls set position = 7 where run_id = $searchedAndCalled returning run_step_id as id"],
  },
  {
    invariant: "built-in-calls",
    how: "a search was answered by nobody",
    sql: ["update built_in_calls set epoch = 0 where run_id = $searchedAndCalled returning run_step_id as id"],
  },
  {
    invariant: "built-in-calls",
    how: "a search has results and a refusal",
    sql: [
      showResults,
      "update built_in_calls set told = 'It failed.' where run_id = $searchedAndCalled returning run_step_id as id",
    ],
    also: ["event-calls"],
  },
  {
    invariant: "built-in-calls",
    how: "a search that is not finished has results",
    sql: [
      showResults,
      "update built_in_calls set finished_at = null where run_id = $searchedAndCalled returning run_step_id as id",
    ],
    also: ["event-calls"],
  },
  {
    invariant: "event-code",
    how: "the code of a step is another",
    sql: [
      `update run_steps set step_details = replace(step_details::text, 'written', 'read')::json
       where run_id = $coded and type = 'tool_calls' returning id`,
    ],
    also: ["event-calls"],
  },
  {
    invariant: "event-code",
    how: "other outputs were told",
    sql: [
      `update run_events set data = replace(data::text, '"logs":"', '"logs":"more ')::json
       where run_id = $coded and event = 'thread.run.step.delta'`,
      // They may have come in several pieces.
      "select run_step_id as id from built_in_calls where run_id = $coded",
    ],
  },
  {
    invariant: "file-paths",
    how: "it stands elsewhere",
    sql: [
      ...forget("coded"),
      `update messages set content = replace(content::text, '"start_index":', '"start_index":1')::json
       where run_id = $coded returning id`,
    ],
  },
  {
    invariant: "file-paths",
    how: "it leads to a file that was uploaded",
    sql: [
      ...forget("coded"),
      `update files set purpose = 'assistants' where id = (
         select file_id from code_files where thread_id = (select thread_id from runs where id = $coded))`,
      "select id from messages where run_id = $coded",
    ],
  },
  {
    invariant: "built-in-calls",
    how: "a call of code has outputs before anybody had it in hand",
    sql: ["update built_in_calls set finished_at = null, epoch = 0 where run_id = $coded returning run_step_id as id"],
    also: ["code-sessions"],
  },
  {
    invariant: "code-files",
    how: "another file has its content",
    sql: [
      `update code_files set file_id = 'file-other' where thread_id = (select thread_id from runs where id = $coded)
       returning thread_id as id`,
    ],
  },
  {
    invariant: "code-images",
    how: "a message shows another image",
    sql: [
      ...forget("coded"),
      `update messages set content = jsonb_set(content::jsonb, '{0,image_file,file_id}', '"file-other"')::json
       where run_id = $coded returning run_id as id`,
    ],
  },
  {
    invariant: "code-images",
    how: "no message shows it",
    sql: [
      ...forget("coded"),
      `update messages set content = (content::jsonb - 0)::json where run_id = $coded returning run_id as id`,
    ],
  },
  {
    invariant: "code-images",
    how: "a message shows it twice",
    sql: [
      ...forget("coded"),
      `update messages set content = (content::jsonb || jsonb_build_array(content -> 0))::json
       where run_id = $coded returning run_id as id`,
    ],
  },
  {
    invariant: "code-images",
    how: "a call has drawn it twice",
    sql: [
      ...forget("coded"),
      `update run_steps set step_details = jsonb_insert(step_details::jsonb, '{tool_calls,0,code_interpreter,outputs,0}',
         step_details::jsonb #> '{tool_calls,0,code_interpreter,outputs,-1}')::json
       where run_id = $coded and type = 'tool_calls' returning run_id as id`,
    ],
  },
  {
    invariant: "code-images",
    how: "it is a file that was uploaded",
    sql: [
      `update files set purpose = 'assistants' where id = (
         select content #>> '{0,image_file,file_id}' from messages where run_id = $coded)`,
      "select id from runs where id = $coded",
    ],
  },
  {
    invariant: "code-sessions",
    how: "it is older than the first call",
    sql: [
      `update code_sessions set used_at = used_at - interval '1 hour'
       where thread_id = (select thread_id from runs where id = $coded) returning thread_id as id`,
    ],
  },
  {
    invariant: "code-sessions",
    how: "no call of code is finished",
    sql: [
      `update built_in_calls set tool = 'file_search' where run_id = $coded`,
      "select thread_id as id from runs where id = $coded",
    ],
    also: ["built-in-calls"],
  },
  {
    invariant: "code-sessions",
    how: "it is of another project",
    sql: [
      "insert into projects (id, name) values ('proj_other', 'other')",
      `update code_sessions set project_id = 'proj_other'
       where thread_id = (select thread_id from runs where id = $coded) returning thread_id as id`,
    ],
  },
  {
    invariant: "code-files",
    how: "the file has other bytes",
    sql: [
      `update code_files set bytes = bytes + 1 where thread_id = (select thread_id from runs where id = $coded)
       returning thread_id as id`,
    ],
  },
  {
    invariant: "search-numbers",
    how: "a number is left out",
    sql: ["update built_in_calls set number = 1 where run_id = $searchedAndCalled returning run_id as id"],
  },
  {
    invariant: "event-text",
    how: "the message has another text",
    sql: [
      `update messages set content = jsonb_set(content::jsonb, '{0,text,value}', '"Other."')::json
       where run_id = $plain returning id`,
    ],
  },
  {
    invariant: "event-text",
    how: "the message has lost its refusal",
    sql: ["update messages set content = '[]' where run_id = $refused returning id"],
  },
  {
    invariant: "event-text",
    how: "a delta has another text",
    sql: [
      `update run_deltas set data = jsonb_set(data::jsonb, '{delta,content,0,text,value}', '"Other."')::json
       where run_id = $plain and seq = (select min(seq) from run_deltas where run_id = $plain)`,
      "select id from messages where run_id = $plain",
    ],
  },
  {
    invariant: "event-text",
    how: "the last event has another text",
    sql: [
      `update run_events set data = jsonb_set(data::jsonb, '{content,0,text,value}', '"Other."')::json
       where run_id = $plain and event = 'thread.message.completed' returning data ->> 'id' as id`,
    ],
  },
  {
    invariant: "event-calls",
    how: "the run and its step have other arguments",
    sql: [
      `update runs set required_action = jsonb_set(required_action::jsonb,
         '{submit_tool_outputs,tool_calls,0,function,arguments}', '"{}"')::json where id = $waiting`,
      `update run_steps set step_details = jsonb_set(step_details::jsonb, '{tool_calls,0,function,arguments}', '"{}"')::json
       where run_id = $waiting returning id`,
    ],
  },
  {
    invariant: "event-calls",
    how: "a delta has other arguments",
    sql: [
      `update run_deltas set data = jsonb_set(data::jsonb, '{delta,step_details,tool_calls,0,function,arguments}', '"{"')::json
       where run_id = $waiting and seq = (select min(seq) from run_deltas where run_id = $waiting)
       returning data ->> 'id' as id`,
    ],
  },
  {
    invariant: "event-calls",
    how: "the last event has another output",
    sql: [
      `update run_events set data = jsonb_set(data::jsonb, '{step_details,tool_calls,0,function,output}', '"other"')::json
       where run_id = $calledAndStreamed and event = 'thread.run.step.completed' and data ->> 'type' = 'tool_calls'
       returning data ->> 'id' as id`,
    ],
  },
  {
    invariant: "event-calls",
    how: "the event that asks for outputs has other calls",
    sql: [
      `update run_events set data = jsonb_set(data::jsonb,
         '{required_action,submit_tool_outputs,tool_calls,0,id}', '"call_other"')::json
       where run_id = $waiting and event = 'thread.run.requires_action'`,
      "select id from run_steps where run_id = $waiting",
    ],
  },
];
