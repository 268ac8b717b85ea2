// Checks 1, 2, 3, 4 and 12: runs from their beginning to each kind of end.
import assert from "node:assert/strict";
import { calls, scripted } from "../../support/scripts.ts";
import { textOf as streamedText } from "../../support/sse.ts";
import type { SentEvent } from "../../support/sse.ts";
import { messagesLocked, OUTPUTS_TOO_LATE, outputsExpected, runsLocked } from "../expected.ts";
import type { Server } from "../program.ts";
import { waitUntil } from "../../support/wait-until.ts";
import { curlJson } from "./curl.ts";
import { createAndPoll, outputsOf, poll, post, startConversation, streamOf, textOf } from "./objects.ts";
import type { List, Message, Run } from "./objects.ts";
import { refusalOf } from "./refusal.ts";

const SAID = "The quick brown fox jumps over the lazy dog: 你好, 🦊.";
const LONG = { text: "word ".repeat(1000) };

const messagesOf = (server: Server, thread_id: string, query = "") =>
  curlJson<List<Message>>(server, `/threads/${thread_id}/messages${query}`);

export async function checkQuickstart(server: Server): Promise<void> {
  const body = { model: "gpt-4o", name: "Matrix", instructions: "You are brief." };
  const { id: assistant_id } = await curlJson<{ id: string }>(server, "/assistants", post(body));
  const { id: thread_id } = await curlJson<{ id: string }>(server, "/threads", { method: "POST" });
  const question = { role: "user", content: scripted([{ text: SAID }]) };
  await curlJson(server, `/threads/${thread_id}/messages`, post(question));
  const run = await createAndPoll(server, thread_id, { assistant_id });
  assert.equal(run.status, "completed");
  const { data } = await messagesOf(server, thread_id, `?run_id=${run.id}`);
  assert.deepEqual(data.map(textOf), [SAID]);
  assert.partialDeepStrictEqual(data[0], { role: "assistant", assistant_id, run_id: run.id });
}

export async function checkStreams(server: Server): Promise<void> {
  const { assistant_id, thread_id } = await startConversation(server, [{ text: SAID }]);
  const thread = { messages: [{ role: "user", content: scripted([{ text: SAID }]) }] };
  const first = await streamOf(server, `/threads/${thread_id}/runs`, { assistant_id, stream: true });
  const second = await streamOf(server, "/threads/runs", { assistant_id, thread, stream: true });
  for (const events of [first, second]) {
    const message = events.find(({ event }) => event === "thread.message.completed")?.data as Message | undefined;
    assert.equal(textOf(message), SAID);
    assert.equal(streamedText(events, message?.id ?? ""), SAID);
    checkEnd(events, "thread.run.completed");
  }
}

function checkEnd(events: readonly SentEvent[], last: string): void {
  const ends = events.slice(-2).map(({ event }) => event);
  assert.deepEqual(ends, [last, "done"]);
}

export async function checkFunctions(server: Server): Promise<void> {
  const { assistant_id, thread_id } = await startConversation(server, [calls("a", "b"), { text: SAID }]);
  const waiting = await createAndPoll(server, thread_id, { assistant_id });
  assert.equal(waiting.status, "requires_action");
  const tool_outputs = outputsOf(waiting);
  const path = `/threads/${thread_id}/runs/${waiting.id}/submit_tool_outputs`;
  const [first = "", second = ""] = tool_outputs.map((output) => output.tool_call_id);
  const partial = post({ tool_outputs: tool_outputs.slice(0, 1) });
  assert.deepEqual(await refusalOf(server, path, partial), outputsExpected([first, second], [first]));
  const done = await poll(server, await curlJson<Run>(server, path, post({ tool_outputs })));
  assert.equal(done.status, "completed");
  await checkStreamedFunctions(server);
  await checkLateOutputs(server);
}

async function checkStreamedFunctions(server: Server): Promise<void> {
  const { assistant_id, thread_id } = await startConversation(server, [calls("a", "b"), { text: SAID }]);
  const asked = await streamOf(server, `/threads/${thread_id}/runs`, { assistant_id, stream: true });
  checkEnd(asked, "thread.run.requires_action");
  const waiting = asked.at(-2)?.data as Run;
  const path = `/threads/${thread_id}/runs/${waiting.id}/submit_tool_outputs`;
  const answered = await streamOf(server, path, { tool_outputs: outputsOf(waiting), stream: true });
  assert.equal(answered[0]?.event, "thread.run.step.completed");
  checkEnd(answered, "thread.run.completed");
}

async function checkLateOutputs(server: Server): Promise<void> {
  const { assistant_id, thread_id } = await startConversation(server, [calls("a")]);
  const run = await createAndPoll(server, thread_id, { assistant_id, expires_after_seconds: 4 });
  const path = `/threads/${thread_id}/runs/${run.id}`;
  await waitUntil("the run has expired", async () => (await curlJson<Run>(server, path)).status === "expired");
  const late = await refusalOf(server, `${path}/submit_tool_outputs`, post({ tool_outputs: outputsOf(run) }));
  assert.deepEqual(late, OUTPUTS_TOO_LATE);
}

export async function checkLock(server: Server): Promise<void> {
  const { assistant_id, thread_id } = await startConversation(server, [calls("a")]);
  const run = await createAndPoll(server, thread_id, { assistant_id });
  const [runs, messages] = [`/threads/${thread_id}/runs`, `/threads/${thread_id}/messages`];
  const message = post({ role: "user", content: "And this." });
  assert.deepEqual(await refusalOf(server, messages, message), messagesLocked(run));
  assert.deepEqual(await refusalOf(server, runs, post({ assistant_id })), runsLocked(run));
  const cancelled = await curlJson<Run>(server, `${runs}/${run.id}/cancel`, { method: "POST" });
  assert.equal((await poll(server, cancelled)).status, "cancelled");
  assert.equal((await curlJson<Message>(server, messages, message)).role, "user");
}

export async function checkIncomplete(server: Server): Promise<void> {
  const { assistant_id, thread_id } = await startConversation(server, [LONG]);
  const run = await createAndPoll(server, thread_id, { assistant_id, max_completion_tokens: 256 });
  assert.partialDeepStrictEqual(run, {
    status: "incomplete",
    incomplete_details: { reason: "max_completion_tokens" },
    completed_at: null,
  });
  const [message] = (await messagesOf(server, thread_id)).data;
  assert.partialDeepStrictEqual(message, { status: "incomplete", incomplete_details: { reason: "max_tokens" } });
  assert.ok(LONG.text.startsWith(textOf(message)) && textOf(message) !== "");
}
