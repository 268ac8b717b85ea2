import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { findProjectByKey, listApiKeys, revokeApiKey } from "../db/api-keys.ts";
import { createPool } from "../db/pool.ts";
import { createTestDatabase } from "../test/support/database.ts";
import { ensureFirstKey } from "./first-key.ts";

async function prepare(t: TestContext) {
  const database = await createTestDatabase();
  const db = createPool({ url: database.url, max: 2, name: "test", onError: () => undefined });
  const dataDir = mkdtempSync(join(tmpdir(), "first-key-test-"));
  t.after(async () => {
    await db.end();
    await database.drop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return { db, dataDir };
}

test("the first key is new once, opens a project, and is kept where only the owner reads it", async (t) => {
  const { db, dataDir } = await prepare(t);
  const first = await ensureFirstKey(db, dataDir);
  const second = await ensureFirstKey(db, dataDir);
  assert.deepEqual([first.isNew, second.isNew], [true, false]);
  assert.equal(second.key, first.key);
  assert.ok(await findProjectByKey(db, first.key));
  assert.equal(readFileSync(join(dataDir, "api-key"), "utf8").trim(), first.key);
  assert.equal(statSync(join(dataDir, "api-key")).mode & 0o777, 0o600);
});

test("a key that was revoked does not come back with the next start", async (t) => {
  const { db, dataDir } = await prepare(t);
  const { key } = await ensureFirstKey(db, dataDir);
  const [row] = await listApiKeys(db);
  await revokeApiKey(db, row?.id ?? "");
  await ensureFirstKey(db, dataDir);
  assert.equal(await findProjectByKey(db, key), undefined);
});

test("with a key that the user brought, no other is made", async (t) => {
  const { db, dataDir } = await prepare(t);
  await ensureFirstKey(db, dataDir, "my-own-key-0123456789");
  assert.ok(await findProjectByKey(db, "my-own-key-0123456789"));
  assert.equal((await listApiKeys(db)).length, 1);
});
