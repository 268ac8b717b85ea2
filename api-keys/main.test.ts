import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { findProjectByKey } from "../db/api-keys.ts";
import { createPool } from "../db/pool.ts";
import type { Pool } from "../db/pool.ts";
import { createTestDatabase } from "../test/support/database.ts";
import type { TestDatabase } from "../test/support/database.ts";

const PROGRAM = fileURLToPath(new URL("main.ts", import.meta.url));

let database: TestDatabase;
let db: Pool;

before(async () => {
  database = await createTestDatabase();
  db = createPool({ url: database.url, max: 2, name: "test", onError: () => undefined });
});
after(async () => {
  await db.end();
  await database.drop();
});

interface Outcome {
  code: number;
  out: string;
  problem: string;
}

function keys(...args: string[]): Promise<Outcome> {
  const env = { ...process.env, DATABASE_URL: database.url };
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), out: stdout.trim(), problem: stderr });
    });
  });
}

test("a key is printed when it is made, listed without itself, and ends when it is revoked", async () => {
  const made = await keys("create", "--project", "Blue team", "--name", "ci");
  assert.match(made.out, /^sk-da-[A-Za-z0-9]{40}$/);
  assert.notEqual(await findProjectByKey(db, made.out), undefined);

  const [id = "", project, name, , state] = (await keys("list")).out.split("\t");
  assert.deepEqual([project, name, state], ["Blue team", "ci", "valid"]);
  assert.ok(!(await keys("list")).out.includes(made.out));

  assert.equal((await keys("revoke", id)).code, 0);
  assert.equal(await findProjectByKey(db, made.out), undefined);
  assert.match((await keys("list")).out, /\trevoked \d{4}-/);
});

test("misuse is explained", async () => {
  for (const args of [[], ["destroy"], ["create", "extra"], ["list", "--all"], ["revoke"], ["revoke", "key_unknown"]]) {
    const { code, problem } = await keys(...args);
    assert.equal(code, 2, args.join(" "));
    assert.match(problem, /^[A-Z][^\n]+\n\nUsage:/);
  }
});
