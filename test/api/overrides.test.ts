// What an assistant and a run ask for, as it reaches the model.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { ChatCompletionMessageParam } from "openai/resources/chat/completions";
import { makeNamed } from "../support/named-objects.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { askWeather, script, startConversation, WEATHER } from "./conversation.ts";
import type { Conversation } from "./conversation.ts";
import { badRequest, refusalOf } from "./refusal.ts";
import { openSdk, QUICK } from "./sdk.ts";

let stack: Stack;
before(async () => {
  stack = await startStack();
  await makeNamed(stack.db, { project: "default", vector_store_ids: ["vs_1"] });
});
after(() => stack.stop());

type RunBody = Partial<Parameters<Stack["openai"]["beta"]["threads"]["runs"]["createAndPoll"]>[1]>;

async function complete(conversation: Conversation, body: RunBody = {}) {
  const { assistant_id, thread_id } = conversation;
  const run = await stack.openai.beta.threads.runs.createAndPoll(thread_id, { assistant_id, ...body }, QUICK);
  assert.equal(run.status, "completed", run.last_error?.message);
  return run;
}

const said = (messages: readonly ChatCompletionMessageParam[]) =>
  messages.map(({ role, content }) => `${role}: ${typeof content === "string" ? content.split("\n", 1)[0] : "…"}`);

