// Cancelling: at once where nobody works on the run, within a second where the model is talking.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { AssistantStreamEvent } from "openai/resources/beta/assistants";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { waitUntil } from "../support/wait-until.ts";
import { askWeather, startConversation } from "./conversation.ts";
import type { ScriptedTurn } from "./conversation.ts";
import { badRequest, refusalOf } from "./refusal.ts";
import { GENERATIONS, openSdk, QUICK } from "./sdk.ts";
import type { Sdk } from "./sdk.ts";
import { checkStream, find, outline } from "./stream.ts";

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.stop());

/** Longest time from a cancel to the end of the run and of the upstream request. */
const CANCEL_MS = 1000;
const SLOWLY: ScriptedTurn = { text: "word ".repeat(2000), chunk_ms: 20 };

/** Streams a run, cancels it when `moment` has come, and returns all its events. */
async function streamAndCancel(sdk: Sdk, turns: ScriptedTurn[], moment: (event: AssistantStreamEvent) => boolean) {
  const conversation = await startConversation(stack, turns);
  const { assistant_id, thread_id } = conversation;
  const events: AssistantStreamEvent[] = [];
  let cancelled: ReturnType<Sdk["cancel"]> | undefined;
  let cancelledAt = 0;
  for await (const event of await sdk.client.beta.threads.runs.create(thread_id, { assistant_id, stream: true })) {
    events.push(event);
    if (cancelled === undefined && moment(event)) {
      cancelledAt = Date.now();
      cancelled = sdk.cancel({ id: find(events, "thread.run.created").id, thread_id });
    }
  }
  checkStream(events);
  assert.ok(cancelled);
  return { ...conversation, events, answer: await cancelled, cancelledAt, tookMs: Date.now() - cancelledAt };
}

