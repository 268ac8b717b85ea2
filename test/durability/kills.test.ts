// Processes die at bad moments, and no client is the wiser: every run ends, with one answer per turn.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Message } from "openai/resources/beta/threads/messages";
import { calls, lookup, scripted } from "../support/scripts.ts";
import type { ScriptedTurn } from "../support/scripts.ts";
import { readEvents, textOf } from "../support/sse.ts";
import type { SentEvent } from "../support/sse.ts";
import { startProxy } from "../support/proxy.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { waitUntil } from "../support/wait-until.ts";

/** What the work of a killed worker may wait until another has taken it up. */
const TAKE_OVER_MS = 10_000;
const LONG_TEXT = "word ".repeat(200);
/** Slow enough to be killed in the middle, quick enough to be waited for. */
const slowly: ScriptedTurn = { text: LONG_TEXT, chunk_chars: 10, chunk_ms: 25 };

let stack: Stack;
let assistantId: string;
before(async () => {
  stack = await startStack();
  assistantId = (await stack.openai.beta.assistants.create({ model: "gpt-4o", tools: [lookup] })).id;
});
after(() => stack.stop());

async function createRun(turns: readonly ScriptedTurn[]): Promise<{ threadId: string; runId: string }> {
  const thread = { messages: [{ role: "user" as const, content: scripted(turns) }] };
  const run = await stack.openai.beta.threads.createAndRun({ assistant_id: assistantId, thread });
  return { threadId: run.thread_id, runId: run.id };
}

async function statusOf({ threadId, runId }: { threadId: string; runId: string }): Promise<string> {
  return (await stack.openai.beta.threads.runs.retrieve(runId, { thread_id: threadId })).status;
}

function untilStatus(run: { threadId: string; runId: string }, status: string): Promise<unknown> {
  return waitUntil(`${run.runId} is ${status}`, async () => (await statusOf(run)) === status, 30_000);
}

async function answersOf({ threadId, runId }: { threadId: string; runId: string }): Promise<Message[]> {
  const { data } = await stack.openai.beta.threads.messages.list(threadId, { run_id: runId, order: "asc" });
  return data;
}

function textOfMessage(message: Message | undefined): string | undefined {
  const part = message?.content[0];
  return part?.type === "text" ? part.text.value : undefined;
}

function join({ threadId, runId }: { threadId: string; runId: string }, after: number): Promise<Response> {
  return fetch(`${stack.baseURL}/threads/${threadId}/runs/${runId}/events?after=${after}`, {
    headers: { authorization: `Bearer ${stack.apiKey}`, "openai-beta": "assistants=v2" },
  });
}

async function untilSomeText(run: { runId: string }): Promise<void> {
  await waitUntil("the model has begun to speak", async () => {
    const { rows } = await stack.db.query("select 1 from run_deltas where run_id = $1 limit 1", [run.runId]);
    return rows.length > 0;
  });
}

async function submitOutputs({ threadId, runId }: { threadId: string; runId: string }): Promise<void> {
  const run = await stack.openai.beta.threads.runs.retrieve(runId, { thread_id: threadId });
  const pending = run.required_action?.submit_tool_outputs.tool_calls ?? [];
  await stack.openai.beta.threads.runs.submitToolOutputs(runId, {
    thread_id: threadId,
    tool_outputs: pending.map((call) => ({ tool_call_id: call.id, output: "found" })),
  });
}

describe("a worker is killed", () => {
  test("while the model speaks: another one takes over within 10 s and the thread has one answer", async () => {
    const run = await createRun([slowly]);
    await untilSomeText(run);
    const events: SentEvent[] = [];
    const reading = (async () => {
      for await (const event of readEvents(await join(run, 0))) events.push(event);
    })();
    stack.workers[0]?.kill();
    const killedAt = Date.now();
    await stack.startWorker();
    await waitUntil("another worker has asked the model again", () => stack.model.requests.length >= 2, TAKE_OVER_MS);
    assert.ok(Date.now() - killedAt <= TAKE_OVER_MS);
    await untilStatus(run, "completed");
    await reading;

    const answers = await answersOf(run);
    assert.deepEqual(answers.map(textOfMessage), [LONG_TEXT]);
    const kept = answers[0] as Message;
    assert.equal(textOf(events, kept.id), LONG_TEXT, "the deltas of the answer add up to it");
    const names = events.map(({ event }) => event).filter((event) => !event.endsWith("delta"));
    assert.deepEqual(names.slice(names.indexOf("thread.message.in_progress") + 1), [
      "thread.message.incomplete",
      "thread.run.step.failed",
      "thread.run.step.created",
      "thread.run.step.in_progress",
      "thread.message.created",
      "thread.message.in_progress",
      "thread.message.completed",
      "thread.run.step.completed",
      "thread.run.completed",
      "done",
    ]);
    const abandoned = events.find(({ event }) => event === "thread.message.incomplete")?.data as Message;
    assert.equal(
      textOf(events, abandoned.id),
      textOfMessage(abandoned),
      "what was seen is what is said to be incomplete",
    );
    assert.ok(LONG_TEXT.startsWith(textOfMessage(abandoned) as string));
  });

  test("while the run waits for outputs: they are taken without a worker and answered by the next one", async () => {
    const run = await createRun([calls("a", "b"), { text: "done" }]);
    await untilStatus(run, "requires_action");
    stack.workers[0]?.kill();
    await waitUntil("no worker is left", () => stack.workers.length === 0);
    await submitOutputs(run);
    assert.equal(await statusOf(run), "queued");
    await stack.startWorker();
    await untilStatus(run, "completed");
    assert.deepEqual((await answersOf(run)).map(textOfMessage), ["done"]);
  });

  test("between two rounds: no call is made twice", async () => {
    const run = await createRun([calls("a"), { ...calls("b"), delay_ms: 400 }, { text: "done" }]);
    await untilStatus(run, "requires_action");
    await submitOutputs(run);
    await untilStatus(run, "in_progress");
    stack.workers[0]?.kill();
    await stack.startWorker();
    await untilStatus(run, "requires_action");
    await submitOutputs(run);
    await untilStatus(run, "completed");
    const { data } = await stack.openai.beta.threads.runs.steps.list(run.runId, {
      thread_id: run.threadId,
      order: "asc",
    });
    assert.deepEqual(
      data.filter((step) => step.status === "completed").map((step) => step.type),
      ["tool_calls", "tool_calls", "message_creation"],
    );
    assert.deepEqual((await answersOf(run)).map(textOfMessage), ["done"]);
  });
});

