import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import pg from "pg";
import { openLogFile } from "./log-file.ts";
import { findPorts } from "./ports.ts";
import { ensureDatabase, startPostgres } from "./postgres.ts";
import { isRunning } from "./process-info.ts";

async function prepare(t: TestContext) {
  const dataDir = mkdtempSync(join(tmpdir(), "postgres-test-"));
  chmodSync(dataDir, 0o700); // as root, Postgres's own user is shut out by this
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  const [port = 0] = await findPorts([{ part: "Postgres", variable: "", host: "127.0.0.1", port: 0 }]);
  return { dataDir, port, log: openLogFile(join(dataDir, "log")), durable: false };
}

async function query<T extends pg.QueryResultRow>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

test("what was written is there after a stop and after a kill, and nothing of the server is left", async (t) => {
  const options = { ...(await prepare(t)), durable: true };
  const first = await startPostgres(options);
  t.after(() => first.kill());
  await ensureDatabase(first.url(), "mine");
  await ensureDatabase(first.url(), "mine");
  await query(first.url("mine"), "create table kept as select 42 as answer");
  await first.stop();
  assert.ok(!isRunning(first.pid, options.dataDir));

  const second = await startPostgres(options);
  t.after(() => second.kill());
  assert.deepEqual(await query(second.url("mine"), "select answer from kept"), [{ answer: 42 }]);
  second.kill();
  await second.exited;

  const third = await startPostgres(options);
  t.after(() => third.kill());
  assert.deepEqual(await query(third.url("mine"), "select answer from kept"), [{ answer: 42 }]);
  await third.stop();
});

test("a wrong password is refused, and only the owner can read the right one", async (t) => {
  const options = await prepare(t);
  const postgres = await startPostgres(options);
  t.after(() => postgres.stop());
  const wrong = new URL(postgres.url());
  wrong.password = "wrong";
  await assert.rejects(query(wrong.href, "select 1"), /password authentication failed/);
  assert.equal(statSync(join(options.dataDir, "postgres-password")).mode & 0o777, 0o600);
});

test("a cluster whose making was interrupted is made anew", async (t) => {
  const options = await prepare(t);
  mkdirSync(join(options.dataDir, "postgres.partial", "cluster"), { recursive: true });
  writeFileSync(join(options.dataDir, "postgres.partial", "cluster", "PG_VERSION"), "18\n");
  const postgres = await startPostgres(options);
  t.after(() => postgres.stop());
  assert.equal((await query(postgres.url(), "select 1 as one")).length, 1);
  assert.ok(!existsSync(join(options.dataDir, "postgres.partial")));
});

test("a cluster of another Postgres, one without password and a folder that is none are explained", async (t) => {
  const options = await prepare(t);
  const cluster = join(options.dataDir, "postgres");
  mkdirSync(cluster);
  await assert.rejects(startPostgres(options), { name: "CannotStart", message: /postgres-password.* is missing/ });
  writeFileSync(join(options.dataDir, "postgres-password"), "secret\n");
  await assert.rejects(startPostgres(options), { name: "CannotStart", message: /not a Postgres cluster/ });
  writeFileSync(join(cluster, "PG_VERSION"), "17\n");
  await assert.rejects(startPostgres(options), { name: "CannotStart", message: /made by Postgres 17.*pg_dump/s });
});

test("a start that is given up leaves no process", async (t) => {
  const options = await prepare(t);
  await assert.rejects(startPostgres({ ...options, signal: AbortSignal.abort() }), { name: "AbortError" });
  const postgres = await startPostgres(options); // would fail if the first one still ran
  await postgres.stop();
});
