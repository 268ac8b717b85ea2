import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createTestDatabase } from "../test/support/database.ts";
import type { TestDatabase } from "../test/support/database.ts";
import { ensureApiKey, findProjectByKey, generateApiKey, listApiKeys, revokeApiKey } from "./api-keys.ts";
import { createPool } from "./pool.ts";
import type { Pool } from "./pool.ts";

let database: TestDatabase;
let db: Pool;

before(async () => {
  database = await createTestDatabase();
  db = createPool({ url: database.url, max: 10, name: "test", onError: () => undefined });
});
after(async () => {
  await db.end();
  await database.drop();
});

async function makeKey(projectName: string, name = "test"): Promise<string> {
  const key = generateApiKey();
  await ensureApiKey(db, { key, name, projectName });
  return key;
}

test("a generated key is long, random and recognisable", () => {
  assert.match(generateApiKey(), /^sk-da-[A-Za-z0-9]{40}$/);
  assert.notEqual(generateApiKey(), generateApiKey());
});

test("keys of one project open the same project, keys of two open two", async () => {
  const [a, alsoA, b] = [await makeKey("A"), await makeKey("A"), await makeKey("B")];
  assert.equal(await findProjectByKey(db, a), await findProjectByKey(db, alsoA));
  assert.notEqual(await findProjectByKey(db, a), await findProjectByKey(db, b));
});

test("a key that was never made opens nothing", async () => {
  for (const key of ["", "sk-da-", generateApiKey()]) assert.equal(await findProjectByKey(db, key), undefined);
});

test("twenty processes that start with the same key make one key and one project", async () => {
  const key = generateApiKey();
  await Promise.all(
    Array.from({ length: 20 }, () => ensureApiKey(db, { key, name: "bootstrap", projectName: "many" })),
  );
  const made = (await listApiKeys(db)).filter((item) => item.project_name === "many");
  assert.equal(made.length, 1);
});

test("the key itself is nowhere in the database", async () => {
  const key = await makeKey("secret");
  const { rows } = await db.query<{ row: string }>("select k::text || p::text as row from api_keys k, projects p");
  for (const { row } of rows) assert.ok(!row.includes(key));
});

test("a revoked key opens nothing and stays revoked", async () => {
  const key = await makeKey("revoked", "to be revoked");
  const id = (await listApiKeys(db)).find((item) => item.name === "to be revoked")?.id ?? "";
  assert.equal(await revokeApiKey(db, id), true);
  assert.equal(await revokeApiKey(db, id), false);
  await ensureApiKey(db, { key, name: "again", projectName: "revoked" });
  assert.equal(await findProjectByKey(db, key), undefined);
});