test("a worker that is asked to stop hands its turn to another one, and nothing is said twice", async () => {
  await stack.startWorker();
  const run = await createRun([slowly]);
  await untilSomeText(run);
  await Promise.all(stack.workers.slice(0, 1).map((worker) => worker.stop()));
  await untilStatus(run, "completed");
  assert.deepEqual((await answersOf(run)).map(textOfMessage), [LONG_TEXT]);
});

describe("an API process is killed", () => {
  test("between the commit and the start of the workflow: the sweep of another one starts the run", async () => {
    const isolated = await startStack({ workers: 0, settings: { TEMPORAL_ADDRESS: "127.0.0.1:1" } });
    try {
      // This API cannot reach Temporal: what it has accepted is committed and nothing more.
      const assistant = await isolated.openai.beta.assistants.create({ model: "gpt-4o" });
      const thread = { messages: [{ role: "user" as const, content: scripted([{ text: "late" }]) }] };
      const run = await isolated.openai.beta.threads.createAndRun({ assistant_id: assistant.id, thread });
      assert.equal(run.status, "queued");
      isolated.apis[0]?.kill();
      await waitUntil("the API is gone", () => isolated.apis.length === 0);
      await isolated.startApi(0, { TEMPORAL_ADDRESS: process.env["TEMPORAL_ADDRESS"] ?? "" });
      await isolated.startWorker({ TEMPORAL_ADDRESS: process.env["TEMPORAL_ADDRESS"] ?? "" });
      await waitUntil("the run is completed", async () => {
        const now = await isolated.openai.beta.threads.runs.retrieve(run.id, { thread_id: run.thread_id });
        return now.status === "completed";
      });
    } finally {
      await isolated.stop();
    }
  });

  test("with an open stream: its reader comes back to another one, and nothing is lost or doubled", async () => {
    const run = await createRun([slowly]);
    const events: SentEvent[] = [];
    const first = stack.apis[0];
    await assert.rejects(async () => {
      for await (const event of readEvents(await join(run, 0))) {
        events.push(event);
        if (events.filter(({ event }) => event === "thread.message.delta").length === 5) first?.kill();
      }
      throw new Error("the stream ended as if nothing had happened");
    }, /terminated|socket|aborted/i);
    await stack.startApi();
    for await (const event of readEvents(await join(run, events.at(-1)?.id ?? 0))) events.push(event);

    const ids = events.flatMap(({ id }) => (id === undefined ? [] : [id]));
    assert.deepEqual(
      ids,
      ids.map((_, index) => index + 1),
      "every position from the first to the last, once",
    );
    const [answer] = await answersOf(run);
    assert.equal(textOf(events, answer?.id as string), LONG_TEXT);
    assert.equal(events.at(-1)?.event, "done");
  });
});

test("a worker that loses Temporal in the middle of an answer cancels nothing: the run completes", async () => {
  const temporal = await startProxy(new URL(`tcp://${process.env["TEMPORAL_ADDRESS"]}`));
  await Promise.all(stack.workers.map((worker) => worker.stop()));
  await stack.startWorker({ TEMPORAL_ADDRESS: new URL(temporal.url).host });
  // Longer than it takes the worker to give itself up for dead.
  const run = await createRun([{ text: LONG_TEXT, chunk_chars: 10, chunk_ms: 150 }]);
  await untilSomeText(run);
  temporal.refuse();
  await waitUntil(
    "the answer has ended, or was given up",
    () => stack.model.requests.at(-1)?.ended_at !== undefined && stack.model.requests.at(-1)?.ended_at !== null,
    30_000,
  );
  assert.notEqual(await statusOf(run), "cancelled");
  temporal.accept();
  await waitUntil("the run is completed", async () => (await statusOf(run)) === "completed", 60_000);
  assert.deepEqual((await answersOf(run)).map(textOfMessage), [LONG_TEXT]);
  await Promise.all(stack.workers.map((worker) => worker.stop()));
  temporal.close();
});
