// One suite for every kind of store: a folder, and a bucket of a real S3-compatible server.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { startS3Server } from "../test/support/s3-server.ts";
import type { S3Server } from "../test/support/s3-server.ts";
import { BlobNotFound, BlobsUnavailable, newBlobKey } from "./blobs.ts";
import type { BlobEntry, Blobs } from "./blobs.ts";
import { DiskBlobs } from "./disk-blobs.ts";
import { S3Blobs } from "./s3-blobs.ts";

const MB = 1024 * 1024;
const LATER = new Date(Date.now() + 3600_000);
const folder = mkdtempSync(join(tmpdir(), "durable-assistants-blobs-"));
const disk = join(folder, "blobs");
let server: S3Server | undefined;

before(async () => {
  server = await startS3Server(folder);
  Object.assign(process.env, server?.settings);
});
after(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function openBucket(endpoint = server?.settings.S3_ENDPOINT): Blobs {
  const bucket = server?.settings.S3_BUCKET ?? "";
  return new S3Blobs({ bucket, endpoint, region: "us-east-1", prefix: "files/", forcePathStyle: true });
}

/** What a store still holds of writes that were never done. */
const STORES: {
  name: string;
  open(): Blobs;
  broken(): Blobs;
  unfinished(): Promise<number>;
  begin(): Promise<void>;
}[] = [
  {
    name: "a folder",
    open: () => new DiskBlobs(disk),
    broken: () => new DiskBlobs("/dev/null/blobs"),
    unfinished: async () => readdirSync(join(disk, "unfinished")).length,
    begin: async () => {
      writeFileSync(join(disk, "unfinished", `${newBlobKey()}-left`), "half");
    },
  },
  {
    name: "a bucket",
    open: () => openBucket(),
    broken: () => openBucket("http://127.0.0.1:1"),
    unfinished: async () => {
      const Bucket = server?.settings.S3_BUCKET;
      return (await server?.client.send(new ListMultipartUploadsCommand({ Bucket })))?.Uploads?.length ?? 0;
    },
    begin: async () => {
      const Bucket = server?.settings.S3_BUCKET;
      await server?.client.send(new CreateMultipartUploadCommand({ Bucket, Key: `files/${newBlobKey()}` }));
    },
  },
];

/** In chunks of uneven sizes. */
async function* chunksOf(content: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0, size = 1; at < content.length; at += size, size = (size * 7) % 100_003) {
    yield content.subarray(at, at + size);
  }
}

async function read(blobs: Blobs, key: string, range?: { start: number; end: number }): Promise<Buffer> {
  return buffer(await blobs.read(key, range));
}

async function entriesOf(blobs: Blobs): Promise<BlobEntry[]> {
  const entries: BlobEntry[] = [];
  for await (const entry of blobs.list()) entries.push(entry);
  return entries;
}
const keysOf = async (blobs: Blobs) => (await entriesOf(blobs)).map(({ key }) => key);

for (const { name, open, broken, unfinished, begin } of STORES) {
  describe(name, () => {
    const skip = () => name === "a bucket" && server === undefined && "no Python to install an S3 server with";
    function check(what: string, work: (blobs: Blobs) => Promise<void>): void {
      test(what, async (context) => {
        const why = skip();
        if (why) return context.skip(why);
        await work(open());
      });
    }

    for (const size of [0, 1, 5 * MB, 5 * MB + 1, 17 * MB]) {
      check(`gives back ${size} bytes as they came, counted and hashed`, async (blobs) => {
        const content = randomBytes(size);
        const key = newBlobKey();
        const written = await blobs.write(key, chunksOf(content));
        assert.deepEqual(written, { bytes: size, sha256: createHash("sha256").update(content).digest() });
        assert.ok((await read(blobs, key)).equals(content));
      });
    }

    check("gives a range with both its ends", async (blobs) => {
      const key = newBlobKey();
      await blobs.write(key, chunksOf(Buffer.from("0123456789")));
      assert.equal((await read(blobs, key, { start: 2, end: 4 })).toString(), "234");
    });

    check("says that a blob is not there, and deletes one that is not without complaint", async (blobs) => {
      const key = newBlobKey();
      await assert.rejects(blobs.read(key), BlobNotFound);
      await blobs.delete(key);
      await blobs.write(key, chunksOf(Buffer.from("x")));
      await blobs.delete(key);
      await blobs.delete(key);
      await assert.rejects(blobs.read(key), BlobNotFound);
      assert.ok(!(await keysOf(blobs)).includes(key));
    });

    check("lists every blob once, in the order of the keys, with the time of writing", async (blobs) => {
      const began = Date.now();
      const keys = Array.from({ length: 30 }, newBlobKey);
      await Promise.all(keys.map((key) => blobs.write(key, chunksOf(Buffer.from(key)))));
      const entries = await entriesOf(blobs);
      const listed = entries.map(({ key }) => key);
      assert.deepEqual(listed, [...new Set(listed)].toSorted());
      for (const key of keys) {
        const entry = entries.find((each) => each.key === key);
        // A bucket keeps whole seconds.
        assert.ok(entry && entry.writtenAt.getTime() > began - 2000 && entry.writtenAt.getTime() < Date.now() + 2000);
      }
    });

    for (const size of [100, 12 * MB]) {
      check(
        `leaves nothing behind when its source fails after ${size} bytes, and throws what it threw`,
        async (blobs) => {
          const before = await keysOf(blobs);
          const failure = new Error("the client hung up");
          async function* source() {
            yield* chunksOf(randomBytes(size));
            throw failure;
          }
          const waiting = await unfinished();
          await assert.rejects(blobs.write(newBlobKey(), source()), failure);
          assert.deepEqual(await keysOf(blobs), before);
          assert.equal(await unfinished(), waiting);
        },
      );
    }

    check("leaves nothing behind when it is told to stop", async (blobs) => {
      const before = await keysOf(blobs);
      const stop = new AbortController();
      async function* source() {
        yield* chunksOf(randomBytes(6 * MB));
        stop.abort(new Error("enough"));
        yield randomBytes(6 * MB);
      }
      await assert.rejects(blobs.write(newBlobKey(), source(), stop.signal), /enough/);
      assert.deepEqual(await keysOf(blobs), before);
    });

    check("removes what dead writes have left, and nothing that began later", async (blobs) => {
      await blobs.removeUnfinished(LATER);
      const key = newBlobKey();
      await blobs.write(key, chunksOf(Buffer.from("whole")));
      await begin();
      assert.equal(await blobs.removeUnfinished(new Date(Date.now() - 3600_000)), 0);
      if (name === "a folder") {
        const [left = ""] = readdirSync(join(disk, "unfinished"));
        utimesSync(join(disk, "unfinished", left), new Date(0), new Date(0));
      }
      assert.equal(await blobs.removeUnfinished(LATER), 1);
      assert.equal(await unfinished(), 0);
      assert.equal((await read(blobs, key)).toString(), "whole");
    });

    check("says that it cannot be used when it cannot", async () => {
      const blobs = broken();
      await assert.rejects(blobs.write(newBlobKey(), chunksOf(randomBytes(10))), BlobsUnavailable);
      await assert.rejects(blobs.read(newBlobKey()), BlobsUnavailable);
      await assert.rejects(keysOf(blobs), BlobsUnavailable);
    });

    check("takes no path for a key", async (blobs) => {
      await assert.rejects(blobs.read("../../etc/passwd"));
      await assert.rejects(blobs.write("../x", chunksOf(randomBytes(1))));
    });
  });
}
