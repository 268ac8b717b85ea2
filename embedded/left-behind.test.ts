import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { endLeftBehind } from "./left-behind.ts";

test("what names the data folder is ended, and a stranger that only inherited the number is left alone", async (t) => {
  const ours = spawn("sleep", ["301.5"], { detached: true, stdio: "ignore" });
  const stranger = spawn("sleep", ["302"], { detached: true, stdio: "ignore" });
  t.after(() => stranger.kill());
  await Promise.all([once(ours, "spawn"), once(stranger, "spawn")]);
  const said: string[] = [];
  const exited = once(ours, "exit");
  await endLeftBehind({ Temporal: ours.pid as number, worker: stranger.pid as number }, "301.5", (line) =>
    said.push(line),
  );
  await exited;
  assert.equal(stranger.exitCode ?? stranger.signalCode, null);
  assert.match(said.join(), new RegExp(`Temporal \\(process ${ours.pid}\\)`));
});
