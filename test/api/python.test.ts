// The official Python SDK in the flows of test/api/python: each is a subtest here.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { PROJECT_FOLDER } from "../../embedded/node-child.ts";
import { findPython } from "../support/python-environment.ts";
import { addText, makeStore } from "../support/searchable-files.ts";
import { codeSettings } from "../support/code-settings.ts";
import { startStack } from "../support/stack.ts";

/** A line of the program's output. */
interface Report {
  test: string;
  ok: boolean;
  detail: string;
}

test("the official Python SDK works by changing the base URL", async (t) => {
  const python = await findPython();
  if (python === undefined) return t.skip("this machine has no python3 of version 3.10 or newer");
  const stack = await startStack({ settings: await codeSettings() });
  t.after(() => stack.stop());

  const store = await makeStore(stack);
  await addText(stack, store, { filename: "capitals.txt", text: "The capital of France is Paris." });

  // Nothing is inherited: neither another key nor a proxy. -B leaves no compiled files behind.
  const program = spawn(python, ["-B", join(PROJECT_FOLDER, "test/api/python/main.py")], {
    env: { OPENAI_BASE_URL: stack.baseURL, OPENAI_API_KEY: stack.apiKey, VECTOR_STORE_ID: store },
    stdio: ["ignore", "pipe", "inherit"],
    signal: t.signal,
  });
  const ended = once(program, "exit");
  let reports = 0;
  for await (const line of createInterface({ input: program.stdout })) {
    const { test: name, ok, detail } = JSON.parse(line) as Report;
    reports += 1;
    await t.test(name, () => assert.ok(ok, detail));
  }
  assert.deepEqual(await ended, [0, null], "the program ended before it had tried every flow");
  assert.ok(reports > 0, "the program tried nothing");
});
