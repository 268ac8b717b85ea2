import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeDocumentFolder, removeLeftFolders } from "./temporary-folders.ts";

test("folders of processes that are gone are removed, and old ones, and nobody else's", async (t) => {
  const base = mkdtempSync(join(tmpdir(), "folders-"));
  t.after(() => rmSync(base, { recursive: true }));
  const nameOf = (host: string, pid: number | undefined, end: string) =>
    `durable-assistants-document-${host}-${pid}-${end}`;
  const gone = spawnSync("true").pid;
  const left = [
    nameOf(hostname(), gone, "aaaaaa"),
    nameOf(hostname(), process.pid, "bbbbbb"),
    nameOf("other", 1, "old"),
    "durable-assistants-parser-old",
  ];
  const kept = [
    nameOf(hostname(), process.ppid, "cccccc"),
    nameOf("other", gone, "dddddd"),
    "durable-assistants-parser-eeeeee",
    "durable-assistants-stack-old",
    "something",
  ];
  for (const name of [...left, ...kept]) mkdirSync(join(base, name, "deep"), { recursive: true });
  const longAgo = new Date(Date.now() - 3 * 3_600_000);
  for (const name of [...left, ...kept].filter((each) => each.endsWith("old")))
    utimesSync(join(base, name), longAgo, longAgo);
  const own = await makeDocumentFolder(base); // as one of an earlier process with this number
  assert.ok(own.startsWith(join(base, nameOf(hostname(), process.pid, ""))), own);
  assert.equal(await removeLeftFolders(base), left.length + 1);
  assert.deepEqual(readdirSync(base).toSorted(), kept.toSorted());
});