suite("overrides", { concurrency: 4 }, () => {
  test("without overrides the model is sent the assistant's settings, and defaults are not spelled out", async () => {
    const conversation = await startConversation(stack, [{ text: "x" }], {
      model: "some-model",
      instructions: "Be kind.",
      temperature: 0.5,
      top_p: 0.25,
      reasoning_effort: "low",
      tools: [WEATHER],
    });
    await complete(conversation);
    const { messages, ...request } = conversation.request();
    assert.deepEqual(request, {
      model: "some-model",
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0.5,
      top_p: 0.25,
      reasoning_effort: "low",
      tools: [WEATHER],
    });
    assert.deepEqual(said(messages), ["system: Be kind.", "user: Hello!"]);

    const plain = await startConversation(stack, [{ text: "x" }], {});
    await complete(plain);
    assert.deepEqual(Object.keys(plain.request()).toSorted(), ["messages", "model", "stream", "stream_options"]);
  });

  test("what a run says takes the place of what its assistant says, in the run and upstream", async () => {
    const conversation = await startConversation(stack, [{ text: "x" }], {
      instructions: "Be kind.",
      temperature: 0.5,
      top_p: 0.25,
      reasoning_effort: "low",
      tools: [WEATHER],
    });
    const other = { ...WEATHER, function: { ...WEATHER.function, name: "look-up_2" } };
    const overrides = {
      model: "other-model",
      instructions: "Be short.",
      temperature: 0,
      top_p: 0.75,
      reasoning_effort: "high" as const,
      tools: [other],
      tool_choice: "none" as const,
      parallel_tool_calls: false,
      max_completion_tokens: 400,
      max_prompt_tokens: 5000,
      metadata: { order: "17" },
    };
    const run = await complete(conversation, { ...overrides, additional_instructions: "Always." });
    assert.partialDeepStrictEqual(run, { ...overrides, instructions: "Be short.\nAlways." });
    const { messages, ...request } = conversation.request();
    assert.deepEqual(request, {
      model: "other-model",
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0,
      top_p: 0.75,
      reasoning_effort: "high",
      tools: [other],
      tool_choice: "none",
      parallel_tool_calls: false,
      max_completion_tokens: 400,
    });
    assert.equal(messages[0]?.content, "Be short.\nAlways.");
    const assistant = await stack.openai.beta.assistants.retrieve(conversation.assistant_id);
    assert.partialDeepStrictEqual(assistant, { model: "gpt-4o", instructions: "Be kind.", temperature: 0.5 });
  });

  test("null means not given, for every field that a run may override", async () => {
    const settings = { instructions: "Be kind.", temperature: 0.5, top_p: 0.25, tools: [WEATHER] };
    const conversation = await startConversation(stack, [{ text: "x" }], settings);
    const nothing = {
      model: null,
      instructions: null,
      additional_instructions: null,
      additional_messages: null,
      tools: null,
      metadata: null,
      temperature: null,
      top_p: null,
      tool_choice: null,
      response_format: null,
      truncation_strategy: null,
      max_prompt_tokens: null,
      max_completion_tokens: null,
      parallel_tool_calls: null,
      reasoning_effort: null,
      stream: null,
    };
    const run = await complete(conversation, nothing as unknown as RunBody);
    assert.partialDeepStrictEqual(run, { ...settings, tools: [{ type: "function" }], metadata: {} });
  });

  test("additional instructions alone follow those of the assistant", async () => {
    const conversation = await startConversation(stack, [{ text: "x" }], { instructions: "Be kind." });
    const run = await complete(conversation, { additional_instructions: "Be short." });
    assert.equal(run.instructions, "Be kind.\nBe short.");
  });

  test("additional messages join the thread before the run, in their order", async () => {
    const conversation = await startConversation(stack, [{ text: "not this" }]);
    const question = script([{ text: "this" }]);
    const run = await complete(conversation, {
      additional_messages: [
        { role: "user", content: "one" },
        { role: "assistant", content: "two", metadata: { from: "me" } },
        { role: "user", content: question },
      ],
    });
    const { data } = await stack.openai.beta.threads.messages.list(conversation.thread_id, { order: "asc" });
    assert.deepEqual(
      data.map(({ role, run_id }) => [role, run_id]),
      [
        ["user", null],
        ["user", null],
        ["assistant", null],
        ["user", null],
        ["assistant", run.id],
      ],
    );
    const asked = stack.model.requests.map(({ body }) => body as { messages: ChatCompletionMessageParam[] });
    const request = asked.find(({ messages }) => messages.at(-1)?.content === question);
    assert.deepEqual(said(request?.messages ?? []), ["user: Hello!", "user: one", "assistant: two", "user: Hello!"]);
  });

  for (const [what, choice] of [
    ["a named function", { type: "function", function: { name: "get_weather" } }],
    ["'required'", "required"],
  ] as const) {
    test(`a tool choice of ${what} is sent with the first turn only, or the run would never end`, async () => {
      const conversation = await startConversation(stack, [askWeather("Paris"), { text: "Sunny." }]);
      const { assistant_id, thread_id } = conversation;
      const { runs } = stack.openai.beta.threads;
      const run = await runs.createAndPoll(thread_id, { assistant_id, tool_choice: choice }, QUICK);
      assert.deepEqual(run.tool_choice, choice);
      const tool_outputs = run.required_action?.submit_tool_outputs.tool_calls.map(({ id }) => ({
        tool_call_id: id,
        output: "x",
      }));
      await openSdk(stack, "openai 7").submitAndPoll(run, tool_outputs ?? []);
      assert.deepEqual(conversation.request(0).tool_choice, choice);
      assert.equal(conversation.request(1).tool_choice, undefined);
      assert.equal(conversation.request(1).tools?.length, 1);
    });
  }

  test("a choice of the code interpreter names the function under which the model is offered it", async () => {
    const tools = [{ type: "code_interpreter" as const }];
    const conversation = await startConversation(stack, [{ text: "x" }], { tools });
    await complete(conversation, { tool_choice: { type: "code_interpreter" } });
    assert.deepEqual(conversation.request().tool_choice, { type: "function", function: { name: "code_interpreter" } });
  });

  test("without parallel calls a run waits for one call, even of a model that makes three", async () => {
    const conversation = await startConversation(stack, [askWeather("Paris", "Rome", "Oslo"), { text: "Sunny." }]);
    const { assistant_id, thread_id } = conversation;
    const { runs } = stack.openai.beta.threads;
    const run = await runs.createAndPoll(thread_id, { assistant_id, parallel_tool_calls: false }, QUICK);
    assert.equal(conversation.request().parallel_tool_calls, false);
    const calls = run.required_action?.submit_tool_outputs.tool_calls ?? [];
    assert.deepEqual(
      calls.map((call) => call.function.arguments),
      ['{"city":"Paris"}'],
    );
    const tool_outputs = [{ tool_call_id: calls[0]?.id ?? "", output: "x" }];
    assert.equal((await openSdk(stack, "openai 7").submitAndPoll(run, tool_outputs)).status, "completed");
  });

  test("a strict function and its schema reach the model as they came, keys in their order", async () => {
    const parameters = {
      $schema: "http://json-schema.org/draft-07/schema#",
      type: "object",
      properties: { z: { type: "string" }, a: { type: "integer", enum: [3, 1, 2] }, 1: { type: "null" } },
      required: ["z", "a", "1"],
      additionalProperties: false,
    };
    const tool = { type: "function" as const, function: { name: "f", parameters, strict: true } };
    const conversation = await startConversation(stack, [{ text: "x" }], { tools: [tool] });
    await complete(conversation);
    assert.equal(JSON.stringify(conversation.request().tools?.[0]), JSON.stringify(tool));
  });

  test("a JSON schema for the answer reaches the model, and the run shows it", async () => {
    const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
    const response_format = {
      type: "json_schema" as const,
      json_schema: { name: "number", description: "A number.", schema, strict: true },
    };
    const conversation = await startConversation(stack, [{ text: '{"n":4}' }], { tools: [] });
    const run = await complete(conversation, { response_format });
    assert.deepEqual(run.response_format, response_format);
    assert.deepEqual(conversation.request().response_format, response_format);
  });

  test("an answer in JSON and a built-in tool do not go together", async () => {
    const tools = [{ type: "code_interpreter" as const }];
    const { assistant_id, thread_id } = await startConversation(stack, [{ text: "x" }], { tools });
    const { runs } = stack.openai.beta.threads;
    const response_format = { type: "json_schema" as const, json_schema: { name: "n", schema: { type: "object" } } };
    assert.deepEqual(
      await refusalOf(runs.create(thread_id, { assistant_id, response_format })),
      badRequest(
        "Invalid tools: all tools must be of type `function` when `response_format` is of type `json_schema`.",
      ),
    );
    assert.equal((await runs.list(thread_id)).data.length, 0);
  });

  test("images by URL reach the model beside their text, with their detail", async () => {
    const { openai } = stack;
    const { assistant_id, thread_id } = await startConversation(stack, [{ text: "x" }]);
    const url = "https://example.com/cat.png";
    const question = script([{ text: "a cat" }]);
    await openai.beta.threads.messages.create(thread_id, {
      role: "user",
      content: [
        { type: "text", text: question },
        { type: "image_url", image_url: { url, detail: "low" } },
        { type: "image_url", image_url: { url } },
      ],
    });
    const run = await openai.beta.threads.runs.createAndPoll(thread_id, { assistant_id }, QUICK);
    assert.equal(run.status, "completed", run.last_error?.message);
    const asked = stack.model.requests.map(({ body }) => body as { messages: ChatCompletionMessageParam[] });
    const request = asked.find(({ messages }) => JSON.stringify(messages).includes(url));
    assert.deepEqual(request?.messages.at(-1)?.content, [
      { type: "text", text: question },
      { type: "image_url", image_url: { url, detail: "low" } },
      { type: "image_url", image_url: { url, detail: "auto" } },
    ]);
  });

  test("truncation to the newest messages counts the newest only, and keeps the instructions", async () => {
    const { openai } = stack;
    const conversation = await startConversation(stack, [{ text: "x" }], { instructions: "Be kind." });
    const { thread_id } = conversation;
    for (const content of ["one", "two"]) {
      await openai.beta.threads.messages.create(thread_id, { role: "user", content });
    }
    const question = script([{ text: "x" }]);
    await openai.beta.threads.messages.create(thread_id, { role: "user", content: question });
    const truncation_strategy = { type: "last_messages" as const, last_messages: 2 };
    const run = await complete(conversation, { truncation_strategy });
    assert.deepEqual(run.truncation_strategy, truncation_strategy);
    const asked = stack.model.requests.map(({ body }) => body as { messages: ChatCompletionMessageParam[] });
    const request = asked.find(({ messages }) => messages.at(-1)?.content === question);
    assert.deepEqual(said(request?.messages ?? []), ["system: Be kind.", "user: two", "user: Hello!"]);
  });

  test("a thread that outgrows the prompt budget is truncated, and its newest message is always sent", async () => {
    const { openai } = stack;
    const assistant = await openai.beta.assistants.create({ model: "gpt-4o", instructions: "Be kind." });
    const filler = "many different words and more of them ".repeat(20);
    const question = script([{ text: "x" }]);
    const messages = Array.from({ length: 12 }, (_, index) => ({
      role: "user" as const,
      content: `${index} ${filler}`,
    }));
    const run = await openai.beta.threads.createAndRunPoll(
      {
        assistant_id: assistant.id,
        thread: { messages: [...messages, { role: "user", content: question }] },
        max_prompt_tokens: 600,
      },
      QUICK,
    );
    assert.equal(run.status, "completed");
    const asked = stack.model.requests.map(({ body }) => body as { messages: ChatCompletionMessageParam[] });
    const request = asked.find((body) => body.messages.at(-1)?.content === question);
    assert.equal(request?.messages[0]?.content, "Be kind.");
    const kept = request.messages.length - 2;
    assert.ok(kept >= 1 && kept < 12, `${kept} of the older messages were sent`);
    assert.match(request.messages.at(-2)?.content as string, /^11 /, "what is nearest to the end is kept");
  });

  test("the tool resources of a thread and a run that are made together are echoed by each", async () => {
    const { openai } = stack;
    await stack.putFiles("file-1", "file-2");
    const assistant = await openai.beta.assistants.create({ model: "gpt-4o" });
    const run = await openai.beta.threads.createAndRun({
      assistant_id: assistant.id,
      thread: { tool_resources: { file_search: { vector_store_ids: ["vs_1"] } } },
      tool_resources: { code_interpreter: { file_ids: ["file-1", "file-2"] } },
    });
    const shown = (run as unknown as { tool_resources: unknown }).tool_resources;
    assert.deepEqual(shown, { code_interpreter: { file_ids: ["file-1", "file-2"] } });
    const thread = await openai.beta.threads.retrieve(run.thread_id);
    assert.deepEqual(thread.tool_resources, { file_search: { vector_store_ids: ["vs_1"] } });
  });

  test("the metadata of a run is replaced as a whole, in any state, and null empties it", async () => {
    const sdk = openSdk(stack, "openai 4");
    const conversation = await startConversation(stack, [{ text: "x" }]);
    const run = await complete(conversation, { metadata: { a: "1", b: "2" } });
    assert.deepEqual((await sdk.update(run, { metadata: { c: "3" } })).metadata, { c: "3" });
    const { metadata, ...rest } = await sdk.retrieve(run);
    assert.deepEqual(metadata, { c: "3" });
    const { metadata: _, ...before } = run;
    assert.deepEqual(rest, before);
    assert.deepEqual((await sdk.update(run, { metadata: null })).metadata, {});
  });
});
