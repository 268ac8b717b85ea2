// Files and uploads through the official Node SDK, as its users have them.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { toFile } from "openai";
import type OpenAI from "openai";
import { GENERATIONS, openSdk } from "./sdk.ts";
import { startS3Server } from "../support/s3-server.ts";
import type { S3Server } from "../support/s3-server.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";

const folder = mkdtempSync(join(tmpdir(), "durable-assistants-files-"));
let stack: Stack;
before(async () => {
  stack = await startStack({ workers: 0, settings: { ALLOW_FILE_DOWNLOADS: "true" } });
});
after(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

for (const generation of GENERATIONS) {
  test(`files are uploaded, listed, read and deleted: ${generation}`, async () => {
    const { client } = openSdk(stack, generation);
    const path = join(folder, "Übersicht 名.md");
    writeFileSync(path, "# Words");
    const made = await client.files.create({ file: createReadStream(path), purpose: "assistants" });
    assert.deepEqual([made.filename, made.bytes, made.purpose], ["Übersicht 名.md", 7, "assistants"]);
    assert.equal((await client.files.waitForProcessing(made.id)).status, "processed");
    assert.equal(await (await client.files.content(made.id)).text(), "# Words");

    const more: string[] = [];
    for (const index of [0, 1, 2]) {
      const file = await toFile(Buffer.from(`file ${index}`), `${index}.txt`);
      more.push((await client.files.create({ file, purpose: "user_data" })).id);
    }
    const listed: string[] = [];
    for await (const file of client.files.list({ purpose: "user_data", limit: 2, order: "asc" })) listed.push(file.id);
    assert.deepEqual(
      listed.filter((id) => more.includes(id)),
      more,
    );
    const gone = await (generation === "openai 4"
      ? (client.files as never as { del: typeof client.files.delete }).del(made.id)
      : client.files.delete(made.id));
    assert.deepEqual(gone, { id: made.id, object: "file", deleted: true });
    await assert.rejects(client.files.retrieve(made.id), { status: 404, param: "id" });
  });
}

async function uploadInParts(client: OpenAI): Promise<void> {
  const parts = [randomBytes(6_000_000), randomBytes(100), randomBytes(7_000_000)];
  const whole = Buffer.concat(parts);
  const upload = await client.uploads.create({
    purpose: "vision",
    filename: "big.png",
    bytes: whole.length,
    mime_type: "image/png",
  });
  const sent = await Promise.all(
    parts.map(async (data) => client.uploads.parts.create(upload.id, { data: await toFile(data, "part") })),
  );
  const md5 = createHash("md5").update(whole).digest("hex");
  const done = await client.uploads.complete(upload.id, { part_ids: sent.map(({ id }) => id), md5 });
  assert.equal(done.status, "completed");
  const content = Buffer.from(await (await client.files.content(done.file?.id ?? "")).arrayBuffer());
  assert.ok(content.equals(whole));
}

test("a large file comes in parts", () => uploadInParts(stack.openai));

test("an upload is cancelled", async () => {
  const { uploads } = stack.openai;
  const upload = await uploads.create({ purpose: "assistants", filename: "a", bytes: 1, mime_type: "text/plain" });
  assert.equal((await uploads.cancel(upload.id)).status, "cancelled");
  const data = await toFile(Buffer.from("x"), "part");
  await assert.rejects(uploads.parts.create(upload.id, { data }), { status: 400 });
});

describe("over a bucket", () => {
  let server: S3Server | undefined;
  let remote: Stack | undefined;
  before(async () => {
    server = await startS3Server(folder);
    if (server !== undefined) remote = await startStack({ workers: 0, settings: server.settings });
  });
  after(async () => {
    await remote?.stop();
    await server?.stop();
  });

  test("the same is true", async (t) => {
    if (remote === undefined) return t.skip("no Python to install an S3 server with");
    await uploadInParts(remote.openai);
    const file = await remote.openai.files.create({
      file: await toFile(randomBytes(12_000_000), "a.png"),
      purpose: "vision",
    });
    assert.equal((await (await remote.openai.files.content(file.id)).arrayBuffer()).byteLength, 12_000_000);
    await remote.openai.files.delete(file.id);
    await assert.rejects(remote.openai.files.content(file.id), { status: 404 });
  });

  test("an API whose bucket is out of reach answers 503, and goes on", async (t) => {
    if (remote === undefined || server === undefined) return t.skip("no Python to install an S3 server with");
    await server.stop();
    const file = await toFile(Buffer.from("words"), "a.txt");
    await assert.rejects(remote.openai.files.create({ file, purpose: "vision" }), { status: 503 });
    assert.equal((await remote.openai.files.list()).data.filter(({ filename }) => filename === "a.txt").length, 0);
  });
});
