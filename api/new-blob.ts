// Blobs that a request has written: they belong to rows soon, or to nobody, and then they go.
import type { FastifyRequest } from "fastify";
import type { Blobs } from "../blobs/blobs.ts";
import { ApiError } from "../contract/errors.ts";

/**
 * Does the work that is to give blobs their rows, and deletes the blobs when it has not: the request was refused, or the
 * answer is that of an earlier one.
 * @param isItsOwn whether the answer is of this request
 */
export async function withNewBlobs<Answer>(
  request: FastifyRequest,
  { blobs, keys }: { blobs: Blobs; keys: readonly string[] },
  work: () => Promise<Answer>,
  isItsOwn: (answer: Answer) => boolean,
): Promise<Answer> {
  try {
    const answer = await work();
    if (!isItsOwn(answer)) await discard(request, blobs, keys);
    return answer;
  } catch (error) {
    // Of any other error nobody knows whether the rows were committed.
    if (error instanceof ApiError) await discard(request, blobs, keys);
    throw error;
  }
}

/** Deletes blobs that no row names. One that cannot be deleted is left to the janitor. */
export async function discard(request: FastifyRequest, blobs: Blobs, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    await blobs.delete(key).catch((error: unknown) => {
      request.log.warn({ err: error }, "a blob could not be deleted; the janitor will");
    });
  }
}
