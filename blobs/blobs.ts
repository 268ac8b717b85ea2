// Where the contents of files are kept. Metadata is in Postgres; here are bytes under keys, written once and never changed.
// A blob is in use while a row names its key.
import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";

export interface Blobs {
  /**
   * Streams `content` in under a fresh key and resolves when it is durable. Leaves nothing behind when it fails: with
   * what `content` threw, with the reason of `signal`, or with `BlobsUnavailable`.
   */
  write(key: string, content: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<WrittenBlob>;
  /** The bytes from `start` to `end`, both included; without a range, all of them. Throws `BlobNotFound`. */
  read(key: string, range?: { start: number; end: number }): Promise<Readable>;
  /** No error when it is gone already. */
  delete(key: string): Promise<void>;
  /** Every blob, in the order of the keys: for finding those that nobody needs. */
  list(): AsyncIterable<BlobEntry>;
  /** Removes what writes have left that died before they were done, if they began before that moment. Returns how many. */
  removeUnfinished(begunBefore: Date): Promise<number>;
}

export interface WrittenBlob {
  bytes: number;
  sha256: Buffer;
}

export interface BlobEntry {
  key: string;
  writtenAt: Date;
}

export class BlobNotFound extends Error {
  override name = "BlobNotFound";
  constructor(key: string, options?: ErrorOptions) {
    super(`there is no blob ${key}`, options);
  }
}

/** The store cannot be reached, is full or is broken: worth trying again. The cause says more. */
export class BlobsUnavailable extends Error {
  override name = "BlobsUnavailable";
}

/** Only 0-9 and a-f: the same key on file systems that ignore case, and never a path. */
export const BLOB_KEY = /^[0-9a-f]{32}$/;

export function newBlobKey(): string {
  return randomUUID().replaceAll("-", "");
}
