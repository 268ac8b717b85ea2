// Everything is killed at once, as by a power cut, and started again on the same data folder.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import OpenAI from "openai";
import type { Run } from "openai/resources/beta/threads/runs/runs";
import { createLauncher, STOP_MS } from "../support/launch.ts";
import { calls, lookup, scripted } from "../support/scripts.ts";
import type { ScriptedTurn } from "../support/scripts.ts";
import { waitUntil } from "../support/wait-until.ts";

const dataDir = mkdtempSync(join(tmpdir(), "power-cut-"));
after(() => rmSync(dataDir, { recursive: true, force: true }));

const { launchUntilReady, keptKey, runningParts, stillRunning } = createLauncher(dataDir);

const slow: ScriptedTurn = { text: "word ".repeat(100), chunk_ms: 20 };

test("a power cut loses no accepted run: each ends, with one answer", { timeout: 240_000 }, async () => {
  const first = await launchUntilReady();
  const before = new OpenAI({ baseURL: first.baseURL, apiKey: keptKey(), maxRetries: 0 });
  const assistant = await before.beta.assistants.create({ model: "gpt-4o", tools: [lookup] });
  const create = (client: OpenAI, turns: ScriptedTurn[]) =>
    client.beta.threads.createAndRun({
      assistant_id: assistant.id,
      thread: { messages: [{ role: "user", content: scripted(turns) }] },
    });
  const retrieve = (client: OpenAI, run: Run) =>
    client.beta.threads.runs.retrieve(run.id, { thread_id: run.thread_id });

  const speaking = await create(before, [slow]);
  const waiting = await create(before, [calls("a", "b"), { text: "done" }]);
  const finished = await create(before, [{ text: "done" }]);
  await waitUntil("one run speaks", async () => (await retrieve(before, speaking)).status === "in_progress");
  await waitUntil("one run waits", async () => (await retrieve(before, waiting)).status === "requires_action");
  await waitUntil("one run is done", async () => (await retrieve(before, finished)).status === "completed");
  const accepted = await Promise.all(Array.from({ length: 10 }, () => create(before, [{ text: "done" }])));

  const parts = runningParts();
  for (const pid of [first.child.pid, ...Object.values(parts)]) process.kill(pid as number, "SIGKILL");
  await waitUntil("nothing is left", () => stillRunning(parts).length === 0, STOP_MS);

  const second = await launchUntilReady();
  const now = new OpenAI({ baseURL: second.baseURL, apiKey: keptKey(), maxRetries: 5 });
  const pending = (await retrieve(now, waiting)).required_action?.submit_tool_outputs.tool_calls ?? [];
  assert.equal(pending.length, 2, "the run still waits for both outputs");
  await now.beta.threads.runs.submitToolOutputs(waiting.id, {
    thread_id: waiting.thread_id,
    tool_outputs: pending.map((call) => ({ tool_call_id: call.id, output: "found" })),
  });
  for (const run of [speaking, waiting, finished, ...accepted]) {
    await waitUntil(`${run.id} is completed`, async () => (await retrieve(now, run)).status === "completed", 60_000);
    const answers = await now.beta.threads.messages.list(run.thread_id, { run_id: run.id });
    const expected = run === speaking ? slow["text"] : "done";
    assert.deepEqual(
      answers.data.map((message) => message.content.map((part) => (part.type === "text" ? part.text.value : part))),
      [[expected]],
    );
  }
  assert.equal(await second.stop("SIGTERM"), 0);
});
