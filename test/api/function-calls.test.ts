// Functions: the run stops for them, takes their outputs, and goes on.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { waitUntil } from "../support/wait-until.ts";
import { askWeather, startConversation } from "./conversation.ts";
import type { ScriptedTurn } from "./conversation.ts";
import { badRequest, notFound, refusalOf } from "./refusal.ts";
import { GENERATIONS, openSdk, QUICK } from "./sdk.ts";
import type { RunRef, ToolOutput } from "./sdk.ts";
import { find, MESSAGE, outline, readAll, textOf } from "./stream.ts";

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.stop());

const CREATED = ["run.created", "run.queued", "run.in_progress"];
const TOOLS = ["run.step.created", "run.step.in_progress", "run.step.delta"];
const RESUMED = ["run.step.completed", "run.queued", "run.in_progress"];

type WaitingRun = RunRef & { required_action: { submit_tool_outputs: { tool_calls: { id: string }[] } } | null };

function callIds(run: WaitingRun): string[] {
  return run.required_action?.submit_tool_outputs.tool_calls.map((call) => call.id) ?? [];
}

/** One output for each call that the run waits for. */
function answer(run: WaitingRun, output = "sunny") {
  return callIds(run).map((tool_call_id) => ({ tool_call_id, output }));
}

/** A run that waits for outputs. */
async function park(turns: ScriptedTurn[], body: { expires_after_seconds?: number } = {}) {
  const conversation = await startConversation(stack, turns);
  const { assistant_id, thread_id } = conversation;
  const run = await stack.openai.beta.threads.runs.createAndPoll(thread_id, { assistant_id, ...body }, QUICK);
  assert.equal(run.status, "requires_action");
  return { ...conversation, run };
}

