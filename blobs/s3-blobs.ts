// Blobs as objects of a bucket, at Amazon S3 or whatever speaks its protocol. Large ones go up in parts, a few at a time.
import type { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  NoSuchKey,
  paginateListObjectsV2,
  ListMultipartUploadsCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { BLOB_KEY, BlobNotFound, BlobsUnavailable } from "./blobs.ts";
import type { BlobEntry, Blobs, WrittenBlob } from "./blobs.ts";
import { measure } from "./measure.ts";
import { PartBuffers, uploadObject } from "./s3-upload.ts";

/**
 * Amazon's client itself would wait for ever. A request is made three times, so it has failed after three times this. Long
 * enough for a server that puts the parts of a large object together and says nothing meanwhile.
 */
const SILENCE_MS = 60_000;
const CONNECT_MS = 5000;

export interface S3Options {
  bucket: string;
  region: string;
  /** Begins every key; other programs may use the rest of the bucket. */
  prefix: string;
  /** Of a server that is not Amazon's. */
  endpoint?: string | undefined;
  /** `https://server/bucket/key` instead of `https://bucket.server/key`. */
  forcePathStyle: boolean;
  /** How long a connection may be silent while something is waited for; a minute unless told. */
  silenceMs?: number;
}

export class S3Blobs implements Blobs {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #buffers = new PartBuffers();

  /** Keys are found as Amazon's own tools find them: `AWS_ACCESS_KEY_ID` and so on, profiles, roles of the machine. */
  constructor({ bucket, region, prefix, endpoint, forcePathStyle, silenceMs = SILENCE_MS }: S3Options) {
    this.#bucket = bucket;
    this.#prefix = prefix;
    this.#client = new S3Client({
      region,
      forcePathStyle,
      ...(endpoint === undefined ? {} : { endpoint }),
      requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: silenceMs },
      // Not every server knows the newer checksums; TLS and our own SHA-256 are there in any case.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
    });
  }

  async write(key: string, content: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<WrittenBlob> {
    const measured = measure(content, signal);
    try {
      signal?.throwIfAborted();
      const target = { client: this.#client, place: this.#place(key), buffers: this.#buffers };
      await uploadObject(target, measured.content, signal);
      return measured.result();
    } catch (error) {
      throw measured.explain(error);
    }
  }

  async read(key: string, range?: { start: number; end: number }): Promise<Readable> {
    const Range = range === undefined ? undefined : `bytes=${range.start}-${range.end}`;
    try {
      const { Body } = await this.#client.send(new GetObjectCommand({ ...this.#place(key), Range }));
      return Body as Readable;
    } catch (error) {
      if (error instanceof NoSuchKey) throw new BlobNotFound(key, { cause: error });
      throw unavailable(error);
    }
  }

  async delete(key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(this.#place(key))).catch((error: unknown) => {
      if (!(error instanceof NoSuchKey)) throw unavailable(error);
    });
  }

  async *list(): AsyncGenerator<BlobEntry> {
    const pages = paginateListObjectsV2({ client: this.#client }, { Bucket: this.#bucket, Prefix: this.#prefix });
    try {
      for await (const { Contents = [] } of pages) {
        for (const { Key = "", LastModified } of Contents) {
          const key = Key.slice(this.#prefix.length);
          if (BLOB_KEY.test(key) && LastModified !== undefined) yield { key, writtenAt: LastModified };
        }
      }
    } catch (error) {
      throw unavailable(error);
    }
  }

  async removeUnfinished(begunBefore: Date): Promise<number> {
    const where = { Bucket: this.#bucket, Prefix: this.#prefix };
    let removed = 0;
    let next: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {};
    try {
      while (next !== undefined) {
        const page = await this.#listUnfinished({ ...where, ...next });
        for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
          if (Initiated === undefined || Initiated >= begunBefore) continue;
          await this.#client.send(new AbortMultipartUploadCommand({ Bucket: this.#bucket, Key, UploadId }));
          removed += 1;
        }
        next = page.IsTruncated
          ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
          : undefined;
      }
      return removed;
    } catch (error) {
      throw unavailable(error);
    }
  }

  #listUnfinished(input: ConstructorParameters<typeof ListMultipartUploadsCommand>[0]) {
    return this.#client.send(new ListMultipartUploadsCommand(input));
  }

  #place(key: string): { Bucket: string; Key: string } {
    if (!BLOB_KEY.test(key)) throw new Error(`${key} is not the key of a blob`);
    return { Bucket: this.#bucket, Key: this.#prefix + key };
  }
}

function unavailable(cause: unknown): BlobsUnavailable {
  return new BlobsUnavailable("the bucket cannot be used", { cause });
}
