// Who has the sandboxed Python of a thread. One worker at a time: the one that took it last.
import { SANDBOX_IDLE_MS } from "../contract/limits.ts";
import type { Queryable } from "./pool.ts";
import type { RunKey, ThreadScope } from "./scope.ts";

export interface CodeSession {
  id: string;
  /** On which its worker takes calls for it. */
  task_queue: string;
}

/** The session that has done the newest call of a run's thread. It need not be alive any more. */
export async function findCodeSession(
  db: Queryable,
  run: RunKey,
): Promise<(CodeSession & { is_idle: boolean }) | undefined> {
  const { rows } = await db.query<CodeSession & { is_idle: boolean }>(
    `select s.id, s.task_queue, s.used_at < now() - interval '${SANDBOX_IDLE_MS} ms' as is_idle
     from code_sessions s join runs r on r.thread_id = s.thread_id where r.id = $1 and r.project_id = $2`,
    [run.id, run.project_id],
  );
  return rows[0];
}

/** Whether code of the thread has been run, or begun, before this call. */
export async function hasRunCode(db: Queryable, thread: ThreadScope, callId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `select 1 from built_in_calls c join runs r on r.id = c.run_id
     where r.thread_id = $1 and r.project_id = $2 and c.tool = 'code_interpreter' and c.epoch > 0 and c.call_id <> $3 limit 1`,
    [thread.thread_id, thread.project_id, callId],
  );
  return rowCount === 1;
}

/** Notes that this session has done a call of the thread. */
export async function takeCodeSession(tx: Queryable, thread: ThreadScope, session: CodeSession): Promise<void> {
  await tx.query(
    `insert into code_sessions (thread_id, project_id, id, task_queue, used_at)
     values ($1, $2, $3, $4, clock_timestamp())
     on conflict (thread_id) do update set id = excluded.id, task_queue = excluded.task_queue, used_at = excluded.used_at`,
    [thread.thread_id, thread.project_id, session.id, session.task_queue],
  );
}
