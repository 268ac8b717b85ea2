// Readers that do not read: what they have not taken waits in Postgres, not in the memory of the API.
import assert from "node:assert/strict";
import { request } from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { after, before, test } from "node:test";
import { scripted } from "../support/scripts.ts";
import { readEvents, textOf } from "../support/sse.ts";
import type { SentEvent } from "../support/sse.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { waitUntil } from "../support/wait-until.ts";

const READERS = 40;
/** Each character takes six bytes on the wire: more than the sockets of two kernels hold for a reader that is asleep. */
const TEXT = "\u0001".repeat(1_900_000);
/** A third of what the readers would hold together if the server kept their events for them: it would not survive. */
const HEAP_MB = 160;

let stack: Stack;
before(async () => {
  stack = await startStack({ apis: 0 });
  await stack.startApi(0, { NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` });
});
after(() => stack.stop());

function open(path: string): Promise<{ sent: ClientRequest; answer: IncomingMessage }> {
  const headers = { authorization: `Bearer ${stack.apiKey}`, "openai-beta": "assistants=v2" };
  return new Promise((resolve, reject) => {
    const sent = request(`${stack.baseURL}${path}`, { headers }, (answer) => resolve({ sent, answer }));
    sent.once("error", reject);
    sent.end();
  });
}

function toResponse(answer: IncomingMessage): Response {
  return new Response(Readable.toWeb(answer) as ReadableStream, { headers: answer.headers as Record<string, string> });
}

test("readers that never read cost the API little, and one that reads late gets it all", async () => {
  const { openai } = stack;
  const assistant = await openai.beta.assistants.create({ model: "gpt-4o" });
  const turns = [{ text: "\u0001", repeat: TEXT.length, chunk_chars: 4000, delay_ms: 1000 }];
  const run = await openai.beta.threads.createAndRun({
    assistant_id: assistant.id,
    thread: { messages: [{ role: "user", content: scripted(turns) }] },
  });
  const path = `/threads/${run.thread_id}/runs/${run.id}/events`;
  const idle = await Promise.all(Array.from({ length: READERS }, () => open(path)));
  await waitUntil(
    "the run is completed",
    async () => (await openai.beta.threads.runs.retrieve(run.id, { thread_id: run.thread_id })).status === "completed",
    60_000,
  );
  assert.equal(stack.apis.length, 1, "the API is alive");

  const late: SentEvent[] = [];
  const [first, ...others] = idle;
  for await (const event of readEvents(toResponse(first?.answer as IncomingMessage))) late.push(event);
  const message = late.find(({ event }) => event === "thread.message.completed")?.data as { id: string };
  assert.equal(textOf(late, message.id), TEXT);
  assert.equal(late.at(-1)?.event, "done");
  for (const { sent } of others) sent.destroy();
});
