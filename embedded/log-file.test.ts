import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openLogFile } from "./log-file.ts";

const folder = mkdtempSync(join(tmpdir(), "log-file-test-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));

test("the log of the start before is kept beside the new one", () => {
  const path = join(folder, "a.log");
  openLogFile(path).write(Buffer.from("first\n"));
  openLogFile(path).write(Buffer.from("second\n"));
  assert.equal(readFileSync(path, "utf8"), "second\n");
  assert.equal(readFileSync(`${path}.1`, "utf8"), "first\n");
});

test("a log never takes more than two files of limited size", () => {
  const path = join(folder, "b.log");
  const log = openLogFile(path);
  const megabyte = Buffer.alloc(1_000_000, "x\n");
  for (let written = 0; written < 100; written += 1) log.write(megabyte);
  assert.ok(statSync(path).size + statSync(`${path}.1`).size < 45_000_000);
});

test("only the owner can read a log", () => {
  const path = join(folder, "c.log");
  openLogFile(path).write(Buffer.from("x\n"));
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("the newest lines are remembered for the message when the part fails", () => {
  const log = openLogFile(join(folder, "d.log"));
  for (let line = 1; line <= 50; line += 1) log.write(Buffer.from(`line ${line}\n`));
  assert.equal(log.newestLines().at(-1), "line 50");
  assert.ok(log.newestLines().length < 20);
});
