// The one transaction of a POST. With an `Idempotency-Key` (an extension) the same request is carried out once: whoever
// repeats it, later or at the same moment, is given what the first one was given.
import { createHash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { idempotencyKeyReused, invalidIdempotencyKey } from "../contract/errors.ts";
import { MAX_IDEMPOTENCY_KEY_LENGTH } from "../contract/limits.ts";
import { claimKey, findDone, keepResult } from "../db/idempotency-keys.ts";
import type { KeyedRequest } from "../db/idempotency-keys.ts";
import { withTransaction } from "../db/pool.ts";
import type { Pool, Queryable } from "../db/pool.ts";
import { versionOf } from "./beta-header.ts";
import { findV1Files } from "./show-v1.ts";
import type { V1FileLists } from "./show-v1.ts";

/** What a request has done. It is kept under its key, so it must survive JSON. */
interface Done<Result> {
  result: Result;
  /** What version 1 shows besides: as it was then, since it may have changed when the answer is given again. */
  v1_files?: V1FileLists;
}

type Work<Result> = (tx: Queryable) => Promise<Result>;

/**
 * Runs `work` in a transaction and returns what it gives back, which must survive JSON: it may come out of an earlier
 * request. Only what was committed is kept under the key: a request that was refused can be sent again.
 * Throws (400) when the key was used for another request.
 */
export async function commit<Result>(db: Pool, request: FastifyRequest, work: Work<Result>): Promise<Result> {
  const isV1 = versionOf(request) === "v1";
  const carryOut = async (tx: Queryable): Promise<Done<Result>> => {
    const result = await work(tx);
    return isV1 ? { result, v1_files: await findV1Files(tx, request, result) } : { result };
  };
  const key = readKey(request);
  const { result, v1_files } =
    key === undefined
      ? await withTransaction(db, carryOut)
      : await onceAtATime(db, keyedBy(request, key), (keyed) => carryOutOnce(db, keyed, carryOut));
  if (v1_files !== undefined) request.v1Files = v1_files;
  return result;
}

/**
 * The same for a request that changes nothing and takes its time: `work` runs outside of a transaction, so that it holds no
 * connection while it waits for others. Two processes may both do it; both give what the first one has kept.
 * `work` is given a signal that says when nobody wants the answer any more: with a key, somebody may always come for it.
 */
export async function answerOnce<Result>(
  db: Pool,
  request: FastifyRequest,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const key = readKey(request);
  if (key === undefined) return work(request.signal);
  const { result } = await onceAtATime(db, keyedBy(request, key), async (keyed) => {
    const known = await findDone(db, keyed);
    if (known !== undefined) return resultOf<Result>(known);
    const answer = await work(new AbortController().signal);
    return carryOutOnce(db, keyed, async () => ({ result: answer }));
  });
  return result;
}

/** A keyed request that this process is carrying out. */
interface UnderWay {
  fingerprint: Buffer;
  done: Promise<Done<unknown>>;
}
const underWay = new WeakMap<Pool, Map<string, UnderWay>>();

/**
 * Repeats that come meanwhile wait here for the first one and share what comes of it, be it a refusal. In the database
 * each of them would hold a connection, and a few dozen would leave none for anybody else.
 */
async function onceAtATime<Result>(
  db: Pool,
  keyed: KeyedRequest,
  begin: (keyed: KeyedRequest) => Promise<Done<Result>>,
): Promise<Done<Result>> {
  const requests = underWay.get(db) ?? new Map<string, UnderWay>();
  underWay.set(db, requests);
  const name = JSON.stringify([keyed.project_id, keyed.key]);
  for (let other = requests.get(name); other !== undefined; other = requests.get(name)) {
    if (other.fingerprint.equals(keyed.fingerprint)) return other.done as Promise<Done<Result>>;
    await other.done.catch(() => undefined);
  }
  const done = begin(keyed);
  requests.set(name, { fingerprint: keyed.fingerprint, done });
  try {
    return await done;
  } finally {
    requests.delete(name);
  }
}

/** Other processes may be at it, too: the key's row decides. */
function carryOutOnce<Result>(db: Pool, keyed: KeyedRequest, carryOut: Work<Done<Result>>): Promise<Done<Result>> {
  return withTransaction(db, async (tx) => {
    const claim = await claimKey(tx, keyed);
    if (claim.kind === "done") return resultOf<Result>(claim);
    const done = await carryOut(tx);
    await keepResult(tx, keyed, done);
    return done;
  });
}

/** Throws (400) when the key was used for something else. */
function resultOf<Result>({ isSame, result }: { isSame: boolean; result: unknown }): Done<Result> {
  if (!isSame) throw idempotencyKeyReused();
  return result as Done<Result>;
}

/** Node joins a header that comes more than once. Throws (400) when it is empty or too long. */
function readKey({ headers }: FastifyRequest): string | undefined {
  const header = headers["idempotency-key"];
  const key = Array.isArray(header) ? header.join(", ") : header;
  if (key !== undefined && (key === "" || key.length > MAX_IDEMPOTENCY_KEY_LENGTH)) {
    throw invalidIdempotencyKey(MAX_IDEMPOTENCY_KEY_LENGTH);
  }
  return key;
}

function keyedBy(request: FastifyRequest, key: string): KeyedRequest {
  return { ...request.caller, key, fingerprint: fingerprintOf(request) };
}

/** The body counts as it was understood: what a client leaves out is the same as what it would get. */
function fingerprintOf(request: FastifyRequest): Buffer {
  const { method, url, body } = request;
  return createHash("sha256")
    .update(JSON.stringify([method, url, versionOf(request), body ?? null]))
    .digest();
}
