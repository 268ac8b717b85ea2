// The invariants between files and their contents, each broken on purpose.
import assert from "node:assert/strict";
import { rmSync, utimesSync } from "node:fs";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { audit } from "../../audit/audit.ts";
import { BLOB_CATALOGUE } from "../../audit/blobs.ts";
import { newBlobKey } from "../../blobs/blobs.ts";
import { DiskBlobs } from "../../blobs/disk-blobs.ts";
import { newId } from "../../contract/ids.ts";
import { ORPHAN_AFTER_MS } from "../../contract/limits.ts";
import { createPool } from "../../db/pool.ts";
import type { Pool } from "../../db/pool.ts";
import { insertPart, insertUpload } from "../../db/uploads.ts";
import { createTestDatabase } from "../support/database.ts";
import type { TestDatabase } from "../support/database.ts";
import { putFiles } from "../support/put-files.ts";

const folder = mkdtempSync(join(tmpdir(), "durable-assistants-blobs-"));
const blobs = new DiskBlobs(folder);
const project_id = newId("proj_");
const LONG_AGO = new Date(Date.now() - 3 * ORPHAN_AFTER_MS);
let database: TestDatabase;
let db: Pool;
/** More than what is looked at between two questions. */
const ids = Array.from({ length: 620 }, () => newId("file-"));
let part: { id: string; blob: string };

before(async () => {
  database = await createTestDatabase();
  db = createPool({ url: database.url, max: 2, name: "test", onError: () => undefined });
  await db.query("insert into projects (id, name) values ($1, 'test')", [project_id]);
  await putFiles(db, { write: (key, content) => writeAged(key, content) }, { project_id, ids });
  const upload = await insertUpload(db, { project_id, purpose: "vision", filename: "a", bytes: 5, mime_type: "x" });
  part = { id: newId("part_"), blob: newBlobKey() };
  await writeAged(part.blob);
  await insertPart(db, { project_id, upload_id: upload.id }, { ...part, bytes: 5 });
});
after(async () => {
  await db.end();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

const pathOf = (key: string) => join(folder, key.slice(0, 2), key);

/** As old as an orphan, which it is not as long as a row names it. */
async function writeAged(key: string, content: AsyncIterable<Uint8Array> = words()) {
  const written = await blobs.write(key, content);
  utimesSync(pathOf(key), LONG_AGO, LONG_AGO);
  return written;
}
async function* words(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("words");
}

/** What is found of the invariants of blobs. */
async function find(store = blobs): Promise<Record<string, [checked: number, ids: string[], skipped?: string]>> {
  const { invariants } = await audit({ db, blobs: store });
  const mine = invariants.filter(({ name }) => name in BLOB_CATALOGUE);
  return Object.fromEntries(
    mine.map(({ name, checked, first, skipped }) => [
      name,
      [checked, first.map(({ id }) => id), ...(skipped === undefined ? [] : [skipped])],
    ]),
  ) as never;
}

const COUNT = ids.length + 1;
const RIGHT = { "file-has-blob": [COUNT, []], "blob-has-row": [COUNT, []] };

test("files with their contents, a part and a young blob without a row break nothing", async () => {
  assert.deepEqual(await find(), RIGHT);
  const young = newBlobKey();
  await blobs.write(young, words());
  assert.deepEqual(await find(), { ...RIGHT, "blob-has-row": [COUNT + 1, []] });
  await blobs.delete(young);
});

test("file-has-blob is broken: the content of the first, the last and some other file is gone, and that of a part", async () => {
  const { rows } = await db.query<{ id: string; blob: string }>('select id, blob from files order by blob collate "C"');
  const gone = [rows[0]!, rows[310]!, rows.at(-1)!, part].toSorted((a, b) => (a.blob < b.blob ? -1 : 1));
  for (const { blob } of gone) await blobs.delete(blob);
  const found = await find();
  assert.deepEqual(found["file-has-blob"], [COUNT, gone.map(({ id }) => id)]);
  assert.deepEqual(found["blob-has-row"], [COUNT - 4, []]);
  for (const { blob } of gone) await writeAged(blob);
  assert.deepEqual(await find(), RIGHT);
});

test("blob-has-row is broken: an old blob is named by nothing", async () => {
  const orphan = newBlobKey();
  await writeAged(orphan);
  assert.deepEqual(await find(), { ...RIGHT, "blob-has-row": [COUNT + 1, [orphan]] });
  await blobs.delete(orphan);
});

test("a file that is deleted while the audit is at it is not missed", async () => {
  const { rows } = await db.query<{ id: string; blob: string }>("select id, blob from files limit 1");
  const { id, blob } = rows[0]!;
  const watched = Object.create(blobs, {
    list: {
      value: async function* () {
        for await (const entry of blobs.list()) {
          if (entry.key !== blob) yield entry;
        }
      },
    },
    read: {
      value: async (key: string) => {
        await db.query("delete from files where id = $1", [id]);
        await blobs.delete(key);
        return blobs.read(key);
      },
    },
  }) as DiskBlobs;
  assert.deepEqual((await find(watched))["file-has-blob"], [COUNT, []]);
});

test("a store that cannot be read is said, and the rest is checked", async () => {
  const found = await find(new DiskBlobs("/dev/null/blobs"));
  assert.deepEqual(found["file-has-blob"]?.[2], "the folder of the blobs cannot be read");
});