suite("cancel", { concurrency: 4 }, () => {
  for (const generation of GENERATIONS) {
    test(`${generation}: a run that streams text stops within a second, upstream too`, async () => {
      const sdk = openSdk(stack, generation);
      const { events, answer, cancelledAt, tookMs, thread_id, requests } = await streamAndCancel(
        sdk,
        [SLOWLY],
        ({ event }) => event === "thread.message.delta",
      );
      assert.equal(answer.status, "cancelling");
      assert.ok(answer.started_at);
      assert.ok(answer.expires_at);
      assert.ok(tookMs < CANCEL_MS, `the stream ended after ${tookMs} ms`);
      // What the model said before it was stopped may still come after `cancelling`.
      assert.deepEqual(outline(events.filter(({ event }) => event !== "thread.message.delta")).slice(-4), [
        "run.cancelling",
        "message.incomplete",
        "run.step.cancelled",
        "run.cancelled",
      ]);

      const [request] = requests();
      await waitUntil("the upstream request has ended", () => request?.ended_at !== null);
      assert.equal(request?.aborted, true);
      assert.ok((request.ended_at ?? 0) - cancelledAt < CANCEL_MS);

      const run = await sdk.retrieve({ id: answer.id, thread_id });
      assert.partialDeepStrictEqual(run, {
        status: "cancelled",
        expires_at: null,
        completed_at: null,
        failed_at: null,
        last_error: null,
        required_action: null,
      });
      assert.ok(run.cancelled_at);
      const message = find(events, "thread.message.incomplete");
      assert.equal(message.incomplete_details?.reason, "run_cancelled");
      assert.ok(message.incomplete_at);
      assert.deepEqual((await sdk.message(thread_id, message.id)).content, message.content);
      const [step] = await sdk.steps(run);
      assert.equal(step?.status, "cancelled");
      assert.ok(step.cancelled_at);
    });

    test(`${generation}: a run that waits for outputs is cancelled at once and frees its thread`, async () => {
      const sdk = openSdk(stack, generation);
      const { assistant_id, thread_id } = await startConversation(stack, [askWeather("Paris")]);
      const waiting = await sdk.client.beta.threads.runs.createAndPoll(thread_id, { assistant_id }, QUICK);
      const answer = await sdk.cancel(waiting);
      assert.partialDeepStrictEqual(answer, {
        status: "cancelling",
        required_action: null,
        started_at: waiting.started_at,
        expires_at: waiting.expires_at,
      });
      await sdk.client.beta.threads.messages.create(thread_id, { role: "user", content: "never mind" });
      const run = await sdk.retrieve(waiting);
      assert.equal(run.status, "cancelled");
      const [step] = await sdk.steps(run);
      assert.equal(step?.status, "cancelled");
      assert.deepEqual(
        await refusalOf(sdk.submit(waiting, [])),
        badRequest('Runs in status "cancelled" do not accept tool outputs.'),
      );
    });

    test(`${generation}: cancelling a run that has ended is refused with its status`, async () => {
      const sdk = openSdk(stack, generation);
      const { assistant_id, thread_id } = await startConversation(stack, [askWeather("Paris")]);
      const waiting = await sdk.client.beta.threads.runs.createAndPoll(thread_id, { assistant_id }, QUICK);
      await sdk.cancel(waiting);
      assert.deepEqual(await refusalOf(sdk.cancel(waiting)), badRequest("Cannot cancel run with status 'cancelled'."));
    });
  }

  test("a run that streams the arguments of a call stops within a second", async () => {
    const sdk = openSdk(stack, "openai 7");
    const call = { name: "get_weather", arguments: { city: "x".repeat(20_000) } };
    const { events, tookMs, requests } = await streamAndCancel(
      sdk,
      [{ tool_calls: [call], chunk_ms: 20 }],
      ({ event }) => event === "thread.run.step.delta",
    );
    assert.ok(tookMs < CANCEL_MS, `the stream ended after ${tookMs} ms`);
    assert.deepEqual(outline(events).slice(-2), ["run.step.cancelled", "run.cancelled"]);
    await waitUntil("the upstream request was aborted", () => requests()[0]?.aborted === true);
  });

  test("a run whose model has not said a word yet stops within a second", async () => {
    const sdk = openSdk(stack, "openai 7");
    const { events, tookMs, requests } = await streamAndCancel(
      sdk,
      [{ text: "late", delay_ms: 60_000 }],
      ({ event }) => event === "thread.run.in_progress",
    );
    assert.ok(tookMs < CANCEL_MS, `the stream ended after ${tookMs} ms`);
    assert.deepEqual(outline(events).slice(-3), ["run.in_progress", "run.cancelling", "run.cancelled"]);
    // Cancelled before the model was asked, there is no request to abort.
    await waitUntil("no upstream request is open", () => requests().every((request) => request.ended_at !== null));
  });

  test("a run that waits to ask a busy model again stops within a second", async () => {
    const sdk = openSdk(stack, "openai 7");
    const { assistant_id, thread_id, requests } = await startConversation(stack, [
      { error: { status: 429, retry_after: 60 } },
    ]);
    const run = await sdk.client.beta.threads.runs.create(thread_id, { assistant_id });
    await waitUntil("the model was asked", () => requests()[0]?.ended_at);
    const cancelledAt = Date.now();
    await sdk.cancel(run);
    const ended = await sdk.poll(run);
    assert.equal(ended.status, "cancelled");
    assert.ok(Date.now() - cancelledAt < CANCEL_MS);
    assert.equal(requests().length, 1);
  });

  test("a second cancel while the first is under way, or after it, is refused with the status", async () => {
    const sdk = openSdk(stack, "openai 7");
    const { assistant_id, thread_id, requests } = await startConversation(stack, [SLOWLY]);
    const run = await sdk.client.beta.threads.runs.create(thread_id, { assistant_id });
    await waitUntil("the model is talking", () => requests().length > 0);
    const [first, second] = await Promise.allSettled([sdk.cancel(run), sdk.cancel(run)]);
    const refused = first.status === "rejected" ? first : second;
    assert.ok(refused.status === "rejected");
    const refusal = await refusalOf(Promise.reject(refused.reason as Error));
    assert.match(String(refusal.message), /^Cannot cancel run with status '(cancelling|cancelled)'\.$/);
    assert.deepEqual(refusal, badRequest(String(refusal.message)));
    assert.equal((await sdk.poll(run)).status, "cancelled");
  });

  test("cancelling a completed run is refused", async () => {
    const sdk = openSdk(stack, "openai 7");
    const { assistant_id, thread_id } = await startConversation(stack, [{ text: "x" }]);
    const run = await sdk.client.beta.threads.runs.createAndPoll(thread_id, { assistant_id }, QUICK);
    assert.deepEqual(await refusalOf(sdk.cancel(run)), badRequest("Cannot cancel run with status 'completed'."));
    assert.equal((await sdk.retrieve(run)).status, "completed");
  });

  test("the partial answer of a cancelled run stays in the thread, and the next run is told of it", async () => {
    const sdk = openSdk(stack, "openai 7");
    const { assistant_id, thread_id, events } = await streamAndCancel(
      sdk,
      [SLOWLY],
      ({ event }) => event === "thread.message.delta",
    );
    const partial = find(events, "thread.message.incomplete").content[0];
    assert.ok(partial?.type === "text" && partial.text.value.startsWith("word"));
    const question = "And now?";
    await sdk.client.beta.threads.messages.create(thread_id, { role: "user", content: question });
    const run = await sdk.client.beta.threads.runs.createAndPoll(thread_id, { assistant_id }, QUICK);
    assert.equal(run.status, "completed");
    const sent = stack.model.requests.map((request) => request.body as { messages: { content: string }[] });
    const second = sent.find(
      ({ messages }) => messages.at(-1)?.content === question && messages.at(-2)?.content === partial.text.value,
    );
    assert.ok(second);
  });
});

test("without a worker a queued run is cancelled at once and frees its thread", async () => {
  const [worker] = stack.workers;
  assert.ok(worker);
  await worker.stop();
  try {
    const sdk = openSdk(stack, "openai 7");
    const { assistant_id, thread_id, requests } = await startConversation(stack, [{ text: "x" }]);
    const run = await sdk.client.beta.threads.runs.create(thread_id, { assistant_id });
    assert.equal((await sdk.cancel(run)).status, "cancelling");
    const ended = await sdk.retrieve(run);
    assert.partialDeepStrictEqual(ended, { status: "cancelled", started_at: null, expires_at: null });
    assert.ok(ended.cancelled_at);
    await sdk.client.beta.threads.messages.create(thread_id, { role: "user", content: "again" });
    assert.equal(requests().length, 0);
  } finally {
    await stack.startWorker();
  }
});