suite("function calls", { concurrency: 4 }, () => {
  for (const generation of GENERATIONS) {
    test(`${generation}: a polled run waits for one call and completes with its output`, async () => {
      const sdk = openSdk(stack, generation);
      const conversation = await startConversation(stack, [askWeather("Paris"), { text: "It is sunny." }]);
      const { assistant_id, thread_id } = conversation;
      const waiting = await sdk.client.beta.threads.runs.createAndPoll(thread_id, { assistant_id }, QUICK);
      assert.equal(waiting.status, "requires_action");
      const [id = ""] = callIds(waiting);
      assert.match(id, /^call_[A-Za-z0-9]+$/);
      assert.deepEqual(waiting.required_action, {
        type: "submit_tool_outputs",
        submit_tool_outputs: {
          tool_calls: [{ id, type: "function", function: { name: "get_weather", arguments: '{"city":"Paris"}' } }],
        },
      });
      const done = await sdk.submitAndPoll(waiting, [{ tool_call_id: id, output: "18 °C" }]);
      assert.equal(done.status, "completed");
      assert.equal(done.required_action, null);
      const [message] = (await sdk.client.beta.threads.messages.list(thread_id, { run_id: done.id })).data;
      assert.partialDeepStrictEqual(message?.content[0], { type: "text", text: { value: "It is sunny." } });
      assert.partialDeepStrictEqual(conversation.request(1).messages.slice(1), [
        {
          role: "assistant",
          tool_calls: [{ id, type: "function", function: { name: "get_weather", arguments: '{"city":"Paris"}' } }],
        },
        { role: "tool", tool_call_id: id, content: "18 °C" },
      ]);
    });

    test(`${generation}: a streamed run ends its stream at the calls, and submitting streams the rest`, async () => {
      const sdk = openSdk(stack, generation);
      const { assistant_id, thread_id } = await startConversation(stack, [askWeather("Rome"), { text: "Sunny." }]);
      const first = await readAll(await sdk.client.beta.threads.runs.create(thread_id, { assistant_id, stream: true }));
      assert.deepEqual(outline(first), [...CREATED, ...TOOLS, "run.requires_action"]);
      assert.deepEqual(find(first, "thread.run.step.created").step_details, { type: "tool_calls", tool_calls: [] });
      const waiting = find(first, "thread.run.requires_action");

      const second = await readAll(await sdk.submitRaw(waiting, answer(waiting)));
      assert.deepEqual(outline(second), [...RESUMED, ...MESSAGE, "run.completed"]);
      const step = find(second, "thread.run.step.completed");
      assert.equal(step.id, find(first, "thread.run.step.created").id);
      assert.partialDeepStrictEqual(step.step_details, {
        type: "tool_calls",
        tool_calls: [{ type: "function", function: { name: "get_weather", output: "sunny" } }],
      });
      assert.ok(step.usage);
      assert.equal(find(second, "thread.run.queued").required_action, null);
      assert.equal(textOf(second), "Sunny.");
    });

    test(`${generation}: three parallel calls share a step and are answered together`, async () => {
      const sdk = openSdk(stack, generation);
      const cities = ["Paris", "Rome", "Oslo"];
      const conversation = await startConversation(stack, [askWeather(...cities), { text: "All sunny." }]);
      const { assistant_id, thread_id } = conversation;
      const first = await readAll(await sdk.client.beta.threads.runs.create(thread_id, { assistant_id, stream: true }));
      const waiting = find(first, "thread.run.requires_action");
      const calls = waiting.required_action?.submit_tool_outputs.tool_calls ?? [];
      assert.deepEqual(
        calls.map((call) => JSON.parse(call.function.arguments) as unknown),
        cities.map((city) => ({ city })),
      );
      assert.equal(new Set(callIds(waiting)).size, 3);
      // In another order than they were asked: the model gets them in the order of its calls.
      const outputs = calls.map((call) => ({ tool_call_id: call.id, output: call.function.arguments }));
      const done = await sdk.submitAndPoll(waiting, outputs.toReversed());
      assert.equal(done.status, "completed");
      assert.deepEqual(
        conversation.request(1).messages.flatMap((message) => (message.role === "tool" ? [message.content] : [])),
        outputs.map((output) => output.output),
      );
      const [step, ...others] = await sdk.steps(done);
      assert.equal(step?.type, "tool_calls");
      assert.equal(step.step_details.type === "tool_calls" && step.step_details.tool_calls.length, 3);
      assert.deepEqual(
        others.map((other) => other.type),
        ["message_creation"],
      );
    });

    test(`${generation}: two rounds of calls are two steps, and usage is the sum of all turns`, async () => {
      const sdk = openSdk(stack, generation);
      const usage = (prompt_tokens: number, completion_tokens: number) => ({
        usage: { prompt_tokens, completion_tokens },
      });
      const { assistant_id, thread_id } = await startConversation(stack, [
        { ...askWeather("Paris"), ...usage(100, 10) },
        { ...askWeather("Rome"), ...usage(200, 20) },
        { text: "Done.", ...usage(300, 30) },
      ]);
      const first = await sdk.client.beta.threads.runs.createAndPoll(thread_id, { assistant_id }, QUICK);
      assert.equal(first.usage, null);
      const second = await sdk.submitAndPoll(first, answer(first));
      assert.equal(second.status, "requires_action");
      assert.notDeepEqual(callIds(second), callIds(first));
      const done = await sdk.submitAndPoll(second, answer(second));
      assert.partialDeepStrictEqual(done, {
        status: "completed",
        usage: { prompt_tokens: 600, completion_tokens: 60, total_tokens: 660 },
      });
      const steps = await sdk.steps(done);
      assert.deepEqual(
        steps.map((step) => [step.type, step.status, step.usage?.total_tokens]),
        [
          ["tool_calls", "completed", 110],
          ["tool_calls", "completed", 220],
          ["message_creation", "completed", 330],
        ],
      );
    });

    test(`${generation}: a text before the calls is a message and a step of its own`, async () => {
      const sdk = openSdk(stack, generation);
      const conversation = await startConversation(stack, [
        { text: "Let me look.", ...askWeather("Paris") },
        { text: "Sunny." },
      ]);
      const { assistant_id, thread_id } = conversation;
      const first = await readAll(await sdk.client.beta.threads.runs.create(thread_id, { assistant_id, stream: true }));
      assert.deepEqual(outline(first), [...CREATED, ...MESSAGE, ...TOOLS, "run.requires_action"]);
      const waiting = find(first, "thread.run.requires_action");
      const second = await readAll(await sdk.submitRaw(waiting, answer(waiting)));
      assert.deepEqual(outline(second), [...RESUMED, ...MESSAGE, "run.completed"]);
      const messages = await sdk.client.beta.threads.messages.list(thread_id, { run_id: waiting.id, order: "asc" });
      assert.deepEqual(
        messages.data.map((message) => message.content[0]?.type === "text" && message.content[0].text.value),
        ["Let me look.", "Sunny."],
      );
      assert.partialDeepStrictEqual(conversation.request(1).messages[1], {
        role: "assistant",
        content: "Let me look.",
        tool_calls: [{ type: "function" }],
      });
    });
  }

  test("a waiting run shows its calls in its open step, without output and without usage", async () => {
    const { run } = await park([askWeather("Paris")]);
    const { data } = await stack.openai.beta.threads.runs.steps.list(run.id, { thread_id: run.thread_id });
    assert.equal(data.length, 1);
    assert.partialDeepStrictEqual(data[0], {
      status: "in_progress",
      type: "tool_calls",
      usage: null,
      completed_at: null,
      step_details: { tool_calls: [{ id: callIds(run)[0], function: { name: "get_weather", output: null } }] },
    });
    assert.equal((data[0] as unknown as { expires_at: number }).expires_at, run.expires_at);
  });

  test("submitting clears the required action at once, keeps the expiry, and restarts the clock", async () => {
    const { openai } = stack;
    const { run } = await park([askWeather("Paris"), { text: "Sunny." }]);
    const { thread_id } = run;
    const startedAt = run.started_at ?? 0;
    await waitUntil("the clock shows another second", () => Math.floor(Date.now() / 1000) > startedAt);
    const queued = await openai.beta.threads.runs.submitToolOutputs(run.id, { thread_id, tool_outputs: answer(run) });
    assert.partialDeepStrictEqual(queued, {
      status: "queued",
      required_action: null,
      started_at: startedAt,
      expires_at: run.expires_at,
      usage: null,
    });
    const next = await openai.beta.threads.runs.retrieve(run.id, { thread_id });
    assert.notEqual(next.status, "requires_action");
    const done = await openai.beta.threads.runs.poll(run.id, { thread_id }, QUICK);
    assert.equal(done.status, "completed");
    assert.ok((done.started_at ?? 0) > startedAt);
  });

  test("a run that is cancelled between its calls leaves a thread on which the next run is answered", async () => {
    const { openai } = stack;
    const { run, assistant_id, thread_id } = await park([{ text: "Let me look.", ...askWeather("Paris") }]);
    await openSdk(stack, "openai 7").cancel(run);
    const additional_messages = [{ role: "user" as const, content: "Never mind. How are you?" }];
    const next = await openai.beta.threads.runs.createAndPoll(
      thread_id,
      { assistant_id, additional_messages, tool_choice: "none" },
      QUICK,
    );
    assert.equal(next.status, "completed", next.last_error?.message);
    const { data } = await openai.beta.threads.messages.list(thread_id, { order: "asc" });
    assert.deepEqual(
      data.map((message) => [message.role, message.status]),
      [
        ["user", "completed"],
        ["assistant", "completed"],
        ["user", "completed"],
        ["assistant", "completed"],
      ],
    );
  });

  test("outputs for some of the calls are refused, and the run goes on waiting for all", async () => {
    const { run } = await park([askWeather("Paris", "Rome"), { text: "Sunny." }]);
    const [a = "", b = ""] = callIds(run);
    await refuses(run, [{ tool_call_id: a, output: "x" }], expected([a, b], [a]));
    await refuses(run, [], expected([a, b], []));
    const sdk = openSdk(stack, "openai 7");
    assert.equal((await sdk.retrieve(run)).status, "requires_action");
    assert.equal((await sdk.submitAndPoll(run, answer(run))).status, "completed");
  });

  test("outputs of unknown, additional, repeated or nameless calls are refused", async () => {
    const { run } = await park([askWeather("Paris")]);
    const [a = ""] = callIds(run);
    const output = "x";
    await refuses(run, [{ tool_call_id: "call_unknown", output }], expected([a], ["call_unknown"]));
    await refuses(run, [...answer(run), { tool_call_id: "call_more", output }], expected([a], [a, "call_more"]));
    await refuses(run, [...answer(run), ...answer(run)], expected([a], [a, a]));
    await refuses(run, [{ output }], expected([a], [""]));
  });

  test("outputs for a run that waits for none are refused with its status", async () => {
    const { openai } = stack;
    const { run } = await park([askWeather("Paris"), { text: "Sunny." }]);
    const done = await openSdk(stack, "openai 7").submitAndPoll(run, answer(run));
    await refuses(done, answer(run), 'Runs in status "completed" do not accept tool outputs.');

    const { assistant_id, thread_id } = await startConversation(stack, [{ text: "x", delay_ms: 2000 }]);
    const busy = await openai.beta.threads.runs.create(thread_id, { assistant_id });
    const { message } = await refusalOf(openSdk(stack, "openai 7").submit(busy, []));
    assert.match(String(message), /^Runs in status "(queued|in_progress)" do not accept tool outputs\.$/);
  });

  test("of two submissions at the same moment one is taken and the other refused", async () => {
    const { run } = await park([askWeather("Paris"), { text: "Sunny." }]);
    const sdk = openSdk(stack, "openai 7");
    const results = await Promise.allSettled([sdk.submit(run, answer(run)), sdk.submit(run, answer(run))]);
    assert.deepEqual(results.map((result) => result.status).toSorted(), ["fulfilled", "rejected"]);
    const lost = results.find((result) => result.status === "rejected");
    assert.match(String(lost?.reason), /Runs in status "(queued|in_progress|completed)" do not accept tool outputs\./);
    assert.equal((await sdk.poll(run)).status, "completed");
  });

  test("outputs that come after the expiry are refused, even before anyone has noticed it", async () => {
    const { run } = await park([askWeather("Paris")], { expires_after_seconds: 2 });
    await waitUntil("the time is over", () => Date.now() / 1000 > (run.expires_at ?? 0) + 1);
    await refuses(run, answer(run), 'Runs in status "expired" do not accept tool outputs.');
  });

  test("a missing output counts as an empty one", async () => {
    const conversation = await park([askWeather("Paris"), { text: "Hm." }]);
    const { run } = conversation;
    const done = await openSdk(stack, "openai 7").submitAndPoll(
      run,
      callIds(run).map((tool_call_id) => ({ tool_call_id })),
    );
    assert.equal(done.status, "completed");
    assert.equal(conversation.request(1).messages.at(-1)?.content, "");
  });

  test("outputs of 512 kB or more together, or one of more than a million characters, are too large", async () => {
    const { run } = await park([askWeather("Paris", "Rome"), { text: "Sunny." }]);
    const [a = "", b = ""] = callIds(run);
    const half = "é".repeat(128 * 1024); // two bytes each
    const sdk = openSdk(stack, "openai 7");
    const tooLarge = sdk.submit(run, [
      { tool_call_id: a, output: half },
      { tool_call_id: b, output: half },
    ]);
    const tooLong = sdk.submit(run, [
      { tool_call_id: a, output: "x" },
      { tool_call_id: b, output: "x".repeat(1_048_577) },
    ]);
    const [large, long] = await Promise.all([refusalOf(tooLarge), refusalOf(tooLong)]);
    assert.deepEqual(
      large,
      badRequest(
        "'tool_outputs' too large: the combined tool outputs must be less than 512kb.",
        "tool_outputs",
        "invalid_value",
      ),
    );
    assert.deepEqual(
      long,
      badRequest(
        "Invalid 'tool_outputs[1].output': string too long. Expected a string with maximum length 1048576, but got a string with length 1048577 instead.",
        "tool_outputs[1].output",
        "string_above_max_length",
      ),
    );
    const done = await sdk.submitAndPoll(run, [
      { tool_call_id: a, output: half },
      { tool_call_id: b, output: half.slice(1) },
    ]);
    assert.equal(done.status, "completed");
  });

  test("outputs may be submitted while the stream that asked for them is still open", async () => {
    const { openai } = stack;
    const { assistant_id, thread_id } = await startConversation(stack, [askWeather("Paris"), { text: "Sunny." }]);
    const sdk = openSdk(stack, "openai 7");
    const statuses: string[] = [];
    for await (const event of await openai.beta.threads.runs.create(thread_id, { assistant_id, stream: true })) {
      if (event.event !== "thread.run.requires_action") continue;
      statuses.push((await sdk.retrieve(event.data)).status);
      await sdk.submit(event.data, answer(event.data));
      statuses.push((await sdk.poll(event.data)).status);
    }
    assert.deepEqual(statuses, ["requires_action", "completed"]);
  });

  test("a run goes on with its own copy when the assistant is deleted while it waits", async () => {
    const { openai } = stack;
    const conversation = await park([askWeather("Paris"), { text: "Sunny." }]);
    const { run, assistant_id, thread_id } = conversation;
    await openai.beta.assistants.delete(assistant_id);
    const done = await openSdk(stack, "openai 7").submitAndPoll(run, answer(run));
    assert.equal(done.status, "completed");
    assert.equal(done.assistant_id, assistant_id);
    assert.deepEqual(conversation.request(1).tools?.length, 1);
    assert.deepEqual(
      await refusalOf(openai.beta.threads.runs.create(thread_id, { assistant_id })),
      notFound(`No assistant found with id '${assistant_id}'.`),
    );
  });

  test("arguments that are no JSON are handed on as the model wrote them", async () => {
    const broken = '{"city": "Par';
    const { run } = await park([{ tool_calls: [{ name: "get_weather", arguments: broken }] }, { text: "Hm." }]);
    const [call] = run.required_action?.submit_tool_outputs.tool_calls ?? [];
    assert.equal(call?.function.arguments, broken);
    assert.equal((await openSdk(stack, "openai 7").submitAndPoll(run, answer(run))).status, "completed");
  });

  test("calls of which the model repeats or invents ids get ids of the usual form", async () => {
    const call = { name: "get_weather", arguments: {} };
    const { run } = await park([
      {
        tool_calls: [
          { ...call, id: "toolu_01-a.b" },
          { ...call, id: "call_abcdefgh12345678" },
          { ...call, id: "call_abcdefgh12345678" },
        ],
      },
      { text: "Hm." },
    ]);
    const ids = callIds(run);
    assert.equal(new Set(ids).size, 3);
    for (const id of ids) assert.match(id, /^call_[A-Za-z0-9]{8,}$/);
    assert.equal((await openSdk(stack, "openai 7").submitAndPoll(run, answer(run))).status, "completed");
  });

  test("a function call that the model ends with 'stop' is a call all the same", async () => {
    const { run } = await park([{ ...askWeather("Paris"), finish_reason: "stop" }]);
    assert.equal(callIds(run).length, 1);
  });

  test("a run of fifty rounds of calls completes, and its usage counts every one", async () => {
    const rounds = 50;
    const usage = { prompt_tokens: 2, completion_tokens: 1 };
    const turns = Array.from({ length: rounds }, () => ({ ...askWeather("Paris"), usage }));
    const parked = await park([...turns, { text: "Enough.", usage }]);
    const sdk = openSdk(stack, "openai 7");
    let run = parked.run;
    for (let round = 0; round < rounds; round++) {
      assert.equal(run.status, "requires_action");
      run = await sdk.submitAndPoll(run, answer(run));
    }
    assert.equal(run.status, "completed");
    assert.equal(run.usage?.total_tokens, 3 * (rounds + 1));
    assert.equal((await sdk.steps(run)).length, rounds + 1);
  });
});

function expected(wanted: string[], got: string[]): string {
  const list = (ids: string[]) => `[${ids.map((id) => `'${id}'`).join(", ")}]`;
  return `Expected tool outputs for call_ids ${list(wanted)}, got ${list(got)}`;
}

async function refuses(run: RunRef, outputs: ToolOutput[], message: string): Promise<void> {
  assert.deepEqual(await refusalOf(openSdk(stack, "openai 7").submit(run, outputs)), badRequest(message));
}
