// Counts and hashes what flows through, and remembers whether it was the source that failed.
import { createHash } from "node:crypto";
import { BlobsUnavailable } from "./blobs.ts";
import type { WrittenBlob } from "./blobs.ts";

export interface Measured {
  /** To be read once. */
  content: AsyncIterable<Uint8Array>;
  /** What has flowed through. To be called once, in the end. */
  result(): WrittenBlob;
  /** What to throw when the write has failed with `error`: what the source threw, or that the store does not work. */
  explain(error: unknown): unknown;
}

export function measure(source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Measured {
  const hash = createHash("sha256");
  let bytes = 0;
  let failure: { reason: unknown } | undefined;
  async function* flow(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of source) {
        signal?.throwIfAborted();
        bytes += chunk.byteLength;
        hash.update(chunk);
        yield chunk;
      }
    } catch (reason) {
      failure = { reason };
      throw reason;
    }
  }
  return {
    content: flow(),
    result: () => ({ bytes, sha256: hash.digest() }),
    explain: (error) => {
      if (failure !== undefined) return failure.reason;
      return signal?.aborted ? signal.reason : new BlobsUnavailable("a blob could not be written", { cause: error });
    },
  };
}
