import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { waitUntil } from "../test/support/wait-until.ts";
import { openLogFile } from "./log-file.ts";
import { startProcess, untilReady } from "./managed-process.ts";
import type { ProcessOptions } from "./managed-process.ts";
import { isRunning } from "./process-info.ts";

const folder = mkdtempSync(join(tmpdir(), "managed-process-test-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const shell = (script: string): ProcessOptions => ({
  command: "/bin/sh",
  args: ["-c", script],
  env: {},
  log: openLogFile(join(folder, "log")),
  stopSignal: "SIGTERM",
  stopTimeoutMs: 200,
});

test("a process that ignores the signal to stop is killed, and so are its children", async () => {
  const started = await startProcess(shell("trap '' TERM; echo ready; sleep 101 & wait; sleep 102"));
  await started.stop();
  assert.equal((await started.exited).signal, "SIGKILL");
});

test("a process that ends while it is awaited is reported with the end of its log", async () => {
  const options = shell("echo no such thing >&2; exit 7");
  const started = await startProcess(options);
  const never = () => new Promise<void>(() => undefined);
  await assert.rejects(untilReady(started, { part: "The thing", log: options.log, timeoutMs: 10_000, ready: never }), {
    name: "CannotStart",
    message: /^The thing ended with exit code 7 while it was starting\. .*no such thing/s,
  });
});

test("a process that is not ready in time is ended", async () => {
  const options = shell("sleep 103");
  const started = await startProcess(options);
  const never = () => new Promise<void>(() => undefined);
  await assert.rejects(
    untilReady(started, { part: "It", log: options.log, timeoutMs: 50, ready: never }),
    /It was not ready after 0.05 s/,
  );
  assert.equal((await started.exited).signal, "SIGTERM");
});

test("a program that does not exist is an error and not a crash", async () => {
  await assert.rejects(startProcess({ ...shell(""), command: "/no/such/program" }), { code: "ENOENT" });
});

test("a process does not outlive the one that started it, even when that is killed with -9", async (t) => {
  const mark = `sleep 60.0${process.pid}`;
  const program = `
    import { startProcess } from ${JSON.stringify(import.meta.resolve("./managed-process.ts"))};
    const log = { path: "", write() {}, newestLines: () => [] };
    const { pid } = await startProcess({ command: "sleep", args: [process.argv[1].slice(6)], env: process.env, log, stopSignal: "SIGTERM", stopTimeoutMs: 1000 });
    console.log(pid);
    setInterval(() => undefined, 1000);`;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", program, mark], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => parent.kill("SIGKILL"));
  const [output] = (await once(parent.stdout, "data")) as [Buffer];
  const pid = Number(output.toString());
  assert.ok(isRunning(pid, mark));
  parent.kill("SIGKILL");
  await waitUntil("the process has ended", () => !isRunning(pid, mark));
});
