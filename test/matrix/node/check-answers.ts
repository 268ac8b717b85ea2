// Checks 1, 2 and 12: answers, polled and streamed, whole and cut off.
import assert from "node:assert/strict";
import type { AssistantStream } from "openai/lib/AssistantStream";
import type { Message } from "openai/resources/beta/threads/messages";
import { scripted } from "../../support/scripts.ts";
import { QUICK } from "./client.ts";
import type { Sdk } from "./client.ts";
import { startConversation } from "./conversation.ts";

const SAID = "The quick brown fox jumps over the lazy dog: 你好, 🦊.";
const LONG = { text: "word ".repeat(1000) };

/** With the server's own word on how often to poll. */
export async function checkQuickstart({ client }: Sdk): Promise<void> {
  const { assistants, threads } = client.beta;
  const assistant = await assistants.create({ model: "gpt-4o", name: "Matrix", instructions: "You are brief." });
  const thread = await threads.create();
  await threads.messages.create(thread.id, { role: "user", content: scripted([{ text: SAID }]) });
  const run = await threads.runs.createAndPoll(thread.id, { assistant_id: assistant.id });
  assert.equal(run.status, "completed");
  const { data } = await threads.messages.list(thread.id, { run_id: run.id });
  assert.deepEqual(data.map(textOf), [SAID]);
  assert.partialDeepStrictEqual(data[0], { role: "assistant", assistant_id: assistant.id, run_id: run.id });
}

export async function checkStreams(sdk: Sdk): Promise<void> {
  const { runs } = sdk.client.beta.threads;
  for (const helper of ["stream", "createAndStream"] as const) {
    const { assistant_id, thread_id } = await startConversation(sdk, [{ text: SAID }]);
    await checkStream(sdk, runs[helper](thread_id, { assistant_id }));
  }
  const { assistant_id, thread_id } = await startConversation(sdk, [{ text: SAID }]);
  const thread = { messages: [{ role: "user" as const, content: scripted([{ text: SAID }]) }] };
  await checkStream(sdk, sdk.client.beta.threads.createAndRunStream({ assistant_id, thread }));

  let text = "";
  let last = "";
  for await (const { event, data } of await runs.create(thread_id, { assistant_id, stream: true })) {
    last = event;
    if (event === "thread.message.delta") text += deltaText(data.delta);
  }
  assert.equal(text, SAID);
  assert.equal(last, "thread.run.completed");
}

async function checkStream(sdk: Sdk, stream: AssistantStream): Promise<void> {
  let text = "";
  const finished: string[] = [];
  stream.on("textDelta", ({ value }) => (text += value ?? "")).on("textDone", ({ value }) => finished.push(value));
  const run = await stream.finalRun();
  const [message, ...others] = await stream.finalMessages();
  assert.equal(run.status, "completed");
  assert.equal(text, SAID);
  assert.deepEqual(finished, [SAID]);
  assert.equal(others.length, 0);
  assert.equal(textOf(message), SAID);
  const stored = await sdk.message(run.thread_id, message?.id ?? "");
  assert.equal(textOf(stored), SAID);
  assert.equal(stored.status, "completed");
}

export async function checkIncomplete(sdk: Sdk): Promise<void> {
  const { assistants, threads } = sdk.client.beta;
  const { id: assistant_id } = await assistants.create({ model: "gpt-4o" });
  const thread = { messages: [{ role: "user" as const, content: scripted([LONG]) }] };
  const run = await threads.createAndRunPoll({ assistant_id, thread, max_completion_tokens: 256 }, QUICK);
  assert.partialDeepStrictEqual(run, {
    status: "incomplete",
    incomplete_details: { reason: "max_completion_tokens" },
    completed_at: null,
  });
  const [message] = (await threads.messages.list(run.thread_id)).data;
  assert.equal(message?.status, "incomplete");
  assert.deepEqual(message.incomplete_details, { reason: "max_tokens" });
  assert.ok(LONG.text.startsWith(textOf(message)) && textOf(message) !== "");
  if (!sdk.streamsIncomplete) return;
  const stream = threads.createAndRunStream({ assistant_id, thread, max_completion_tokens: 256 });
  assert.equal((await stream.finalRun()).status, "incomplete");
}

function deltaText({ content = [] }: { content?: { type: string; text?: { value?: string } }[] }): string {
  return content.map((part) => part.text?.value ?? "").join("");
}

function textOf(message: Message | undefined): string {
  return message?.content.map((part) => (part.type === "text" ? part.text.value : `(${part.type})`)).join("") ?? "";
}
