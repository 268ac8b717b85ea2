// How runs end when nobody cancels them and they do not complete: expired, incomplete and failed.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { Run } from "openai/resources/beta/threads/runs/runs";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { waitUntil } from "../support/wait-until.ts";
import { askWeather, startConversation, WEATHER } from "./conversation.ts";
import type { ScriptedTurn } from "./conversation.ts";
import { GENERATIONS, openSdk, QUICK } from "./sdk.ts";
import { find, outline, readAll, textOf } from "./stream.ts";

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.stop());

/** Our extension: the SDKs hand it on as it is. */
const SOON = { expires_after_seconds: 2 };
const SLOWLY: ScriptedTurn = { text: "word ".repeat(2000), chunk_ms: 20 };
const NO_TOKENS = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };

async function stream(turns: ScriptedTurn[], body: object = {}) {
  const conversation = await startConversation(stack, turns);
  const { assistant_id, thread_id } = conversation;
  const { runs } = stack.openai.beta.threads;
  const events = await readAll(await runs.create(thread_id, { assistant_id, stream: true, ...body }));
  const { id } = find(events, "thread.run.created");
  return { ...conversation, events, run: await runs.retrieve(id, { thread_id }) };
}

/** How many seconds after its expiry a run is seen to have ended. */
async function secondsLate(run: Pick<Run, "id" | "thread_id" | "expires_at">): Promise<number> {
  const ended = await waitUntil("the run has expired", async () => {
    const seen = await stack.openai.beta.threads.runs.retrieve(run.id, { thread_id: run.thread_id });
    return seen.status === "expired" && seen;
  });
  assert.equal(ended.expires_at, run.expires_at);
  return Date.now() / 1000 - (run.expires_at ?? 0);
}

suite("expiry", { concurrency: 8 }, () => {
  for (const generation of GENERATIONS) {
    test(`${generation}: a run that waits for outputs too long expires and frees its thread`, async () => {
      const sdk = openSdk(stack, generation);
      const { assistant_id, thread_id } = await startConversation(stack, [askWeather("Paris")]);
      const { runs, messages } = sdk.client.beta.threads;
      const waiting = await runs.createAndPoll(thread_id, { assistant_id, ...SOON }, QUICK);
      assert.equal(waiting.status, "requires_action");
      assert.equal(waiting.expires_at, waiting.created_at + 2);
      assert.ok((await secondsLate(waiting)) < 3);
      const run = await sdk.retrieve(waiting);
      assert.partialDeepStrictEqual(run, {
        status: "expired",
        required_action: null,
        completed_at: null,
        failed_at: null,
        cancelled_at: null,
        last_error: null,
      });
      assert.ok((run.usage?.total_tokens ?? 0) > 0);
      const [step] = await sdk.steps(run);
      assert.equal(step?.status, "expired");
      assert.ok(step.expired_at);
      await messages.create(thread_id, { role: "user", content: "too late" });
    });
  }

  test("a run that is still talking expires with what it said so far, and upstream is stopped", async () => {
    const { events, run, requests, thread_id } = await stream([SLOWLY], SOON);
    assert.deepEqual(outline(events).slice(-4), [
      "message.delta",
      "message.incomplete",
      "run.step.expired",
      "run.expired",
    ]);
    assert.equal(run.status, "expired");
    assert.equal(run.expires_at, run.created_at + 2);
    const message = find(events, "thread.message.incomplete");
    assert.equal(message.incomplete_details?.reason, "run_expired");
    assert.ok(textOf(events).startsWith("word"));
    const stored = await stack.openai.beta.threads.messages.retrieve(message.id, { thread_id });
    assert.deepEqual(stored.content, message.content);
    await waitUntil("the upstream request was aborted", () => requests()[0]?.aborted === true);
  });

  test("a run whose model does not say a word expires in time", async () => {
    const { events, run } = await stream([{ text: "late", delay_ms: 60_000 }], SOON);
    assert.deepEqual(outline(events).slice(-2), ["run.in_progress", "run.expired"]);
    assert.partialDeepStrictEqual(run, { status: "expired", usage: NO_TOKENS });
  });

  test("a run whose model wants to be asked again much later expires in time", async () => {
    const { assistant_id, thread_id, requests } = await startConversation(stack, [
      { error: { status: 429, retry_after: 60 } },
    ]);
    const run = await stack.openai.beta.threads.runs.create(thread_id, { assistant_id, ...SOON });
    const late = await secondsLate(run);
    assert.ok(late < 3, `it expired ${late} s late`);
    assert.equal(requests().length, 1);
  });

  test("an expiry of one second less or more than the contract's limits is refused or taken", async () => {
    const { assistant_id, thread_id } = await startConversation(stack, [{ text: "x" }]);
    const { runs } = stack.openai.beta.threads;
    const create = (expires_after_seconds: number) =>
      runs.create(thread_id, { assistant_id, expires_after_seconds } as Parameters<typeof runs.create>[1]);
    await assert.rejects(create(0), /400 Invalid 'expires_after_seconds': integer below minimum value/);
    await assert.rejects(create(2_592_001), /400 Invalid 'expires_after_seconds': integer above maximum value/);
    const run = (await create(2_592_000)) as Run;
    assert.equal(run.expires_at, run.created_at + 2_592_000);
  });
});

