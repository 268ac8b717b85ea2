// The rows of threads. Whoever adds messages or a run to a thread holds its row, so that one of two wins.
import { newId } from "../contract/ids.ts";
import { THREAD_STORE_DAYS } from "../contract/limits.ts";
import type { CreateThread, ModifyThread, Thread } from "../contract/thread.ts";
import { resolveToolResources } from "../contract/tool-resources.ts";
import { insertMessages } from "./messages.ts";
import type { NewMessage } from "./messages.ts";
import type { Queryable } from "./pool.ts";
import { findActiveRun } from "./runs.ts";
import type { ThreadScope } from "./scope.ts";
import { requireStores, settleStores } from "./store-references.ts";

const THREAD_COLUMNS = "id, 'thread' as object, unix(created_at) as created_at, metadata, tool_resources";

export type NewThread = Omit<CreateThread, "messages"> & { project_id: string; messages: readonly NewMessage[] };

/** Inserts a thread and its first messages, inside a transaction. */
export async function insertThread(tx: Queryable, { project_id, messages, ...input }: NewThread): Promise<Thread> {
  const tool_resources = await settleStores(
    tx,
    { project_id, input: input.tool_resources, expiresAfterDays: THREAD_STORE_DAYS },
    resolveToolResources(input.tool_resources, []),
  );
  const { rows } = await tx.query<Thread>(
    `insert into threads (id, project_id, created_at, metadata, tool_resources)
     values ($1, $2, clock_timestamp(), $3, $4) returning ${THREAD_COLUMNS}`,
    [newId("thread_"), project_id, JSON.stringify(input.metadata ?? {}), JSON.stringify(tool_resources)],
  );
  const thread = rows[0] as Thread;
  if (messages.length === 0) return thread;
  const scope = { project_id, thread_id: thread.id };
  await insertMessages(tx, scope, messages);
  // Read again: files attached to the messages are the thread's now.
  return (await findThread(tx, scope)) as Thread;
}

export async function findThread(db: Queryable, scope: ThreadScope): Promise<Thread | undefined> {
  const { rows } = await db.query<Thread>(`select ${THREAD_COLUMNS} from threads where project_id = $1 and id = $2`, [
    scope.project_id,
    scope.thread_id,
  ]);
  return rows[0];
}

export async function threadExists(db: Queryable, scope: ThreadScope): Promise<boolean> {
  const { rows } = await db.query("select 1 from threads where project_id = $1 and id = $2", [
    scope.project_id,
    scope.thread_id,
  ]);
  return rows.length > 0;
}

/**
 * Holds the thread's row until the transaction ends and tells which run is active on it.
 * Undefined when there is no such thread.
 */
export async function lockThread(
  tx: Queryable,
  scope: ThreadScope,
): Promise<{ active_run_id: string | undefined } | undefined> {
  const [{ rowCount }, active_run_id] = await Promise.all([
    tx.query("select 1 from threads where project_id = $1 and id = $2 for no key update", [
      scope.project_id,
      scope.thread_id,
    ]),
    // A statement of its own: only one that begins once the row is held sees what its last holder did.
    findActiveRun(tx, scope),
  ]);
  return rowCount === 0 ? undefined : { active_run_id };
}

/** Changes what `change` names, inside a transaction. Undefined when there is no such thread. */
export async function updateThread(
  tx: Queryable,
  scope: ThreadScope,
  change: ModifyThread,
): Promise<Thread | undefined> {
  const { rows } = await tx.query<Thread>(
    `select ${THREAD_COLUMNS} from threads where project_id = $1 and id = $2 for no key update`,
    [scope.project_id, scope.thread_id],
  );
  const current = rows[0];
  if (current === undefined) return undefined;
  const metadata = change.metadata === undefined ? current.metadata : (change.metadata ?? {});
  await requireStores(tx, scope.project_id, change.tool_resources?.file_search?.vector_store_ids ?? []);
  const tool_resources = resolveToolResources(change.tool_resources, [], current.tool_resources);
  const updated = await tx.query<Thread>(
    `update threads set metadata = $3, tool_resources = $4
     where project_id = $1 and id = $2 returning ${THREAD_COLUMNS}`,
    [scope.project_id, scope.thread_id, JSON.stringify(metadata), JSON.stringify(tool_resources)],
  );
  return updated.rows[0];
}

/**
 * Deletes a thread with its messages, runs and steps, inside a transaction.
 * Tells which run was active; undefined when there is no such thread.
 */
export async function deleteThread(
  tx: Queryable,
  scope: ThreadScope,
): Promise<{ active_run_id: string | undefined } | undefined> {
  // Runs are locked before their thread, as everywhere, so that no two transactions wait for each other.
  await tx.query("select 1 from runs where project_id = $1 and thread_id = $2 order by id for update", [
    scope.project_id,
    scope.thread_id,
  ]);
  const locked = await lockThread(tx, scope);
  if (locked === undefined) return undefined;
  await tx.query("delete from threads where project_id = $1 and id = $2", [scope.project_id, scope.thread_id]);
  return locked;
}
