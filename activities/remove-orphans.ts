// Blobs that no row names: of requests that broke off at the wrong moment, and of files whose deletion did.
import type { Blobs } from "../blobs/blobs.ts";
import { JANITOR_BATCH, ORPHAN_AFTER_MS } from "../contract/limits.ts";
import { findUnusedBlobs } from "../db/files.ts";
import type { Pool } from "../db/pool.ts";

export interface OrphansRemoved {
  orphanedBlobs: number;
  /** Writes that were begun and never done. */
  unfinishedBlobs: number;
}

/**
 * A blob is written before its row: only one that is old, and so are all requests that could still name it, is an orphan.
 * A row, once it is there, keeps its blob however old that is.
 */
export async function removeOrphans({ pool, blobs }: { pool: Pool; blobs: Blobs }): Promise<OrphansRemoved> {
  const writtenBefore = new Date(Date.now() - ORPHAN_AFTER_MS);
  let orphanedBlobs = 0;
  let old: string[] = [];
  const removeOld = async () => {
    for (const key of await findUnusedBlobs(pool, old)) {
      await blobs.delete(key);
      orphanedBlobs += 1;
    }
    old = [];
  };
  for await (const { key, writtenAt } of blobs.list()) {
    if (writtenAt < writtenBefore) old.push(key);
    if (old.length === JANITOR_BATCH) await removeOld();
  }
  await removeOld();
  return { orphanedBlobs, unfinishedBlobs: await blobs.removeUnfinished(writtenBefore) };
}
