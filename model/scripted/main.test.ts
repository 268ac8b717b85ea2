import assert from "node:assert/strict";
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterEach, test } from "node:test";

const DEADLINE_MS = 10_000;
let child: ChildProcess;

afterEach(() => void child.kill("SIGKILL"));

/** Starts the process and resolves with its first line. */
async function start(): Promise<{ msg: string; url: string }> {
  const env = { EMBEDDED_MODEL_PORT: "0", HOST: "127.0.0.1" };
  child = fork(new URL("./main.ts", import.meta.url), { env, silent: true });
  assert.ok(child.stdout);
  const [line] = (await once(createInterface(child.stdout), "line", { signal: AbortSignal.timeout(DEADLINE_MS) })) as [
    string,
  ];
  return JSON.parse(line) as { msg: string; url: string };
}

async function exitCode(): Promise<unknown> {
  const [code] = (await once(child, "exit", { signal: AbortSignal.timeout(DEADLINE_MS) })) as unknown[];
  return code;
}

test("the process says where it listens, serves there, and ends well on SIGTERM", async () => {
  const { msg, url } = await start();
  assert.equal(msg, "scripted model listening");
  const response = await fetch(`${url}/models`, { headers: { authorization: "Bearer x" } });
  assert.equal(response.status, 200);
  const exited = exitCode();
  child.kill("SIGTERM");
  assert.equal(await exited, 0);
});

test("the process ends when its parent goes away", async () => {
  await start();
  const exited = exitCode();
  child.disconnect();
  assert.equal(await exited, 0);
});
