import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { lockFolder } from "./lock.ts";

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "lock-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Another process that takes the lock, records two parts and stays. */
async function startOwner(t: TestContext, folder: string) {
  const program = `
    import { lockFolder } from ${JSON.stringify(import.meta.resolve("./lock.ts"))};
    const lock = lockFolder(process.argv[1]);
    lock.record("Postgres", 11);
    lock.record("Temporal", 22);
    console.log("locked");
    setInterval(() => lock, 1000);`;
  const owner = spawn(process.execPath, ["--input-type=module", "-e", program, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => owner.kill("SIGKILL"));
  await once(owner.stdout, "data");
  return owner;
}

test("a folder that another process works in is refused, with its process id and what to do", async (t) => {
  const folder = temporaryFolder(t);
  const owner = await startOwner(t, folder);
  assert.throws(() => lockFolder(folder), {
    name: "CannotStart",
    message: new RegExp(`process ${owner.pid}.*kill ${owner.pid}.*DATA_DIR`, "s"),
  });
});

test("the lock of a process that was killed is free, and tells what that process left behind", async (t) => {
  const folder = temporaryFolder(t);
  const owner = await startOwner(t, folder);
  owner.kill("SIGKILL");
  await once(owner, "exit");
  const lock = lockFolder(folder);
  assert.deepEqual(lock.leftBehind, { Postgres: 11, Temporal: 22 });
  lock.release();
});

test("nothing is left behind after the lock was given back", (t) => {
  const folder = temporaryFolder(t);
  const first = lockFolder(folder);
  first.record("Postgres", 11);
  first.release();
  const second = lockFolder(folder);
  assert.deepEqual(second.leftBehind, {});
  second.release();
});
