// What is kept for a time only: events of runs that have ended, keys of requests, files with an expiry, uploads, and
// what is in stores that have expired.
import type { Blobs } from "../blobs/blobs.ts";
import { EXPIRED_FILES_BATCH, FILE_BATCH, JANITOR_BATCH } from "../contract/limits.ts";
import { deleteExpiredFiles } from "../db/files.ts";
import { dropOldKeys } from "../db/idempotency-keys.ts";
import { withTransaction } from "../db/pool.ts";
import type { Pool } from "../db/pool.ts";
import { dropOldEvents } from "../db/run-events.ts";
import { dropOldUploads } from "../db/uploads.ts";
import { dropExpiredFiles } from "../db/vector-store-files.ts";

export interface Removed {
  /** Runs whose events were removed. */
  eventsOfRuns: number;
  idempotencyKeys: number;
  files: number;
  /** Uploads that are over, completed or not. */
  uploads: number;
  /** Files taken out of stores that have expired. */
  filesOfExpiredStores: number;
}

export interface Stores {
  pool: Pool;
  blobs: Pick<Blobs, "delete">;
}

/** May run twice, and side by side: rows that another one has in hand are left to it. */
export async function removeExpired({ pool, blobs }: Stores): Promise<Removed> {
  return {
    eventsOfRuns: await removeAll(JANITOR_BATCH, () => dropOldEvents(pool, JANITOR_BATCH)),
    idempotencyKeys: await removeAll(JANITOR_BATCH, () => dropOldKeys(pool, JANITOR_BATCH)),
    files: await removeAll(FILE_BATCH, () => removeFiles({ pool, blobs })),
    uploads: await removeAll(FILE_BATCH, () => removeUploads({ pool, blobs })),
    filesOfExpiredStores: await removeAll(EXPIRED_FILES_BATCH, () => dropExpiredFiles(pool, EXPIRED_FILES_BATCH)),
  };
}

/** In batches, so that each transaction stays short. */
async function removeAll(batch: number, removeBatch: () => Promise<number>): Promise<number> {
  for (let total = 0; ;) {
    const removed = await removeBatch();
    total += removed;
    if (removed < batch) return total;
  }
}

async function removeFiles({ pool, blobs }: Stores): Promise<number> {
  const keys = await withTransaction(pool, (tx) => deleteExpiredFiles(tx, FILE_BATCH));
  await deleteAll(blobs, keys);
  return keys.length;
}

async function removeUploads({ pool, blobs }: Stores): Promise<number> {
  const dropped = await withTransaction(pool, (tx) => dropOldUploads(tx, FILE_BATCH));
  await deleteAll(blobs, dropped.blobs);
  return dropped.uploads;
}

/** After the commit, so that no row is without its blob. Those that are left when this dies are found as orphans. */
async function deleteAll(blobs: Pick<Blobs, "delete">, keys: readonly string[]): Promise<void> {
  for (const key of keys) await blobs.delete(key);
}
