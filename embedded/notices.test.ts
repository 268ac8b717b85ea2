import assert from "node:assert/strict";
import { test } from "node:test";
import { createNotices } from "./notices.ts";

function collect(chunks: string[]): string[] {
  const said: string[] = [];
  const notice = createNotices({ part: "The worker", logPath: "worker.log", say: (line) => said.push(line) });
  for (const chunk of chunks) notice(Buffer.from(chunk));
  return said;
}

test("warnings and errors are said, the rest is not", () => {
  const entries = [
    { level: 30, msg: "fine" },
    { level: 40, msg: "hm" },
    { level: 50, msg: "bad", err: { message: "disk full" } },
  ];
  assert.deepEqual(collect(entries.map((entry) => `${JSON.stringify(entry)}\n`)), [
    "The worker: warning: hm (more in worker.log)",
    "The worker: error: bad: disk full (more in worker.log)",
  ]);
});

test("an entry that arrives in pieces is said once, and text that is no entry never", () => {
  assert.deepEqual(collect(['{"level":50,', '"msg":"bad"}', "\nError: plain text\n{not json}\n"]), [
    "The worker: error: bad (more in worker.log)",
  ]);
});

test("a flood of warnings is cut short", () => {
  const said = collect(['{"level":40,"msg":"again"}\n'.repeat(1000)]);
  assert.equal(said.length, 6);
  assert.match(said.at(-1) ?? "", /worker\.log only/);
});
