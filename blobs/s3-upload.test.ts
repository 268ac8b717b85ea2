// What only a bucket does: objects that go up in parts, many at a time, and break off in the middle.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request as requestUpstream } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { startS3Server } from "../test/support/s3-server.ts";
import type { S3Server } from "../test/support/s3-server.ts";
import { BlobsUnavailable, newBlobKey } from "./blobs.ts";
import { S3Blobs } from "./s3-blobs.ts";

const MB = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), "durable-assistants-upload-"));
let server: S3Server | undefined;

before(async () => {
  server = await startS3Server(folder);
  Object.assign(process.env, server?.settings);
});
after(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function openBucket(endpoint = server?.settings.S3_ENDPOINT): S3Blobs {
  const bucket = server?.settings.S3_BUCKET ?? "";
  return new S3Blobs({ bucket, endpoint, region: "us-east-1", prefix: "files/", forcePathStyle: true });
}

async function countUnfinished(): Promise<number> {
  const Bucket = server?.settings.S3_BUCKET;
  return (await server?.client.send(new ListMultipartUploadsCommand({ Bucket })))?.Uploads?.length ?? 0;
}

async function* chunksOf(content: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

const sha256 = (content: Buffer) => createHash("sha256").update(content).digest();

/** A proxy that refuses what the test says. */
async function startRefusing(refuse: (method: string, url: string) => boolean) {
  const target = server?.settings.S3_ENDPOINT ?? "";
  const proxy = createServer((request, response) => {
    const { method = "", url = "", headers } = request;
    if (refuse(method, url)) {
      request.resume().once("end", () => response.writeHead(403).end());
      return;
    }
    const upstream = requestUpstream(new URL(url, target), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    upstream.once("error", () => response.destroy());
    request.pipe(upstream);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      proxy.close();
      proxy.closeAllConnections();
    },
  };
}

test("objects that go up at the same time, one after the other, are not mixed up", async (context) => {
  if (server === undefined) return context.skip("no Python to install an S3 server with");
  const blobs = openBucket();
  for (const round of [1, 2]) {
    const contents = [0, 1, 5 * MB, 5 * MB + 1, 11 * MB, 16 * MB].map((size) => randomBytes(size + round - 1));
    await Promise.all(
      contents.map(async (content, index) => {
        const key = newBlobKey();
        // Also in pieces that are larger than a part.
        const written = await blobs.write(key, chunksOf(content, index % 2 === 0 ? 65_536 : 7 * MB));
        assert.deepEqual(written, { bytes: content.length, sha256: sha256(content) });
        assert.deepEqual(sha256(await buffer(await blobs.read(key))), sha256(content));
      }),
    );
  }
  assert.equal(await countUnfinished(), 0);
});

test("a part that is refused ends the upload: nothing more is read, and nothing is left", async (context) => {
  if (server === undefined) return context.skip("no Python to install an S3 server with");
  let refused = 0;
  await using proxy = await startRefusing((method, url) => {
    const isRefused = method === "PUT" && url.includes("partNumber=2&");
    if (isRefused) refused += 1;
    return isRefused;
  });
  const chunk = randomBytes(MB);
  let read = 0;
  async function* source() {
    for (; read < 200; read += 1) yield chunk;
  }
  await assert.rejects(openBucket(proxy.url).write(newBlobKey(), source()), BlobsUnavailable);
  assert.ok(refused > 0);
  assert.ok(read < 50, `${read} MB were read`);
  assert.equal(await countUnfinished(), 0);
});

test("an upload that cannot be ended is given up", async (context) => {
  if (server === undefined) return context.skip("no Python to install an S3 server with");
  await using proxy = await startRefusing((method, url) => method === "POST" && url.includes("uploadId="));
  const content = chunksOf(randomBytes(6 * MB), MB);
  await assert.rejects(openBucket(proxy.url).write(newBlobKey(), content), BlobsUnavailable);
  assert.equal(await countUnfinished(), 0);
});

test("an upload that is told to stop leaves nothing, also when parts are under way", async (context) => {
  if (server === undefined) return context.skip("no Python to install an S3 server with");
  const stop = new AbortController();
  async function* source() {
    yield randomBytes(12 * MB);
    stop.abort(new Error("enough"));
    yield randomBytes(12 * MB);
  }
  await assert.rejects(openBucket().write(newBlobKey(), source(), stop.signal), /enough/);
  assert.equal(await countUnfinished(), 0);
});
