// Checks 3 and 4: runs that wait for outputs, and the lock that they keep on their thread.
import assert from "node:assert/strict";
import type { Run } from "openai/resources/beta/threads/runs/runs";
import { calls } from "../../support/scripts.ts";
import { waitUntil } from "../../support/wait-until.ts";
import { messagesLocked, OUTPUTS_TOO_LATE, outputsExpected, runsLocked } from "../expected.ts";
import { QUICK } from "./client.ts";
import type { Sdk, ToolOutput } from "./client.ts";
import { startConversation } from "./conversation.ts";
import { refusalOf } from "./refusal.ts";

const DONE = { text: "Both are found." };

function outputsOf(run: Run): (ToolOutput & { tool_call_id: string })[] {
  const found = run.required_action?.submit_tool_outputs.tool_calls ?? [];
  return found.map(({ id, function: call }) => ({ tool_call_id: id, output: `found ${call.arguments}` }));
}

export async function checkFunctions(sdk: Sdk): Promise<void> {
  await checkPolledFunctions(sdk);
  await checkStreamedFunctions(sdk);
  await checkLateOutputs(sdk);
}

async function checkPolledFunctions(sdk: Sdk): Promise<void> {
  const { assistant_id, thread_id } = await startConversation(sdk, [calls("a", "b"), DONE]);
  const waiting = await sdk.client.beta.threads.runs.createAndPoll(thread_id, { assistant_id }, QUICK);
  checkWaiting(waiting);
  const outputs = outputsOf(waiting);
  const [first = "", second = ""] = outputs.map((output) => output.tool_call_id);
  assert.deepEqual(
    await refusalOf(sdk.submit(waiting, outputs.slice(0, 1)), sdk.OpenAI.BadRequestError),
    outputsExpected([first, second], [first]),
  );
  const done = await sdk.submitAndPoll(waiting, outputs);
  assert.equal(done.status, "completed");
  assert.equal(done.required_action, null);
  const [step, ...others] = await sdk.steps(done);
  assert.partialDeepStrictEqual(step, {
    status: "completed",
    step_details: { type: "tool_calls", tool_calls: outputs.map(({ output }) => ({ function: { output } })) },
  });
  assert.deepEqual(
    others.map(({ type }) => type),
    ["message_creation"],
  );
}

async function checkStreamedFunctions(sdk: Sdk): Promise<void> {
  const { assistant_id, thread_id } = await startConversation(sdk, [calls("a", "b"), DONE]);
  const begun: string[] = [];
  const first = sdk.client.beta.threads.runs.stream(thread_id, { assistant_id });
  first.on("toolCallCreated", (call) => begun.push(call.type === "function" ? call.function.name : call.type));
  const waiting = await first.finalRun();
  checkWaiting(waiting);
  assert.deepEqual(begun, sdk.tellsEveryCall ? ["lookup", "lookup"] : ["lookup"]);

  let text = "";
  const second = sdk.submitStream(waiting, outputsOf(waiting));
  second.on("textDelta", ({ value }) => (text += value ?? ""));
  assert.equal((await second.finalRun()).status, "completed");
  assert.equal(text, DONE.text);
}

function checkWaiting(run: Run): void {
  assert.equal(run.status, "requires_action");
  assert.deepEqual(
    run.required_action?.submit_tool_outputs.tool_calls.map(({ function: call }) => call),
    ["a", "b"].map((q) => ({ name: "lookup", arguments: JSON.stringify({ q }) })),
  );
}

async function checkLateOutputs(sdk: Sdk): Promise<void> {
  const { assistant_id, thread_id } = await startConversation(sdk, [calls("a"), DONE]);
  const body = { assistant_id, expires_after_seconds: 4 };
  const run = await sdk.client.beta.threads.runs.createAndPoll(thread_id, body, QUICK);
  await waitUntil("the run has expired", async () => (await sdk.retrieve(run)).status === "expired");
  assert.deepEqual(await refusalOf(sdk.submit(run, outputsOf(run)), sdk.OpenAI.BadRequestError), OUTPUTS_TOO_LATE);
}

export async function checkLock(sdk: Sdk): Promise<void> {
  const { runs, messages } = sdk.client.beta.threads;
  const { BadRequestError } = sdk.OpenAI;
  const { assistant_id, thread_id } = await startConversation(sdk, [calls("a")]);
  const run = await runs.createAndPoll(thread_id, { assistant_id }, QUICK);
  const add = () => messages.create(thread_id, { role: "user", content: "And this." });
  assert.deepEqual(await refusalOf(add(), BadRequestError), messagesLocked(run));
  assert.deepEqual(await refusalOf(runs.create(thread_id, { assistant_id }), BadRequestError), runsLocked(run));
  await sdk.cancel(run);
  await waitUntil("the run is cancelled", async () => (await sdk.retrieve(run)).status === "cancelled");
  assert.equal((await add()).role, "user");
}
