// Work that is done once per key: whoever comes again with the same key gets what the first one got.
import { IDEMPOTENCY_KEY_SECONDS } from "../contract/limits.ts";
import type { Queryable } from "./pool.ts";

export interface KeyedRequest {
  project_id: string;
  key: string;
  /** A hash of everything that is asked for. */
  fingerprint: Buffer;
}

export type Claim =
  /** The work is the caller's to do, in this transaction. */
  | { kind: "new" }
  /** It was done before; `isSame` tells whether the same was asked for. */
  | { kind: "done"; isSame: boolean; result: unknown };

/**
 * Claims a key inside the transaction that is to do the work. Waits for whoever holds the key: when that transaction
 * commits this answers `done`, when it fails the key is free.
 */
export async function claimKey(tx: Queryable, { project_id, key, fingerprint }: KeyedRequest): Promise<Claim> {
  const claimed = await tx.query(
    `insert into idempotency_keys (project_id, key, fingerprint) values ($1, $2, $3)
     on conflict (project_id, key) do update
       set fingerprint = excluded.fingerprint, result = null, created_at = now()
       where idempotency_keys.created_at < now() - interval '${IDEMPOTENCY_KEY_SECONDS} seconds'`,
    [project_id, key, fingerprint],
  );
  if (claimed.rowCount === 1) return { kind: "new" };
  // A statement of its own: only one that begins after the wait sees what the other transaction has written.
  const done = await findDone(tx, { project_id, key, fingerprint });
  if (done === undefined) throw new Error("an idempotency key vanished while it was claimed");
  return done;
}

/** What was done under a key; undefined when nothing was that counts. Waits for nobody. */
export async function findDone(
  db: Queryable,
  { project_id, key, fingerprint }: KeyedRequest,
): Promise<Extract<Claim, { kind: "done" }> | undefined> {
  const { rows } = await db.query<{ fingerprint: Buffer; result: unknown }>(
    `select fingerprint, result from idempotency_keys where project_id = $1 and key = $2
       and created_at >= now() - interval '${IDEMPOTENCY_KEY_SECONDS} seconds'`,
    [project_id, key],
  );
  const [done] = rows;
  return done && { kind: "done", isSame: done.fingerprint.equals(fingerprint), result: done.result };
}

/** Keeps what the work gave back, in the same transaction. */
export async function keepResult(tx: Queryable, { project_id, key }: KeyedRequest, result: unknown): Promise<void> {
  await tx.query("update idempotency_keys set result = $3 where project_id = $1 and key = $2", [
    project_id,
    key,
    JSON.stringify(result),
  ]);
}

/** Drops up to `limit` keys that are too old to count. Returns how many. */
export async function dropOldKeys(db: Queryable, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from idempotency_keys where (project_id, key) in (
       select project_id, key from idempotency_keys
       where created_at < now() - interval '${IDEMPOTENCY_KEY_SECONDS} seconds'
       order by created_at limit $1 for update skip locked)`,
    [limit],
  );
  return rowCount ?? 0;
}
