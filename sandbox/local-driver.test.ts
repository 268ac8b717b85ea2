// The lives of sessions: how many there are, when they end, and that nothing is left of them, however they or the server end.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { openTestSandbox, output, processesOf, run, SMALL, untilGone, whyNot } from "../test/support/sandbox.ts";
import type { TestSandbox } from "../test/support/sandbox.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import type { LocalIsolation } from "./driver.ts";
import { LocalDriver } from "./local-driver.ts";

let lacksLandlock: string | false = false;
for (const isolation of ["namespaces", "landlock"] satisfies LocalIsolation[]) {
  const missing = await whyNot(isolation);
  if (isolation === "landlock") lacksLandlock = missing ?? false;
  suite(isolation, { skip: missing ?? false }, () => drivers(isolation));
}

function drivers(isolation: LocalIsolation): void {
  let sandbox: TestSandbox;
  before(async () => {
    sandbox = await openTestSandbox(isolation, { maxSessions: 2 });
  });
  after(() => sandbox?.close());

  test("the trial says which walls there are", async () => {
    assert.deepEqual(await sandbox.driver.probe(), { ok: true, isolation });
  });

  test("a session is found by its id while it lives", async () => {
    const session = await sandbox.create();
    assert.equal(sandbox.driver.find(session.id), session);
    await assert.rejects(sandbox.driver.create({ sessionId: session.id, limits: SMALL }), /There is a session/);
    await session.destroy();
    await session.destroy();
    assert.equal(session.loss, "killed");
    assert.equal(sandbox.driver.find(session.id), undefined);
    await assert.rejects(session.exec("1", { timeoutMs: 1000 }).next(), { name: "SessionLost", loss: "killed" });
    await assert.rejects(session.listFiles(), { name: "SessionLost" });
  });

  test("for a session too many, the one of the longest rest ends", async () => {
    const first = await sandbox.create();
    const second = await sandbox.create();
    await output(first, "1");
    const third = await sandbox.create();
    assert.deepEqual([first.loss, second.loss, third.loss], [undefined, "killed", undefined]);
    assert.equal(await output(first, "1"), "1\n");
    await Promise.all([first.destroy(), third.destroy()]);
  });

  test("a session at work is never ended for another one", async () => {
    const [first, second] = [await sandbox.create(), await sandbox.create()];
    const working = [first, second].map((session) =>
      run(session, "print('at work', flush=True)\nimport time; time.sleep(1000)", 3000),
    );
    await assert.rejects(sandbox.create(), { name: "SandboxBusy" });
    for (const { done } of await Promise.all(working)) assert.equal(done.status, "timeout");
    await Promise.all([first.destroy(), second.destroy()]);
  });

  test("a session that rests for too long ends, and one that is used does not", async () => {
    const impatient = await openTestSandbox(isolation, { idleMs: 1500 });
    const [used, unused] = [await impatient.create(), await impatient.create()];
    await waitUntil("the unused one ends", async () => {
      assert.equal(await output(used, "1"), "1\n");
      return unused.loss !== undefined;
    });
    assert.deepEqual([unused.loss, used.loss], ["killed", undefined]);
    await impatient.close();
  });

  test("all but those that are to be kept can be ended", async () => {
    const [kept, other] = [await sandbox.create(), await sandbox.create()];
    assert.equal(await sandbox.driver.reap(new Set([kept.id])), 1);
    assert.deepEqual([kept.loss, other.loss], [undefined, "killed"]);
    await kept.destroy();
  });

  test("a session that is killed while it works loses its cell, and nothing is left of it", async () => {
    const session = await sandbox.create();
    const before = await processesOf(sandbox.folder);
    const cell = session.exec("print('at work', flush=True)\nwhile True: pass", { timeoutMs: 60_000 });
    await cell.next();
    await session.destroy();
    const { value } = await cell.next();
    assert.deepEqual(value, { type: "done", status: "lost", loss: "killed", droppedBytes: 0 });
    await cell.return();
    assert.equal((await processesOf(sandbox.folder)).length, before.length - 1);
  });

  test("when the process that forks them dies, sessions are lost, and new ones are made by another", async () => {
    const session = await sandbox.create();
    const pids = await processesOf(sandbox.folder);
    for (const pid of pids) process.kill(pid, "SIGKILL");
    const { done } = await run(session, "1").catch(() => ({ done: { status: "lost" } }));
    assert.equal(done.status, "lost");
    await untilGone(pids);
    await waitUntil("the loss is known", () => session.loss !== undefined);
    const next = await waitUntil("there is another", () => sandbox.create().catch(() => undefined), 60_000);
    assert.equal(await output(next, "1"), "1\n");
    await next.destroy();
  });

  test("closing leaves no process and no file", async () => {
    const other = await openTestSandbox(isolation);
    await output(await other.create(), "open('/mnt/data/a', 'w').close()");
    const pids = await processesOf(other.folder);
    assert.ok(pids.length >= 2);
    await other.driver.close();
    await untilGone(pids);
    assert.deepEqual(
      (await readdir(other.folder)).filter((name) => name.startsWith("driver-")),
      [],
    );
    await other.close();
  });

  test("when the server is killed, all its processes die, and the next driver removes what they leave", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sandbox-crash-"));
    const other = await openTestSandbox(isolation);
    const python = join(other.folder, "..", "python");
    const program = `
      import { LocalDriver } from ${JSON.stringify(join(import.meta.dirname, "local-driver.ts"))};
      const options = { findPython: async () => ${JSON.stringify(python)}, folder: ${JSON.stringify(join(folder, "sessions"))}, maxSessions: 4, isolations: [${JSON.stringify(isolation)}] };
      const driver = new LocalDriver(options);
      const limits = ${JSON.stringify(SMALL)};
      const resting = await driver.create({ sessionId: "resting", limits });
      const session = await driver.create({ sessionId: "working", limits });
      const code = "import signal\\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\\nopen('/mnt/data/a', 'w').close()\\nprint('working', flush=True)\\nwhile True: pass";
      for await (const event of session.exec(code, { timeoutMs: 600_000 })) console.log(event.text);`;
    const server = spawn(process.execPath, ["--input-type=module-typescript", "--eval", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(server.stdout, "data");
    const pids = await processesOf(join(folder, "sessions"));
    assert.ok(pids.length >= 3, `${pids.length}`);
    server.kill("SIGKILL");
    await untilGone(pids);
    const early = join(folder, "sessions", "driver-early"); // as of one that was killed before it had claimed it
    await mkdir(early);
    await utimes(early, 0, 0);
    const left = await readdir(join(folder, "sessions"));
    assert.ok(
      left.some((name) => name.startsWith("driver-")),
      "it had no time to remove anything",
    );
    const next = new LocalDriver({
      findPython: async () => python,
      folder: join(folder, "sessions"),
      maxSessions: 1,
      isolations: [isolation],
    });
    assert.equal((await next.probe()).ok, true);
    const now = await readdir(join(folder, "sessions"));
    assert.deepEqual(
      now.filter((name) => left.includes(name)),
      left.filter((name) => name === "cache"),
    );
    await next.close();
    await other.close();
    await rm(folder, { recursive: true, force: true });
  });
}

suite("where the walls are missing", { skip: process.platform !== "linux" && "Linux only" }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sandbox-missing-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const driverWith = (python: string) =>
    new LocalDriver({ findPython: async () => python, folder: join(folder, "sessions"), maxSessions: 1 });

  test("without a Python that starts, no code is run, and it says why", async () => {
    const driver = driverWith("/nonexistent/python");
    const probe = await driver.probe();
    assert.match(probe.ok ? "" : probe.missing.join(), /Python cannot be started/);
    await assert.rejects(driver.create({ sessionId: "a", limits: SMALL }), { name: "SandboxUnavailable" });
    await driver.close();
  });

  test("a jail with a hole is not used", async () => {
    const python = await alteredPython(folder, "seccomp.restrict = lambda: None");
    const probe = await driverWith(python).probe();
    // Whoever could have itself traced may have been stopped by that before it has told all.
    const found = /code could get at what it should not: .*make a socket|did not come to its end/;
    assert.match(probe.ok ? "" : probe.missing.join(), found);
  });

  test("Landlock does alone where namespaces are not to be had", { skip: lacksLandlock }, async () => {
    const python = await alteredPython(folder, REFUSE_NAMESPACES);
    const driver = driverWith(python);
    assert.deepEqual(await driver.probe(), { ok: true, isolation: "landlock" });
    assert.equal(await output(await driver.create({ sessionId: "a", limits: SMALL }), "1 + 1"), "2\n");
    await driver.close();
  });

  test("without both no code is run", async () => {
    const python = await alteredPython(folder, `${REFUSE_NAMESPACES}\nlandlock.version = lambda: 0`);
    const probe = await driverWith(python).probe();
    assert.match(
      probe.ok ? "" : probe.missing.join(),
      /namespaces: .*Operation not permitted.*this kernel has no Landlock/,
    );
  });

  test("a folder for sessions that belongs to somebody else is not used", async () => {
    await mkdir(join(folder, "open"), { mode: 0o777 });
    await chmod(join(folder, "open"), 0o777);
    const python = await alteredPython(folder, "");
    const driver = new LocalDriver({ findPython: async () => python, folder: join(folder, "open"), maxSessions: 1 });
    const probe = await driver.probe();
    assert.match(probe.ok ? "" : probe.missing.join(), /belongs to somebody else/);
  });
});

const REFUSE_NAMESPACES = `
def refuse(flags):
    raise PermissionError(1, "Operation not permitted")
libc.unshare = refuse`;

/** A Python in which parts of the runner are replaced before it begins. */
async function alteredPython(folder: string, change: string): Promise<string> {
  const own = await mkdtemp(join(folder, "python-"));
  const program = `
import os, runpy, sys
sys.argv = sys.argv[1:]
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(sys.argv[0]))))
from runner import landlock, libc, seccomp
${change}
runpy.run_path(sys.argv[0], run_name="__main__")
`;
  await writeFile(join(own, "run.py"), program);
  const script = `#!/bin/sh\nshift 4\nexec python3 -B ${join(own, "run.py")} "$@"\n`;
  await writeFile(join(own, "python"), script, { mode: 0o755 });
  return join(own, "python");
}
