// Writes one object of a bucket from a stream: in parts, a few of them at a time, or in one request when it is small.
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { CompletedPart, S3Client } from "@aws-sdk/client-s3";

/** The smallest part that S3 takes. 10,000 of them, as many as one object may have, are 48 GiB. */
const PART_BYTES = 5 * 1024 * 1024;
/** Parts under way at once; one more is being filled. */
const PARTS_AT_ONCE = 2;

export interface Target {
  client: S3Client;
  /** Where to put it. */
  place: { Bucket: string; Key: string };
  buffers: PartBuffers;
}

/**
 * Memory for parts, used again and again. With new memory for each part, V8 would let so much of it lie around that a large
 * file took a hundred megabytes.
 */
export class PartBuffers {
  readonly #idle: Buffer[] = [];

  /** Memory that is not touched is not taken: a small object costs no more than its bytes. */
  take(): Buffer {
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(PART_BYTES);
  }

  giveBack(buffer: Buffer): void {
    if (this.#idle.length <= PARTS_AT_ONCE) this.#idle.push(buffer);
  }
}

/**
 * Resolves when the object is there. Rejects with what failed first, and not before nothing is under way any more; parts
 * that have come are given up.
 */
export async function uploadObject(
  target: Target,
  content: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<void> {
  const upload = new PartedUpload(target, signal);
  try {
    let part = target.buffers.take();
    let filled = 0;
    for await (const chunk of content) {
      for (let taken = 0; taken < chunk.byteLength;) {
        if (filled === PART_BYTES) {
          await upload.send(part);
          part = target.buffers.take();
          filled = 0;
        }
        const piece = chunk.subarray(taken, taken + PART_BYTES - filled);
        part.set(piece, filled);
        filled += piece.byteLength;
        taken += piece.byteLength;
      }
    }
    await upload.finish(part, filled);
  } catch (error) {
    throw await upload.giveUp(error);
  }
}

class PartedUpload {
  readonly #target: Target;
  readonly #failed = new AbortController();
  /** Ends what is under way when the caller says so, or one part has failed. */
  readonly #signal: AbortSignal;
  #uploadId: string | undefined;
  readonly #parts: CompletedPart[] = [];
  /** They never reject. */
  readonly #underWay = new Set<Promise<void>>();

  constructor(target: Target, signal?: AbortSignal) {
    this.#target = target;
    this.#signal = signal === undefined ? this.#failed.signal : AbortSignal.any([signal, this.#failed.signal]);
  }

  /** Sends a part, not the last one. Resolves when there is room for another one. */
  async send(part: Buffer): Promise<void> {
    const { client, place } = this.#target;
    if (this.#uploadId === undefined) {
      // Never broken off: what is begun must be known, to be given up.
      this.#uploadId = (await client.send(new CreateMultipartUploadCommand(place))).UploadId;
    }
    this.#begin(part, PART_BYTES);
    if (this.#underWay.size >= PARTS_AT_ONCE) await Promise.race(this.#underWay);
    this.#signal.throwIfAborted();
  }

  /** Sends the last part, or the whole object when it is the only one. */
  async finish(part: Buffer, bytes: number): Promise<void> {
    const { client, place, buffers } = this.#target;
    if (this.#uploadId === undefined) {
      const command = new PutObjectCommand({ ...place, Body: part.subarray(0, bytes) });
      await client.send(command, { abortSignal: this.#signal });
      buffers.giveBack(part);
      return;
    }
    this.#begin(part, bytes);
    await Promise.all(this.#underWay);
    this.#signal.throwIfAborted();
    const MultipartUpload = { Parts: this.#parts };
    await client.send(new CompleteMultipartUploadCommand({ ...place, UploadId: this.#uploadId, MultipartUpload }));
  }

  /** Resolves to what failed first. */
  async giveUp(error: unknown): Promise<unknown> {
    const { client, place } = this.#target;
    this.#failed.abort(error);
    await Promise.all(this.#underWay);
    if (this.#uploadId !== undefined) {
      const command = new AbortMultipartUploadCommand({ ...place, UploadId: this.#uploadId });
      // When this fails too, the janitor finds the parts.
      await client.send(command).catch(() => undefined);
    }
    return this.#signal.reason;
  }

  #begin(part: Buffer, bytes: number): void {
    const sent = this.#sendPart(part, bytes)
      .catch((error: unknown) => this.#failed.abort(error))
      .finally(() => this.#underWay.delete(sent));
    this.#underWay.add(sent);
  }

  async #sendPart(part: Buffer, bytes: number): Promise<void> {
    const { client, place, buffers } = this.#target;
    const done: CompletedPart = { PartNumber: this.#parts.length + 1, ETag: undefined };
    this.#parts.push(done);
    const input = { UploadId: this.#uploadId, PartNumber: done.PartNumber, Body: part.subarray(0, bytes) };
    const { ETag } = await client.send(new UploadPartCommand({ ...place, ...input }), { abortSignal: this.#signal });
    done.ETag = ETag;
    buffers.giveBack(part); // not after a failure, when an attempt that was given up may still read it
  }
}
