// A run without tools, polled and streamed: the first thing that anybody tries.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { waitUntil } from "../support/wait-until.ts";
import { script, startConversation } from "./conversation.ts";
import { GENERATIONS, openSdk, QUICK } from "./sdk.ts";
import { find, MESSAGE, outline, readAll, textOf } from "./stream.ts";

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.stop());

const CREATED = ["run.created", "run.queued", "run.in_progress"];

suite("plain runs", { concurrency: 4 }, () => {
  for (const generation of GENERATIONS) {
    test(`${generation}: a polled run completes with one message, which its filter finds`, async () => {
      const { client } = openSdk(stack, generation);
      const { assistant_id, thread_id } = await startConversation(stack, [{ text: "four" }]);
      const run = await client.beta.threads.runs.createAndPoll(thread_id, { assistant_id }, QUICK);
      assert.equal(run.status, "completed");
      const ofRun = await client.beta.threads.messages.list(thread_id, { run_id: run.id });
      assert.equal(ofRun.data.length, 1);
      assert.partialDeepStrictEqual(ofRun.data[0], {
        object: "thread.message",
        role: "assistant",
        status: "completed",
        run_id: run.id,
        assistant_id,
        content: [{ type: "text", text: { value: "four", annotations: [] } }],
        attachments: [],
        metadata: {},
      });
      const all = await client.beta.threads.messages.list(thread_id);
      assert.deepEqual(
        all.data.map((message) => message.role),
        ["assistant", "user"],
      );
    });

    test(`${generation}: the events of a streamed run come in the documented order`, async () => {
      const { client } = openSdk(stack, generation);
      const said = "The quick brown fox jumps over the lazy dog. ".repeat(20);
      const { assistant_id, thread_id } = await startConversation(stack, [{ text: said }]);
      const events = await readAll(await client.beta.threads.runs.create(thread_id, { assistant_id, stream: true }));
      assert.deepEqual(outline(events), [...CREATED, ...MESSAGE, "run.completed"]);
      assert.equal(textOf(events), said);
      assert.deepEqual(find(events, "thread.message.created").content, []);
      const completed = find(events, "thread.message.completed");
      assert.equal(completed.status, "completed");
      assert.ok(completed.completed_at);
      const step = find(events, "thread.run.step.created");
      assert.deepEqual(step.step_details, {
        type: "message_creation",
        message_creation: { message_id: completed.id },
      });
    });

    test(`${generation}: a thread and its run can be made in one request, polled`, async () => {
      const { client } = openSdk(stack, generation);
      const assistant = await client.beta.assistants.create({ model: "gpt-4o" });
      const run = await client.beta.threads.createAndRunPoll(
        { assistant_id: assistant.id, thread: { messages: [{ role: "user", content: script([{ text: "hi" }]) }] } },
        QUICK,
      );
      assert.equal(run.status, "completed");
      const messages = await client.beta.threads.messages.list(run.thread_id, { order: "asc" });
      assert.deepEqual(
        messages.data.map((message) => message.run_id),
        [null, run.id],
      );
    });

    test(`${generation}: a thread and its run can be made in one request, streamed`, async () => {
      const { client } = openSdk(stack, generation);
      const assistant = await client.beta.assistants.create({ model: "gpt-4o" });
      const events = await readAll(
        await client.beta.threads.createAndRun({
          assistant_id: assistant.id,
          thread: { messages: [{ role: "user", content: script([{ text: "hi" }]) }], metadata: { topic: "greeting" } },
          stream: true,
        }),
      );
      assert.deepEqual(outline(events), ["created", ...CREATED, ...MESSAGE, "run.completed"]);
      const thread = find(events, "thread.created");
      assert.equal(thread.object, "thread");
      assert.deepEqual(thread.metadata, { topic: "greeting" });
      assert.equal(find(events, "thread.run.created").thread_id, thread.id);
    });
  }

  test("a run on a new, empty thread answers from its instructions alone", async () => {
    const { openai } = stack;
    const assistant = await openai.beta.assistants.create({ model: "gpt-4o", instructions: script([{ text: "hm" }]) });
    const run = await openai.beta.threads.createAndRunPoll({ assistant_id: assistant.id }, QUICK);
    assert.equal(run.status, "completed");
    const [message] = (await openai.beta.threads.messages.list(run.thread_id)).data;
    assert.partialDeepStrictEqual(message?.content[0], { type: "text", text: { value: "hm" } });
  });

  test("the time stamps, the error and the usage of a run change only at the documented moments", async () => {
    const { openai } = stack;
    const { assistant_id, thread_id } = await startConversation(stack, [
      { text: "one two three four five", chunk_ms: 200 },
    ]);
    const sentAt = Math.floor(Date.now() / 1000);
    const created = await openai.beta.threads.runs.create(thread_id, { assistant_id });
    const unset = {
      completed_at: null,
      failed_at: null,
      cancelled_at: null,
      required_action: null,
      last_error: null,
      incomplete_details: null,
    };
    assert.partialDeepStrictEqual(created, { ...unset, status: "queued", started_at: null, usage: null });
    assert.ok(Math.abs(created.created_at - sentAt) <= 1);
    assert.equal(created.expires_at, created.created_at + 600);

    const retrieve = () => openai.beta.threads.runs.retrieve(created.id, { thread_id });
    const running = await waitUntil("the run is in progress", async () => {
      const run = await retrieve();
      return run.status === "in_progress" && run;
    });
    assert.partialDeepStrictEqual(running, { ...unset, expires_at: created.expires_at, usage: null });
    assert.ok((running.started_at ?? 0) >= created.created_at);

    const done = await openai.beta.threads.runs.poll(created.id, { thread_id }, QUICK);
    assert.partialDeepStrictEqual(done, {
      ...unset,
      status: "completed",
      started_at: running.started_at,
      expires_at: null,
      completed_at: done.completed_at,
    });
    assert.ok((done.completed_at ?? 0) >= (done.started_at ?? 0));
    assert.ok((done.usage?.completion_tokens ?? 0) > 0);
    assert.deepEqual(await retrieve(), done);
  });

  test("a run shows every field, as null or empty where nothing is set", async () => {
    const { openai } = stack;
    const { assistant_id, thread_id } = await startConversation(stack, [{ text: "x" }], {});
    const run = await openai.beta.threads.runs.create(thread_id, { assistant_id });
    assert.match(run.id, /^run_[A-Za-z0-9]{24}$/);
    assert.deepEqual(JSON.parse(JSON.stringify(run)), {
      id: run.id,
      object: "thread.run",
      created_at: run.created_at,
      assistant_id,
      thread_id,
      status: "queued",
      started_at: null,
      expires_at: run.expires_at,
      cancelled_at: null,
      failed_at: null,
      completed_at: null,
      required_action: null,
      last_error: null,
      model: "gpt-4o",
      instructions: "",
      tools: [],
      tool_resources: {},
      metadata: {},
      temperature: 1,
      top_p: 1,
      reasoning_effort: null,
      max_completion_tokens: null,
      max_prompt_tokens: null,
      truncation_strategy: { type: "auto", last_messages: null },
      incomplete_details: null,
      usage: null,
      response_format: "auto",
      tool_choice: "auto",
      parallel_tool_calls: true,
    });
  });

  test("a step shows every field, and its message as it was written", async () => {
    const { openai } = stack;
    const { assistant_id, thread_id } = await startConversation(stack, [
      {
        text: "x",
        usage: {
          prompt_tokens: 11,
          completion_tokens: 7,
          prompt_tokens_details: { cached_tokens: 3 },
          completion_tokens_details: { reasoning_tokens: 2 },
        },
      },
    ]);
    const run = await openai.beta.threads.runs.createAndPoll(thread_id, { assistant_id }, QUICK);
    const steps = await openai.beta.threads.runs.steps.list(run.id, { thread_id });
    const [message] = (await openai.beta.threads.messages.list(thread_id, { run_id: run.id })).data;
    const [step] = steps.data;
    const usage = {
      prompt_tokens: 11,
      completion_tokens: 7,
      total_tokens: 18,
      prompt_token_details: { cached_tokens: 3 },
      completion_tokens_details: { reasoning_tokens: 2 },
    };
    assert.match(step?.id ?? "", /^step_[A-Za-z0-9]{24}$/);
    assert.deepEqual(JSON.parse(JSON.stringify(steps.data)), [
      {
        id: step?.id,
        object: "thread.run.step",
        created_at: step?.created_at,
        run_id: run.id,
        assistant_id,
        thread_id,
        type: "message_creation",
        status: "completed",
        cancelled_at: null,
        completed_at: step?.completed_at,
        expired_at: null,
        failed_at: null,
        expires_at: null,
        last_error: null,
        step_details: { type: "message_creation", message_creation: { message_id: message?.id } },
        usage,
        metadata: {},
      },
    ]);
    assert.deepEqual(run.usage, usage);
    assert.deepEqual(
      await openai.beta.threads.runs.steps.retrieve(step?.id ?? "", { thread_id, run_id: run.id }),
      step,
    );
  });

  test("pollers are told to look twice a second", async () => {
    const { openai } = stack;
    const { assistant_id, thread_id } = await startConversation(stack, [{ text: "x" }]);
    const run = await openai.beta.threads.runs.create(thread_id, { assistant_id });
    const { response } = await openai.beta.threads.runs.retrieve(run.id, { thread_id }).withResponse();
    assert.equal(response.headers.get("openai-poll-after-ms"), "500");
    assert.match(response.headers.get("x-request-id") ?? "", /^req_[0-9a-f]{32}$/);
  });

  test("a second run on the thread is told what the first one answered", async () => {
    const { openai } = stack;
    const conversation = await startConversation(stack, [{ text: "four" }], { instructions: "Be short." });
    const { assistant_id, thread_id } = conversation;
    await openai.beta.threads.runs.createAndPoll(thread_id, { assistant_id }, QUICK);
    const question = script([{ text: "six" }]);
    await openai.beta.threads.messages.create(thread_id, { role: "user", content: question });
    const run = await openai.beta.threads.runs.createAndPoll(thread_id, { assistant_id }, QUICK);
    const [answer] = (await openai.beta.threads.messages.list(thread_id, { run_id: run.id })).data;
    assert.partialDeepStrictEqual(answer?.content[0], { type: "text", text: { value: "six" } });
    const sent = stack.model.requests.map((request) => request.body as { messages: { content: string }[] });
    const second = sent.find(({ messages }) => messages.at(-1)?.content === question);
    assert.partialDeepStrictEqual(second?.messages, [
      { role: "system", content: "Be short." },
      { role: "user" },
      { role: "assistant", content: "four" },
      { role: "user", content: question },
    ]);
  });
});
