// `npm run audit`: what it prints, how it ends, and that it changes nothing.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { AuditReport } from "../../audit/audit.ts";
import type { Pool } from "../../db/pool.ts";
import { freezeWorld, runStatements } from "./frozen-world.ts";
import type { World } from "./frozen-world.ts";

const PROGRAM = fileURLToPath(new URL("../../audit/main.ts", import.meta.url));
/** Nobody looks at the runs of a frozen world. */
const PATIENT = ["--grace", "1200"];
/** Nobody listens there. */
const NOWHERE = "127.0.0.1:1";

let world: World;
before(async () => {
  world = await freezeWorld();
});
after(() => world.stack.stop());

interface Outcome {
  code: number;
  out: string;
  problem: string;
}

function run(args: string[], settings: Record<string, string>): Promise<Outcome> {
  const env = {
    ...process.env,
    TEMPORAL_TASK_QUEUE: world.stack.taskQueue,
    BLOB_DIR: join(world.stack.folder, "blobs"),
    ...settings,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), out: stdout.trimEnd(), problem: stderr });
    });
  });
}

/** Every row of every table, as one value for each table. */
async function readAll(db: Pool): Promise<Record<string, string | null>> {
  const { rows } = await db.query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'public' order by 1",
  );
  const contents: Record<string, string | null> = {};
  for (const { name } of rows) {
    const found = await db.query<{ all: string | null }>(
      `select md5(string_agg(t.xmin::text || t::text, ' ' order by t::text)) as all from ${name} t`,
    );
    contents[name] = found.rows[0]?.all ?? null;
  }
  return contents;
}

test("all is well: it lists the invariants, ends with 0 and has changed nothing", async () => {
  await world.withCopy(async (db, url) => {
    const before = await readAll(db);
    const { code, out, problem } = await run(PATIENT, { DATABASE_URL: url });
    assert.equal(problem, "");
    assert.equal(code, 0);
    assert.match(out, /^invariant +checked +violations\nrun-moves +1 +0\n/);
    assert.match(out, /\nblob-has-row +\d+ +0\n\nNo invariant is broken\.$/);
    assert.deepEqual(await readAll(db), before);
    assert.notEqual(before["runs"], null);
  });
});

test("it needs no more than SELECT", async () => {
  const role = `audit_${randomBytes(6).toString("hex")}`;
  await world.withCopy(async (db, url) => {
    await db.query(`create role ${role} login password '${role}'`);
    await db.query(`grant select on all tables in schema public to ${role}`);
    const limited = new URL(url);
    limited.username = role;
    limited.password = role;
    const { code, out } = await run([...PATIENT, "--database-only"], { DATABASE_URL: limited.href });
    assert.match(out, /\nNo invariant is broken\.$/);
    assert.equal(code, 0);
    await db.query(`drop owned by ${role}`);
    await db.query(`drop role ${role}`);
  });
});

test("what is broken is named, as text and as JSON, with as many rows as wanted; it ends with 1", async () => {
  await world.withCopy(async (db, url) => {
    const sql = ["update threads set message_count = message_count + 5"];
    await runStatements(url, sql, { made: world.made });
    const { rows } = await db.query<{ id: string }>("select id from threads order by id");
    const settings = { DATABASE_URL: url };
    const text = await run([...PATIENT, "--first", "2"], settings);
    assert.equal(text.code, 1);
    assert.match(text.out, new RegExp(`\nmessage-count +${rows.length} +${rows.length}\n`));
    assert.match(
      text.out,
      new RegExp(`\nmessage-count: A thread counts .*\n  ${rows[0]?.id}  counts \\d+ messages and has`),
    );
    assert.match(text.out, new RegExp(`\n  and ${rows.length - 2} more\n\n1 of \\d+ invariants are broken\\.$`));

    const json = await run([...PATIENT, "--json", "--first", "2"], settings);
    assert.equal(json.code, 1);
    const report = JSON.parse(json.out) as AuditReport;
    assert.equal(report.ok, false);
    const broken = report.invariants.filter(({ violations }) => violations > 0);
    assert.deepEqual(
      broken.map(({ name, violations, first }) => [name, violations, first.map(({ id }) => id)]),
      [["message-count", rows.length, rows.slice(0, 2).map(({ id }) => id)]],
    );
  });
});

suite("without Temporal", () => {
  test("the database is checked, the rest is called skipped, and it ends with 2", async () => {
    await world.withCopy(async (_, url) => {
      const settings = { DATABASE_URL: url, TEMPORAL_ADDRESS: NOWHERE };
      const { code, out } = await run(PATIENT, settings);
      assert.equal(code, 2);
      assert.match(out, /^Not everything was checked\. Temporal: \S.*\n\ninvariant /);
      assert.match(out, /\nmessage-count +\d+ +0\n/);
      assert.match(out, /\nsearch-attributes +0 +skipped\n/);
    });
  });

  test("what is broken in the database counts more", async () => {
    await world.withCopy(async (_, url) => {
      await runStatements(url, ["update threads set message_count = 99"], { made: world.made });
      const { code } = await run(PATIENT, { DATABASE_URL: url, TEMPORAL_ADDRESS: NOWHERE });
      assert.equal(code, 1);
    });
  });

  test("it is not asked when it is to be left alone", async () => {
    await world.withCopy(async (_, url) => {
      const settings = { DATABASE_URL: url, TEMPORAL_ADDRESS: NOWHERE };
      const { code, out } = await run([...PATIENT, "--database-only"], settings);
      assert.equal(code, 0);
      assert.match(out, /^Not everything was checked\. Temporal: not asked\n/);
    });
  });
});

test("a database that cannot be reached is said, and it ends with 2", async () => {
  const { code, problem } = await run([], { DATABASE_URL: `postgres://nobody@${NOWHERE}/nothing` });
  assert.equal(code, 2);
  assert.match(problem, /ECONNREFUSED/);
});

test("misuse is explained, and it ends with 2", async () => {
  const url = { DATABASE_URL: world.stack.databaseUrl };
  for (const args of [["--all"], ["extra"], ["--first", "x"], ["--grace=-1"], ["--sample", "1.5"]]) {
    const { code, problem } = await run(args, url);
    assert.equal(code, 2, args.join(" "));
    assert.match(problem, /^[A-Z][^\n]+\n\nUsage:/);
  }
  const { code, problem } = await run([], { DATABASE_URL: "" });
  assert.equal(code, 2);
  assert.match(problem, /^DATABASE_URL is not set[^\n]+\n\nUsage:/);
});
