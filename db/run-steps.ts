// Run steps as clients read them.
import type { Page, PageQuery } from "../contract/list.ts";
import type { RunStep } from "../contract/run-step.ts";
import { readPage } from "./page.ts";
import type { Queryable } from "./pool.ts";
import type { StepScope } from "./scope.ts";

/** One step in wire shape. A step that is open shows no usage, and when its run will expire. */
export const STEP_COLUMNS = `
  id, 'thread.run.step' as object, unix(created_at) as created_at, run_id, assistant_id, thread_id, type, status,
  unix(cancelled_at) as cancelled_at, unix(completed_at) as completed_at, unix(expired_at) as expired_at,
  unix(failed_at) as failed_at,
  case when status = 'in_progress'
    then (select unix(r.expires_at) from runs r where r.id = run_steps.run_id) end as expires_at,
  last_error, step_details, case when status <> 'in_progress' then usage end as usage, '{}'::json as metadata`;

const SCOPE = "project_id = $1 and thread_id = $2 and run_id = $3";

export async function listRunSteps(db: Queryable, scope: StepScope, query: PageQuery): Promise<Page<RunStep>> {
  const values = [scope.project_id, scope.thread_id, scope.run_id];
  return readPage<RunStep>(db, { table: "run_steps", columns: STEP_COLUMNS, where: SCOPE, values }, query);
}

export async function findRunStep(db: Queryable, scope: StepScope, id: string): Promise<RunStep | undefined> {
  const { rows } = await db.query<RunStep>(`select ${STEP_COLUMNS} from run_steps where ${SCOPE} and id = $4`, [
    scope.project_id,
    scope.thread_id,
    scope.run_id,
    id,
  ]);
  return rows[0];
}
