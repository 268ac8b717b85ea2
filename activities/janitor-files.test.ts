// What the janitor does with files: what has had its time goes, and so does what nobody names; nothing that is in use.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { newBlobKey } from "../blobs/blobs.ts";
import { DiskBlobs } from "../blobs/disk-blobs.ts";
import { newId } from "../contract/ids.ts";
import { ORPHAN_AFTER_MS } from "../contract/limits.ts";
import { insertFile } from "../db/files.ts";
import { createPool } from "../db/pool.ts";
import type { Pool } from "../db/pool.ts";
import { insertThread } from "../db/threads.ts";
import { insertPart, insertUpload } from "../db/uploads.ts";
import { createTestDatabase } from "../test/support/database.ts";
import type { TestDatabase } from "../test/support/database.ts";
import { removeExpired } from "./remove-expired.ts";
import { removeOrphans } from "./remove-orphans.ts";

const folder = mkdtempSync(join(tmpdir(), "durable-assistants-blobs-"));
const blobs = new DiskBlobs(folder);
const project_id = newId("proj_");
let database: TestDatabase;
let pool: Pool;
before(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.url, max: 4, name: "test", onError: () => undefined });
  await pool.query("insert into projects (id, name) values ($1, 'test')", [project_id]);
});
after(async () => {
  await pool.end();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

const isThere = (key: string) =>
  blobs.read(key).then(
    (content) => Boolean(content.destroy()),
    () => false,
  );

async function putBlob(): Promise<string> {
  const key = newBlobKey();
  await blobs.write(key, words());
  return key;
}
async function* words(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("words");
}

/** As if it had been written so long ago. */
function age(key: string, ms: number): void {
  const then = new Date(Date.now() - ms);
  utimesSync(join(folder, key.slice(0, 2), key), then, then);
}

const OLD = ORPHAN_AFTER_MS + 60_000;

async function putFile(blob: string, expires_after_seconds: number | null = null): Promise<string> {
  const about = {
    filename: "a.txt",
    purpose: "assistants",
    content_type: "text/plain",
    bytes: 5,
    sha256: Buffer.alloc(32),
  };
  const id = newId("file-");
  await insertFile(pool, { id, project_id, blob, expires_after_seconds, ...about });
  return id;
}

test("a file whose time is over goes, with its blob and from the threads that name it; others stay", async () => {
  const [gone, kept, endless] = [await putBlob(), await putBlob(), await putBlob()];
  const expired = await putFile(gone, 3600);
  const alive = [await putFile(kept, 3600), await putFile(endless)];
  await pool.query("update files set expires_at = now() where id = $1", [expired]);
  const tool_resources = { code_interpreter: { file_ids: [expired, ...alive] } };
  const thread = await insertThread(pool, { project_id, messages: [], tool_resources });
  assert.partialDeepStrictEqual(await removeExpired({ pool, blobs }), { files: 1, uploads: 0 });
  assert.deepEqual(await Promise.all([gone, kept, endless].map(isThere)), [false, true, true]);
  const { rows } = await pool.query("select tool_resources from threads where id = $1", [thread.id]);
  assert.deepEqual(rows, [{ tool_resources: { code_interpreter: { file_ids: alive } } }]);
});

/** Makes an upload of which this is a part, and returns its id. */
async function putPart(blob: string): Promise<string> {
  const upload = { project_id, purpose: "assistants", filename: "a", bytes: 5, mime_type: "x" } as const;
  const { id } = await insertUpload(pool, upload);
  await insertPart(pool, { project_id, upload_id: id }, { id: newId("part_"), bytes: 5, blob });
  return id;
}

test("an upload goes with its parts when its time has long been over, and not while it might just be completed", async () => {
  const make = async (secondsOver: number) => {
    const blob = await putBlob();
    const upload = await putPart(blob);
    await pool.query("update uploads set expires_at = now() - make_interval(secs => $2) where id = $1", [
      upload,
      secondsOver,
    ]);
    return blob;
  };
  const [old, justNow, pending] = [await make(3601), await make(60), await make(-60)];
  assert.partialDeepStrictEqual(await removeExpired({ pool, blobs }), { files: 0, uploads: 1 });
  assert.deepEqual(await Promise.all([old, justNow, pending].map(isThere)), [false, true, true]);
});

test("more than one batch of expired files goes at once", async () => {
  const keys = await Promise.all(Array.from({ length: 45 }, putBlob));
  for (const key of keys) await putFile(key, 3600);
  await pool.query("update files set expires_at = now() where blob = any($1)", [keys]);
  const [one, other] = await Promise.all([removeExpired({ pool, blobs }), removeExpired({ pool, blobs })]);
  assert.equal(one.files + other.files, 45);
  assert.deepEqual(new Set(await Promise.all(keys.map(isThere))), new Set([false]));
});

test("an old blob that no row names goes; an old one of a file or a part stays, and so does a young one", async () => {
  const [orphan, ofFile, ofPart, young] = [await putBlob(), await putBlob(), await putBlob(), await putBlob()];
  await putFile(ofFile);
  await putPart(ofPart);
  for (const key of [orphan, ofFile, ofPart]) age(key, OLD);
  age(young, ORPHAN_AFTER_MS - 60_000);
  assert.deepEqual(await removeOrphans({ pool, blobs }), { orphanedBlobs: 1, unfinishedBlobs: 0 });
  assert.deepEqual(await Promise.all([orphan, ofFile, ofPart, young].map(isThere)), [false, true, true, true]);
});

test("a file that is being written while the janitor goes round keeps its blob", async () => {
  const key = newBlobKey();
  let finish = () => {};
  const rest = new Promise<void>((resolve) => (finish = resolve));
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("first ");
    await rest;
    yield Buffer.from("second");
  }
  const writing = blobs.write(key, slow());
  assert.deepEqual(await removeOrphans({ pool, blobs }), { orphanedBlobs: 0, unfinishedBlobs: 0 });
  finish();
  await writing;
  // The blob is durable and has no row yet: the moment at which it looks most like an orphan.
  assert.deepEqual(await removeOrphans({ pool, blobs }), { orphanedBlobs: 0, unfinishedBlobs: 0 });
  await putFile(key);
  age(key, OLD);
  assert.deepEqual(await removeOrphans({ pool, blobs }), { orphanedBlobs: 0, unfinishedBlobs: 0 });
  assert.ok(await isThere(key));
});
