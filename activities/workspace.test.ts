// Files of a thread in the Python of its code: brought in, taken out again, and what becomes of those without room.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { newBlobKey } from "../blobs/blobs.ts";
import { DiskBlobs } from "../blobs/disk-blobs.ts";
import { newId } from "../contract/ids.ts";
import { insertFile } from "../db/files.ts";
import { createPool } from "../db/pool.ts";
import type { Pool } from "../db/pool.ts";
import type { RunKey, ThreadScope } from "../db/scope.ts";
import { keepWorkspace, readWrittenFiles } from "../db/workspace.ts";
import { createTestDatabase } from "../test/support/database.ts";
import type { TestDatabase } from "../test/support/database.ts";
import { makeRun } from "../test/support/rows.ts";
import { openTestSandbox, run as runCell, SMALL, whyNot } from "../test/support/sandbox.ts";
import type { TestSandbox } from "../test/support/sandbox.ts";
import type { HeldSession } from "./code-sessions.ts";
import { collectChange, fillWorkspace } from "./workspace.ts";

const signal = new AbortController().signal;

suite("the workspace of code", { skip: (await whyNot("landlock")) ?? false }, () => {
  const folder = mkdtempSync(join(tmpdir(), "durable-assistants-workspace-"));
  const blobs = new DiskBlobs(folder);
  let database: TestDatabase;
  let pool: Pool;
  let sandbox: TestSandbox;
  before(async () => {
    database = await createTestDatabase();
    pool = createPool({ url: database.url, max: 4, name: "test", onError: () => undefined });
    sandbox = await openTestSandbox("landlock");
  });
  after(async () => {
    await sandbox.close();
    await pool.end();
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function begin(files: Record<string, number> = {}): Promise<RunKey & ThreadScope> {
    const run = await makeRun(pool);
    const file_ids: string[] = [];
    for (const [filename, bytes] of Object.entries(files)) {
      const [id, blob] = [newId("file-"), newBlobKey()];
      const about = { filename, purpose: "assistants", content_type: undefined, expires_after_seconds: null };
      const written = await blobs.write(blob, zeros(bytes));
      await insertFile(pool, { id, project_id: run.project_id, blob, ...about, ...written });
      file_ids.push(id);
    }
    await pool.query("update threads set tool_resources = $2 where id = $1", [
      run.thread_id,
      JSON.stringify({ code_interpreter: { file_ids } }),
    ]);
    return run;
  }

  async function newSession(): Promise<HeldSession> {
    const nothing = { isFilled: false, given: new Set<string>(), known: new Map(), begun: undefined, last: undefined };
    return { sandbox: await sandbox.create(), ...nothing };
  }

  /** One call that runs this code. Returns what the model is told. */
  async function call(run: RunKey & ThreadScope, session: HeldSession, code: string): Promise<string[]> {
    const refused = await fillWorkspace({ pool, blobs }, run, session, signal);
    assert.equal((await runCell(session.sandbox, code)).done.status, "ok");
    const { unkept, ...change } = await collectChange({ pool, blobs }, run, session, signal);
    await keepWorkspace(pool, run, change);
    return [...refused, ...unkept];
  }

  const namesOf = async (run: ThreadScope) => (await readWrittenFiles(pool, run)).map(({ name }) => name);

  test("what code writes, changes and removes is kept so, and what was given and not touched is not kept twice", async () => {
    const run = await begin({ "given.txt": 3, "other.txt": 4 });
    const session = await newSession();
    await call(run, session, "import os; os.makedirs('a/b'); open('a/b/c', 'w').write('1'); open('d', 'w').write('2')");
    assert.deepEqual(await namesOf(run), ["a/b/c", "d"]);
    await call(run, session, "os.remove('d'); open('given.txt', 'w').write('changed')");
    assert.deepEqual(await namesOf(run), ["a/b/c", "given.txt"]);
    const next = await newSession();
    await call(
      run,
      next,
      "assert open('a/b/c').read() + open('given.txt').read() == '1changed' and not __import__('os').path.exists('d')",
    );
    assert.deepEqual(await namesOf(run), ["a/b/c", "given.txt"]);
  });

  test("a file without room is told of, and none of the others is lost for it", async () => {
    const run = await begin();
    await call(
      run,
      await newSession(),
      `open('large', 'wb').write(bytes(${SMALL.diskBytes / 2})); open('x', 'w').write('x')`,
    );
    const more = await begin({ "given.bin": SMALL.diskBytes + 1 });
    await pool.query(
      "update threads t set tool_resources = o.tool_resources from threads o where t.id = $1 and o.id = $2",
      [run.thread_id, more.thread_id],
    );
    await pool.query("update files set project_id = $1 where project_id = $2", [run.project_id, more.project_id]);
    const told = await call(run, await newSession(), "assert open('x').read() == 'x'");
    assert.match(told.join(), /no room for these files.*"given.bin"/);
    assert.deepEqual(await namesOf(run), ["large", "x"]);
  });
});

async function* zeros(bytes: number): AsyncGenerator<Uint8Array> {
  for (let left = bytes; left > 0; left -= 1_000_000) yield Buffer.alloc(Math.min(left, 1_000_000));
}