suite("incomplete", { concurrency: 4 }, () => {
  for (const generation of GENERATIONS) {
    test(`${generation}: a run whose answer is too long for it ends incomplete with what fits`, async () => {
      const sdk = openSdk(stack, generation);
      const conversation = await startConversation(stack, [{ text: "word ".repeat(1000) }]);
      const { assistant_id, thread_id } = conversation;
      const run = await sdk.client.beta.threads.runs.createAndPoll(
        thread_id,
        { assistant_id, max_completion_tokens: 256 },
        QUICK,
      );
      assert.partialDeepStrictEqual(run, {
        status: "incomplete",
        incomplete_details: { reason: "max_completion_tokens" },
        max_completion_tokens: 256,
        completed_at: null,
        expires_at: null,
        last_error: null,
        usage: { completion_tokens: 256 },
      });
      assert.equal(conversation.request().max_completion_tokens, 256);
      const [message] = (await sdk.client.beta.threads.messages.list(thread_id, { run_id: run.id })).data;
      assert.partialDeepStrictEqual(message, { status: "incomplete", incomplete_details: { reason: "max_tokens" } });
      assert.equal(message?.content[0]?.type === "text" && message.content[0].text.value.length, 1024);
      const [step] = await sdk.steps(run);
      assert.equal(step?.status, "completed");
    });
  }

  test("the stream of an incomplete run ends in the recommended order", async () => {
    const { events } = await stream([{ text: "word ".repeat(1000) }], { max_completion_tokens: 256 });
    assert.deepEqual(outline(events).slice(-4), [
      "message.delta",
      "message.incomplete",
      "run.step.completed",
      "run.incomplete",
    ]);
  });

  test("the token budget of a run is what its earlier turns have left", async () => {
    const { openai } = stack;
    const conversation = await startConversation(stack, [
      { ...askWeather("Paris"), usage: { prompt_tokens: 200, completion_tokens: 300 } },
      { ...askWeather("Rome"), usage: { prompt_tokens: 300, completion_tokens: 700 } },
    ]);
    const { assistant_id, thread_id } = conversation;
    const body = { assistant_id, max_prompt_tokens: 500, max_completion_tokens: 1000 };
    const first = await openai.beta.threads.runs.createAndPoll(thread_id, body, QUICK);
    const sdk = openSdk(stack, "openai 7");
    const answer = (run: Run) =>
      (run.required_action?.submit_tool_outputs.tool_calls ?? []).map(({ id }) => ({ tool_call_id: id, output: "x" }));
    const second = await sdk.submitAndPoll(first, answer(first));
    assert.equal(second.status, "requires_action");
    assert.equal(conversation.request(0).max_completion_tokens, 1000);
    assert.equal(conversation.request(1).max_completion_tokens, 700);
    const third = await sdk.submitAndPoll(second, answer(second));
    assert.equal(third.status, "incomplete");
    assert.equal(conversation.requests().length, 2);
    assert.partialDeepStrictEqual(third.usage, { prompt_tokens: 500, completion_tokens: 1000 });
  });

  test("a run whose prompt budget does not hold the newest message ends before the model is asked", async () => {
    const { openai } = stack;
    const assistant = await openai.beta.assistants.create({ model: "gpt-4o" });
    const content = "many different words ".repeat(200);
    const run = await openai.beta.threads.createAndRunPoll(
      { assistant_id: assistant.id, thread: { messages: [{ role: "user", content }] }, max_prompt_tokens: 256 },
      QUICK,
    );
    assert.partialDeepStrictEqual(run, {
      status: "incomplete",
      incomplete_details: { reason: "max_prompt_tokens" },
      usage: NO_TOKENS,
    });
  });
});

