import assert from "node:assert/strict";
import { test } from "node:test";
import { waitUntil } from "../test/support/wait-until.ts";
import { startProcess } from "./managed-process.ts";
import { isRunning } from "./process-info.ts";
import { supervise } from "./supervise.ts";

const NAP = "sleep 200";
const startNap = () =>
  startProcess({
    command: "/bin/sh",
    args: ["-c", `${NAP} # a nap`],
    env: {},
    log: { path: "", write: () => undefined, newestLines: () => [] },
    stopSignal: "SIGTERM",
    stopTimeoutMs: 1000,
  });

test("a part that dies is started again, and stays down once it was stopped", async () => {
  const pids: number[] = [];
  const said: string[] = [];
  const supervised = await supervise({
    part: "The nap",
    start: startNap,
    say: (line) => said.push(line),
    onStarted: ({ pid }) => pids.push(pid),
  });
  supervised.first.kill();
  const second = await waitUntil("it is started again", () => pids[1]);
  assert.ok(isRunning(second, NAP));
  assert.match(said[0] ?? "", /The nap was ended by SIGKILL/);
  await supervised.stop();
  assert.ok(!isRunning(second, NAP));
  assert.equal(pids.length, 2);
});

test("a start again that fails is tried until it works", async () => {
  let failures = 1;
  const pids: number[] = [];
  const supervised = await supervise({
    part: "The nap",
    start: async () => {
      if (pids.length > 0 && failures-- > 0) throw new Error("not yet");
      return startNap();
    },
    say: () => undefined,
    onStarted: ({ pid }) => pids.push(pid),
  });
  supervised.first.kill();
  await waitUntil("it is started again", () => pids[1]);
  assert.equal(failures, -1);
  await supervised.stop();
});

test("a first start that fails is the caller's error", async () => {
  const start = () => Promise.reject(new Error("no such program"));
  await assert.rejects(supervise({ part: "The nap", start, say: () => undefined }), /no such program/);
});
