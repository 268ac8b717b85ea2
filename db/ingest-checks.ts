// What the sweep reads of files in stores: those that are on their way, and whose workflow may have to be started.
import { SWEEP_AFTER_MS, SWEEP_MAX_BACKOFF_MS } from "../contract/limits.ts";
import type { Queryable } from "./pool.ts";
import type { IngestKey } from "./vector-store-files.ts";

export interface FileToCheck extends IngestKey {
  /** How often the sweep has looked, this time included. */
  checks: number;
}

/**
 * Takes up to `limit` files that are due for a look, new ones first of all, and puts off the next look at each, twice as
 * long every time. Any number of processes may call this at once: each file is given to one of them.
 */
export async function takeFilesToCheck(db: Queryable, limit: number): Promise<FileToCheck[]> {
  const { rows } = await db.query<FileToCheck>(
    `update vector_store_files set checks = checks + 1,
       check_at = now() + interval '1 ms' * least(${SWEEP_AFTER_MS} * 2 ^ least(checks, 20), ${SWEEP_MAX_BACKOFF_MS})
     where id in (
       select id from vector_store_files where status = 'in_progress' and check_at <= now()
       order by check_at limit $1 for update skip locked)
     returning id, project_id, vector_store_id, file_id, checks`,
    [limit],
  );
  return rows;
}
