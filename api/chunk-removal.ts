// Removes in the background what deleted vector stores and files have left. Every API process does; the database gives each
// entry to one.
import type { FastifyBaseLogger } from "fastify";
import { SWEEP_INTERVAL_MS } from "../contract/limits.ts";
import { removeDroppedChunks } from "../db/dropped-chunks.ts";
import type { Pool } from "../db/pool.ts";

/** Looks once a second. Returns the function that stops it and waits for what it is doing. */
export function startChunkRemoval({ db, log }: { db: Pool; log: FastifyBaseLogger }): () => Promise<void> {
  let removing: Promise<void> | undefined;
  let isStopped = false;

  async function removeAll(): Promise<void> {
    try {
      while (!isStopped && (await removeDroppedChunks(db)));
    } catch (error) {
      log.warn({ err: error }, "chunks of deleted files could not be removed; trying again");
    }
  }

  const timer = setInterval(() => {
    removing ??= removeAll().finally(() => {
      removing = undefined;
    });
  }, SWEEP_INTERVAL_MS);
  return async () => {
    isStopped = true;
    clearInterval(timer);
    await removing;
  };
}
