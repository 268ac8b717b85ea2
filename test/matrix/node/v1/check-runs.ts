// Checks 1, 3, 4 and 12 through version 1: runs from their beginning to each kind of end.
import assert from "node:assert/strict";
import OpenAI from "openai-v4-20";
import type { Run } from "openai-v4-20/resources/beta/threads/runs/runs";
import { calls, scripted } from "../../../support/scripts.ts";
import { waitUntil } from "../../../support/wait-until.ts";
import { messagesLocked, OUTPUTS_TOO_LATE, outputsExpected, runsLocked } from "../../expected.ts";
import { checkV1Run, V1_MODEL } from "../../versions.ts";
import { refusalOf } from "../refusal.ts";
import { createAndPoll, park, poll, startConversation, textOf } from "./client.ts";
import type { Sdk } from "./client.ts";

const SAID = "The quick brown fox jumps over the lazy dog: 你好, 🦊.";
const LONG = { text: "word ".repeat(1000) };
const { BadRequestError } = OpenAI;

/** This generation cannot ask for the messages of a run. */
export async function checkQuickstart(sdk: Sdk): Promise<void> {
  const { assistants, threads } = sdk.client.beta;
  const assistant = await assistants.create({ model: V1_MODEL, name: "Matrix", instructions: "You are brief." });
  const thread = await threads.create();
  await threads.messages.create(thread.id, { role: "user", content: scripted([{ text: SAID }]) });
  const run = await createAndPoll(sdk, thread.id, { assistant_id: assistant.id });
  assert.equal(run.status, "completed");
  checkV1Run(run);
  const [answer, question, ...others] = (await threads.messages.list(thread.id)).data;
  assert.equal(textOf(answer), SAID);
  assert.partialDeepStrictEqual(answer, { role: "assistant", assistant_id: assistant.id, run_id: run.id });
  assert.equal(question?.role, "user");
  assert.equal(others.length, 0);
}

function outputsOf(run: Run): { tool_call_id: string; output: string }[] {
  const found = run.required_action?.submit_tool_outputs.tool_calls ?? [];
  return found.map(({ id, function: call }) => ({ tool_call_id: id, output: `found ${call.arguments}` }));
}

export async function checkFunctions(sdk: Sdk): Promise<void> {
  const { runs, messages } = sdk.client.beta.threads;
  const { assistant_id, thread_id } = await startConversation(sdk, [calls("a", "b"), { text: SAID }]);
  const waiting = await createAndPoll(sdk, thread_id, { assistant_id });
  assert.equal(waiting.status, "requires_action");
  const outputs = outputsOf(waiting);
  const [first = "", second = ""] = outputs.map((output) => output.tool_call_id);
  const partial = runs.submitToolOutputs(thread_id, waiting.id, { tool_outputs: outputs.slice(0, 1) });
  assert.deepEqual(await refusalOf(partial, BadRequestError), outputsExpected([first, second], [first]));

  const done = await poll(sdk, await runs.submitToolOutputs(thread_id, waiting.id, { tool_outputs: outputs }));
  assert.equal(done.status, "completed");
  const steps = (await runs.steps.list(thread_id, done.id, { order: "asc" })).data;
  assert.deepEqual(
    steps.map(({ type, status }) => [type, status]),
    [
      ["tool_calls", "completed"],
      ["message_creation", "completed"],
    ],
  );
  assert.equal(textOf((await messages.list(thread_id)).data[0]), SAID);
  await checkLateOutputs(sdk);
}

async function checkLateOutputs(sdk: Sdk): Promise<void> {
  const { runs } = sdk.client.beta.threads;
  const { assistant_id, thread_id } = await startConversation(sdk, [calls("a")]);
  const body = { assistant_id, expires_after_seconds: 4 };
  const run = await createAndPoll(sdk, thread_id, body);
  await waitUntil("the run has expired", async () => (await runs.retrieve(thread_id, run.id)).status === "expired");
  const late = runs.submitToolOutputs(thread_id, run.id, { tool_outputs: outputsOf(run) });
  assert.deepEqual(await refusalOf(late, BadRequestError), OUTPUTS_TOO_LATE);
}

export async function checkLock(sdk: Sdk): Promise<void> {
  const { runs, messages } = sdk.client.beta.threads;
  const { assistant_id, run } = await park(sdk);
  const { thread_id } = run;
  const add = () => messages.create(thread_id, { role: "user", content: "And this." });
  assert.deepEqual(await refusalOf(add(), BadRequestError), messagesLocked(run));
  assert.deepEqual(await refusalOf(runs.create(thread_id, { assistant_id }), BadRequestError), runsLocked(run));
  assert.equal((await poll(sdk, await runs.cancel(thread_id, run.id))).status, "cancelled");
  assert.equal((await add()).role, "user");
}

/** Version 1 has no status `incomplete`: pollers of its time would never come to an end. */
export async function checkIncomplete(sdk: Sdk): Promise<void> {
  const { assistant_id, thread_id } = await startConversation(sdk, [LONG]);
  const body = { assistant_id, max_completion_tokens: 256 };
  const run = await createAndPoll(sdk, thread_id, body);
  assert.equal(run.status, "completed");
  assert.partialDeepStrictEqual(run, { incomplete_details: { reason: "max_completion_tokens" } });
  const text = textOf((await sdk.client.beta.threads.messages.list(thread_id)).data[0]);
  assert.ok(LONG.text.startsWith(text) && text !== "");
}
