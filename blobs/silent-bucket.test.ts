// A bucket that takes connections and never says anything: nobody waits for it for ever.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { after, before, test } from "node:test";
import { BlobsUnavailable, newBlobKey } from "./blobs.ts";
import type { Blobs } from "./blobs.ts";
import { S3Blobs } from "./s3-blobs.ts";

/** Far more than three tries take. */
const LIMIT_MS = 20_000;
const HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\nbegun";

const open = new Set<Socket>();
/** What is said on each connection, before it falls silent. */
let said = "";
const server = createServer((socket) => {
  open.add(socket);
  socket.on("error", () => undefined).on("data", () => void (said !== "" && socket.write(said)));
});
let blobs: Blobs;

before(async () => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: "nobody", AWS_SECRET_ACCESS_KEY: "nothing" });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const where = { bucket: "silent", region: "us-east-1", prefix: "", endpoint, forcePathStyle: true };
  blobs = new S3Blobs({ ...where, silenceMs: 200 });
});
after(() => {
  for (const socket of open) socket.destroy();
  server.close();
});

async function* words(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("words");
}
async function list(): Promise<void> {
  for await (const entry of blobs.list()) assert.fail(entry.key);
}

for (const [name, work] of Object.entries({
  write: () => blobs.write(newBlobKey(), words()),
  read: () => blobs.read(newBlobKey()),
  delete: () => blobs.delete(newBlobKey()),
  list,
})) {
  test(`${name} fails, as unavailable, when the bucket says nothing`, { timeout: LIMIT_MS }, async () => {
    said = "";
    await assert.rejects(work, BlobsUnavailable);
  });
}

test("a content breaks off that stops in the middle", { timeout: LIMIT_MS }, async () => {
  said = HEAD;
  const content = await blobs.read(newBlobKey());
  await assert.rejects(async () => {
    for await (const chunk of content) assert.equal(String(chunk), "begun");
  });
});