suite("failure", { concurrency: 4 }, () => {
  const fails = (what: string, turn: ScriptedTurn, error: { code: string; message: RegExp }): void =>
    void test(`a run fails at once, and is not tried again, when ${what}`, async () => {
      const { events, run, requests, thread_id } = await stream([turn]);
      assert.deepEqual(outline(events).slice(-2), ["run.in_progress", "run.failed"]);
      assert.partialDeepStrictEqual(run, { status: "failed", expires_at: null, completed_at: null, usage: NO_TOKENS });
      assert.ok(run.failed_at);
      assert.ok(run.started_at);
      assert.equal(run.last_error?.code, error.code);
      assert.match(run.last_error.message, error.message);
      assert.deepEqual(find(events, "thread.run.failed"), run);
      assert.equal(requests().length, 1);
      // Nothing stays behind, and the thread is free.
      const { messages } = stack.openai.beta.threads;
      assert.equal((await messages.list(thread_id)).data.length, 1);
      await messages.create(thread_id, { role: "user", content: "again" });
    });

  const upstream = (message: string, code: string | null, type = "invalid_request_error") => ({
    error: { message, type, param: null, code },
  });
  fails(
    "the endpoint refuses the request",
    { error: { status: 400, body: upstream("Your prompt was refused.", "content_policy_violation") } },
    { code: "invalid_prompt", message: /^Your prompt was refused\.$/ },
  );
  fails(
    "the endpoint refuses the server's key",
    { error: { status: 401 } },
    { code: "server_error", message: /key \(401\): Incorrect API key provided\./ },
  );
  fails(
    "the endpoint does not know the model",
    { error: { status: 404 } },
    { code: "server_error", message: /The model does not exist/ },
  );
  const tooLong = "This model's maximum context length is 128000 tokens.";
  fails(
    "the conversation is too long for the model",
    { error: { status: 400, body: upstream(tooLong, "context_length_exceeded") } },
    { code: "invalid_prompt", message: /^This model's maximum context length is 128000 tokens\.$/ },
  );
  const quota = "You exceeded your current quota, please check your plan and billing details.";
  fails(
    "the endpoint's quota is used up",
    { error: { status: 429, body: upstream(quota, "insufficient_quota", "insufficient_quota") } },
    { code: "rate_limit_exceeded", message: /^You exceeded your current quota/ },
  );

  test("a failed run keeps no secret of the server in its error", async () => {
    const { run } = await stream([{ error: { status: 401 } }]);
    assert.doesNotMatch(run.last_error?.message ?? "", /scripted|127\.0\.0\.1/);
  });

  test("a run that the content filter stops fails with what was said so far", async () => {
    const { events, run } = await stream([{ text: "Well, ", finish_reason: "content_filter" }]);
    assert.deepEqual(outline(events).slice(-4), [
      "message.delta",
      "message.incomplete",
      "run.step.failed",
      "run.failed",
    ]);
    assert.equal(find(events, "thread.message.incomplete").incomplete_details?.reason, "content_filter");
    assert.ok(find(events, "thread.run.step.failed").last_error);
    assert.equal(run.status, "failed");
    assert.ok(run.last_error?.message);
  });

  test("a run that calls the code interpreter fails where there is none, and says so", async () => {
    const { openai } = stack;
    const tools = [{ type: "code_interpreter" as const }, WEATHER];
    const calls = [{ name: "code_interpreter", arguments: { code: "print(1)" } }];
    const conversation = await startConversation(stack, [{ tool_calls: calls }], { tools });
    const { assistant_id, thread_id } = conversation;
    const run = await openai.beta.threads.runs.createAndPoll(thread_id, { assistant_id }, QUICK);
    assert.partialDeepStrictEqual(run, { status: "failed", last_error: { code: "server_error" } });
    assert.match(run.last_error?.message ?? "", /^Code Interpreter is not available\. /);
    assert.deepEqual(
      conversation.request().tools?.map((tool) => tool.type === "function" && tool.function.name),
      ["code_interpreter", "get_weather"],
    );
  });

  test("a run that refuses answers with a refusal part, and completes", async () => {
    const refusal = "I cannot help with that.";
    const { events, run, thread_id } = await stream([{ refusal }]);
    assert.equal(run.status, "completed");
    assert.equal(textOf(events), refusal);
    const [message] = (await stack.openai.beta.threads.messages.list(thread_id, { run_id: run.id })).data;
    assert.deepEqual(message?.content, [{ type: "refusal", refusal }]);
  });
});

// Last and alone: the other runs of this file need the worker.
test("without a worker a queued run expires all the same", async () => {
  const [worker] = stack.workers;
  assert.ok(worker);
  await worker.stop();
  const { assistant_id, thread_id, requests } = await startConversation(stack, [{ text: "x" }]);
  const run = await stack.openai.beta.threads.runs.create(thread_id, { assistant_id, ...SOON });
  await secondsLate(run);
  const ended = await stack.openai.beta.threads.runs.retrieve(run.id, { thread_id });
  assert.equal(ended.started_at, null);
  assert.equal(requests().length, 0);
});
