// Which driver the settings choose, and that there is none that runs code without walls.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_LIMITS } from "./default-limits.ts";
import { openSandbox } from "./open-sandbox.ts";

test("with none, no code is run, and the reason is told", async () => {
  const sandbox = openSandbox({ CODE_INTERPRETER: "none", CODE_INTERPRETER_MAX_SESSIONS: 1 });
  assert.deepEqual(await sandbox.probe(), { ok: false, missing: ["CODE_INTERPRETER is none"] });
  await assert.rejects(sandbox.create({ sessionId: "a", limits: DEFAULT_LIMITS }), {
    name: "SandboxUnavailable",
    missing: ["CODE_INTERPRETER is none"],
  });
  assert.equal(sandbox.find("a"), undefined);
  assert.equal(await sandbox.reap(new Set()), 0);
  await sandbox.close();
});

test("with a Python that is not there, no code is run either", async () => {
  const sandbox = openSandbox({
    CODE_INTERPRETER: "local",
    CODE_INTERPRETER_PYTHON: "/nonexistent/python",
    CODE_INTERPRETER_MAX_SESSIONS: 1,
  });
  assert.equal((await sandbox.probe()).ok, false);
  await assert.rejects(sandbox.create({ sessionId: "a", limits: DEFAULT_LIMITS }), { name: "SandboxUnavailable" });
  await sandbox.close();
});
