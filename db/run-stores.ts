// The vector stores that a run searches: those of its assistant, as they were when it was made, and those of its thread.
import type { Queryable } from "./pool.ts";
import type { RunKey } from "./scope.ts";

export interface RunStore {
  id: string;
  is_expired: boolean;
  /**
   * Whether it is the thread's, and has files that cannot be searched yet; or the assistant's, and has such that version 1
   * lists for it: clients of that version see no store that they could wait for.
   */
  is_awaited: boolean;
}

/** Stores that are gone are not among them. */
export async function readRunStores(db: Queryable, run: RunKey): Promise<RunStore[]> {
  const { rows } = await db.query<RunStore>(
    `select s.id, coalesce(store_expires_at(s.last_active_at, s.expires_after_days) <= now(), false) as is_expired,
       exists (
         select 1 from vector_store_files f where f.vector_store_id = s.id and f.status = 'in_progress'
           and (s.id = any(thread.stores)
             or f.file_id in (select listed ->> 'id' from json_array_elements(r.v1_files) listed))) as is_awaited
     from runs r
     join threads t on t.id = r.thread_id
     cross join lateral (
       select array(select json_array_elements_text(t.tool_resources #> '{file_search,vector_store_ids}')) as stores
     ) thread
     join vector_stores s on s.project_id = r.project_id and s.id = any(r.vector_store_ids || thread.stores)
     where r.id = $1 and r.project_id = $2 order by s.id`,
    [run.id, run.project_id],
  );
  return rows;
}
