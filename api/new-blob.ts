// A blob that a request has written: it belongs to a row soon, or to nobody, and then it goes.
import type { FastifyRequest } from "fastify";
import type { Blobs } from "../blobs/blobs.ts";
import { ApiError } from "../contract/errors.ts";

/**
 * Does the work that is to give a blob its row, and deletes the blob when it has not: the request was refused, or the
 * answer is that of an earlier one.
 * @param isItsOwn whether the answer is of this request
 */
export async function withNewBlob<Answer>(
  request: FastifyRequest,
  { blobs, blob }: { blobs: Blobs; blob: string },
  work: () => Promise<Answer>,
  isItsOwn: (answer: Answer) => boolean,
): Promise<Answer> {
  try {
    const answer = await work();
    if (!isItsOwn(answer)) await discard(request, blobs, [blob]);
    return answer;
  } catch (error) {
    // Of any other error nobody knows whether the row was committed.
    if (error instanceof ApiError) await discard(request, blobs, [blob]);
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
