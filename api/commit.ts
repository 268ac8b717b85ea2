// The one transaction of a POST. With an `Idempotency-Key` (an extension) the same request is carried out once: whoever
// repeats it, later or at the same moment, is given what the first one was given.
import { createHash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { idempotencyKeyReused, invalidIdempotencyKey } from "../contract/errors.ts";
import { MAX_IDEMPOTENCY_KEY_LENGTH } from "../contract/limits.ts";
import { claimKey, keepResult } from "../db/idempotency-keys.ts";
import { withTransaction } from "../db/pool.ts";
import type { Pool, Queryable } from "../db/pool.ts";

/**
 * Runs `work` in a transaction and returns what it gives back, which must survive JSON: it may come out of an earlier
 * request. Only what was committed is kept under the key: a request that was refused can be sent again.
 * Throws (400) when the key was used for another request.
 */
export async function commit<Result>(
  db: Pool,
  request: FastifyRequest,
  work: (tx: Queryable) => Promise<Result>,
): Promise<Result> {
  const key = readKey(request);
  if (key === undefined) return withTransaction(db, work);
  const keyed = { ...request.caller, key, fingerprint: fingerprintOf(request) };
  return withTransaction(db, async (tx) => {
    const claim = await claimKey(tx, keyed);
    if (claim.kind === "done") {
      if (!claim.isSame) throw idempotencyKeyReused();
      return claim.result as Result;
    }
    const result = await work(tx);
    await keepResult(tx, keyed, result);
    return result;
  });
}

/** Node joins a header that comes more than once. Throws (400) when it is too long. */
function readKey({ headers }: FastifyRequest): string | undefined {
  const header = headers["idempotency-key"];
  const key = Array.isArray(header) ? header.join(", ") : header;
  if (key !== undefined && (key === "" || key.length > MAX_IDEMPOTENCY_KEY_LENGTH)) {
    throw invalidIdempotencyKey(MAX_IDEMPOTENCY_KEY_LENGTH);
  }
  return key;
}

/** The body counts as it was understood: what a client leaves out is the same as what it would get. */
function fingerprintOf({ method, url, headers, body }: FastifyRequest): Buffer {
  return createHash("sha256")
    .update(JSON.stringify([method, url, headers["openai-beta"], body ?? null]))
    .digest();
}
