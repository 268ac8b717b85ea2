// Runs as clients read them, and their creation. What happens to a run afterwards is in the run-*.ts files.
import type { Page, PageQuery } from "../contract/list.ts";
import type { Run } from "../contract/run.ts";
import { SWEEP_AFTER_MS } from "../contract/limits.ts";
import { readPage } from "./page.ts";
import type { Queryable } from "./pool.ts";
import type { RunScope } from "./scope.ts";

/** The part of a run that changes while it lives, in wire shape: what an event of the run carries. */
export type RunState = Pick<
  Run,
  | "status"
  | "started_at"
  | "expires_at"
  | "cancelled_at"
  | "failed_at"
  | "completed_at"
  | "required_action"
  | "last_error"
  | "incomplete_details"
  | "usage"
>;

const STATE_COLUMNS = `
  status, unix(started_at) as started_at,
  case when status not in ('completed', 'failed', 'cancelled', 'incomplete') then unix(expires_at) end as expires_at,
  unix(cancelled_at) as cancelled_at, unix(failed_at) as failed_at, unix(completed_at) as completed_at,
  required_action, last_error,
  case when incomplete_reason is not null then json_build_object('reason', incomplete_reason) end as incomplete_details,
  case when status in ('completed', 'failed', 'cancelled', 'incomplete', 'expired') then json_build_object(
    'prompt_tokens', prompt_tokens, 'completion_tokens', completion_tokens,
    'total_tokens', prompt_tokens + completion_tokens,
    'prompt_token_details', json_build_object('cached_tokens', cached_tokens),
    'completion_tokens_details', json_build_object('reasoning_tokens', reasoning_tokens)) end as usage`;

/** One run in wire shape. */
export const RUN_COLUMNS = `
  id, 'thread.run' as object, unix(created_at) as created_at, assistant_id, thread_id, ${STATE_COLUMNS},
  model, instructions, tools, tool_resources, metadata, temperature, top_p, reasoning_effort, max_completion_tokens,
  max_prompt_tokens, truncation_strategy, response_format, tool_choice, parallel_tool_calls`;

/** Everything that is settled when a run is created. */
export type NewRun = Omit<Run, keyof RunState | "object" | "created_at"> & {
  project_id: string;
  expires_after_seconds: number;
};

/**
 * Inserts a queued run, with the list of files that its assistant has in version 1, and with its vector stores.
 * The index `runs_one_active_per_thread` refuses it while the thread has an active one.
 */
export async function insertRun(tx: Queryable, run: NewRun): Promise<Run> {
  const { rows } = await tx.query<Run>(
    `insert into runs (id, project_id, thread_id, assistant_id, status, expires_at, model, instructions, tools,
       tool_resources, metadata, temperature, top_p, reasoning_effort, response_format, tool_choice,
       parallel_tool_calls, truncation_strategy, max_prompt_tokens, max_completion_tokens, check_at,
       v1_files, vector_store_ids)
     values ($1, $2, $3, $4, 'queued', now() + $5 * interval '1 second', $6, $7, $8,
       $9, $10, $11, $12, $13, $14, $15,
       $16, $17, $18, $19, now() + interval '${SWEEP_AFTER_MS} milliseconds',
       (select v1_files from assistants where project_id = $2 and id = $4),
       array(select json_array_elements_text(coalesce($10::json #> '{file_search,vector_store_ids}',
         (select tool_resources #> '{file_search,vector_store_ids}' from assistants where project_id = $2 and id = $4)))))
     returning ${RUN_COLUMNS}`,
    [
      run.id,
      run.project_id,
      run.thread_id,
      run.assistant_id,
      run.expires_after_seconds,
      run.model,
      run.instructions,
      JSON.stringify(run.tools),
      JSON.stringify(run.tool_resources),
      JSON.stringify(run.metadata),
      run.temperature,
      run.top_p,
      run.reasoning_effort,
      JSON.stringify(run.response_format),
      JSON.stringify(run.tool_choice),
      run.parallel_tool_calls,
      JSON.stringify(run.truncation_strategy),
      run.max_prompt_tokens,
      run.max_completion_tokens,
    ],
  );
  return rows[0] as Run;
}

/** The run that locks a thread, if there is one. */
export async function findActiveRun(
  db: Queryable,
  scope: { project_id: string; thread_id: string },
): Promise<string | undefined> {
  const { rows } = await db.query<{ id: string }>(
    `select id from runs where project_id = $1 and thread_id = $2
     and status in ('queued', 'in_progress', 'requires_action', 'cancelling')`,
    [scope.project_id, scope.thread_id],
  );
  return rows[0]?.id;
}

export async function findRun(db: Queryable, scope: RunScope): Promise<Run | undefined> {
  const { rows } = await db.query<Run>(
    `select ${RUN_COLUMNS} from runs where id = $1 and project_id = $2 and thread_id = $3`,
    [scope.id, scope.project_id, scope.thread_id],
  );
  return rows[0];
}

export async function listRuns(
  db: Queryable,
  scope: { project_id: string; thread_id: string },
  query: PageQuery,
): Promise<Page<Run>> {
  const values = [scope.project_id, scope.thread_id];
  const where = "project_id = $1 and thread_id = $2";
  return readPage<Run>(db, { table: "runs", columns: RUN_COLUMNS, where, values }, query);
}

export async function updateRunMetadata(
  db: Queryable,
  scope: RunScope,
  metadata: Run["metadata"],
): Promise<Run | undefined> {
  const { rows } = await db.query<Run>(
    `update runs set metadata = $4 where id = $1 and project_id = $2 and thread_id = $3 returning ${RUN_COLUMNS}`,
    [scope.id, scope.project_id, scope.thread_id, JSON.stringify(metadata)],
  );
  return rows[0];
}

/** The changing part of a run, as its events carry it. */
export function runState(run: Run): RunState {
  const { status, started_at, expires_at, cancelled_at, failed_at, completed_at } = run;
  const { required_action, last_error, incomplete_details, usage } = run;
  return {
    status,
    started_at,
    expires_at,
    cancelled_at,
    failed_at,
    completed_at,
    required_action,
    last_error,
    incomplete_details,
    usage,
  };
}
