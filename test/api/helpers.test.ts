// The helpers that the SDKs put around streams and polling: listeners, final objects, and the loop of function calls.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { AssistantStream } from "openai/lib/AssistantStream";
import type { Run } from "openai/resources/beta/threads/runs/runs";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { askWeather, script, startConversation } from "./conversation.ts";
import { GENERATIONS, openSdk, QUICK } from "./sdk.ts";
import { checkStream, outline } from "./stream.ts";

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.stop());

const SAID = "The quick brown fox.";

/** Listens to everything that a helper tells, and writes down in what order it was told. */
function listen(helper: AssistantStream) {
  const heard: string[] = [];
  const text: string[] = [];
  const args: string[] = [];
  const say = (name: string) => {
    if (heard.at(-1) !== name) heard.push(name);
  };
  helper
    .on("connect", () => say("connect"))
    .on("messageCreated", ({ status }) => say(`messageCreated ${status}`))
    .on("messageDelta", () => say("messageDelta"))
    .on("messageDone", ({ status }) => say(`messageDone ${status}`))
    .on("runStepCreated", ({ type }) => say(`runStepCreated ${type}`))
    .on("runStepDelta", () => say("runStepDelta"))
    .on("runStepDone", ({ status }) => say(`runStepDone ${status}`))
    .on("toolCallCreated", (call) => say(`toolCallCreated ${call.type === "function" && call.function.name}`))
    .on("toolCallDelta", (delta) => {
      say("toolCallDelta");
      if (delta.type === "function") args.push(delta.function?.arguments ?? "");
    })
    .on("toolCallDone", (call) => say(`toolCallDone ${call.type === "function" && call.function.arguments}`))
    .on("textCreated", () => say("textCreated"))
    .on("textDelta", ({ value }) => {
      say("textDelta");
      text.push(value ?? "");
    })
    .on("textDone", ({ value }) => say(`textDone ${value}`))
    .on("end", () => say("end"))
    .on("error", (error) => say(`error ${error.message}`));
  const joined = () => ({ text: text.join(""), args: args.join("") });
  return { heard, joined };
}

function outputs(run: Run, output: string) {
  return (run.required_action?.submit_tool_outputs.tool_calls ?? []).map(({ id }) => ({ tool_call_id: id, output }));
}

suite("helpers", { concurrency: 4 }, () => {
  for (const generation of GENERATIONS) {
    test(`${generation}: every listener of a streamed text is told, in order`, async () => {
      const { client } = openSdk(stack, generation);
      const { assistant_id, thread_id } = await startConversation(stack, [{ text: SAID, chunk_ms: 30 }]);
      const helper = client.beta.threads.runs.stream(thread_id, { assistant_id });
      const { heard, joined } = listen(helper);
      const run = await helper.finalRun();
      await helper.done();
      assert.equal(run.status, "completed");
      assert.equal(joined().text, SAID);
      assert.deepEqual(
        heard.filter((name) => name !== "messageDelta" && name !== "textDelta"),
        [
          "connect",
          "runStepCreated message_creation",
          "messageCreated in_progress",
          "textCreated",
          `textDone ${SAID}`,
          "messageDone completed",
          "runStepDone completed",
          "end",
        ],
      );

      const [message, ...others] = await helper.finalMessages();
      assert.equal(others.length, 0);
      assert.partialDeepStrictEqual(message?.content, [{ type: "text", text: { value: SAID, annotations: [] } }]);
      const [step] = await helper.finalRunSteps();
      assert.equal(step?.status, "completed");
      assert.ok(step.usage);
    });

    test(`${generation}: every listener of streamed calls is told, and the rest follows on the next stream`, async () => {
      const sdk = openSdk(stack, generation);
      const { assistant_id, thread_id } = await startConversation(stack, [askWeather("Paris", "Rome"), { text: SAID }]);
      const first = sdk.client.beta.threads.runs.stream(thread_id, { assistant_id });
      const calling = listen(first);
      const waiting = await first.finalRun();
      await first.done();
      assert.equal(waiting.status, "requires_action");
      assert.deepEqual(
        calling.heard.filter((name) => name !== "toolCallDelta" && name !== "runStepDelta"),
        [
          "connect",
          "runStepCreated tool_calls",
          "toolCallCreated get_weather",
          'toolCallDone {"city":"Paris"}',
          "toolCallCreated get_weather",
          'toolCallDone {"city":"Rome"}',
          "end",
        ],
      );
      assert.equal(calling.joined().args, '{"city":"Paris"}{"city":"Rome"}');

      const second = sdk.submitStream(waiting, outputs(waiting, "18 °C"));
      const answering = listen(second);
      const done = await second.finalRun();
      await second.done();
      assert.equal(done.status, "completed");
      assert.equal(answering.joined().text, SAID);
      assert.equal(answering.heard[1], "runStepDone completed");
      const steps = await second.finalRunSteps();
      assert.deepEqual(
        steps.map((step) => [step.type, step.status]),
        [
          ["tool_calls", "completed"],
          ["message_creation", "completed"],
        ],
      );
      assert.partialDeepStrictEqual(steps[0]?.step_details, {
        tool_calls: [{ function: { output: "18 °C" } }, { function: { output: "18 °C" } }],
      });
      assert.equal((await second.finalMessages()).length, 1);
    });

    test(`${generation}: the loop of the function guide ends, in one handler over all streams`, async () => {
      const sdk = openSdk(stack, generation);
      const { assistant_id, thread_id } = await startConversation(stack, [
        askWeather("Paris"),
        askWeather("Rome"),
        { text: SAID },
      ]);
      let helper = sdk.client.beta.threads.runs.stream(thread_id, { assistant_id });
      let rounds = 0;
      let text = "";
      for (;;) {
        helper.on("textDelta", ({ value }) => {
          text += value ?? "";
        });
        const run = await helper.finalRun();
        if (run.status !== "requires_action") break;
        rounds += 1;
        helper = sdk.submitStream(run, outputs(run, "sunny"));
      }
      assert.equal(rounds, 2);
      assert.equal(text, SAID);
    });

    test(`${generation}: a thread and a run that are made together stream through the helper`, async () => {
      const { client } = openSdk(stack, generation);
      const assistant = await client.beta.assistants.create({ model: "gpt-4o" });
      const helper = client.beta.threads.createAndRunStream({
        assistant_id: assistant.id,
        thread: { messages: [{ role: "user", content: script([{ text: SAID }]) }] },
      });
      const { joined } = listen(helper);
      assert.equal((await helper.finalRun()).status, "completed");
      assert.equal(joined().text, SAID);
    });

    test(`${generation}: submitting and polling in one call waits for the end`, async () => {
      const sdk = openSdk(stack, generation);
      const { assistant_id, thread_id } = await startConversation(stack, [askWeather("Paris"), { text: SAID }]);
      const waiting = await sdk.client.beta.threads.runs.createAndPoll(thread_id, { assistant_id }, QUICK);
      const done = await sdk.submitAndPoll(waiting, outputs(waiting, "sunny"));
      assert.equal(done.status, "completed");
    });

    test(`${generation}: a run that fails ends the helper with the failed run`, async () => {
      const { client } = openSdk(stack, generation);
      const { assistant_id, thread_id } = await startConversation(stack, [{ error: { status: 401 } }]);
      const helper = client.beta.threads.runs.stream(thread_id, { assistant_id });
      const { heard } = listen(helper);
      const run = await helper.finalRun();
      assert.equal(run.status, "failed");
      assert.equal(run.last_error?.code, "server_error");
      assert.ok(!heard.some((name) => name.startsWith("error")));
    });

    test(`${generation}: a helper that is aborted leaves the run alone`, async () => {
      const sdk = openSdk(stack, generation);
      const { assistant_id, thread_id } = await startConversation(stack, [{ text: SAID, chunk_ms: 60 }]);
      const helper = sdk.client.beta.threads.runs.stream(thread_id, { assistant_id });
      const aborted = assert.rejects(helper.finalRun(), /aborted/i);
      helper.on("textDelta", () => helper.abort());
      const [run] = await Promise.all([
        new Promise<Run>((resolve) =>
          helper.on("event", ({ event, data }) => {
            if (event === "thread.run.created") resolve(data);
          }),
        ),
        aborted,
      ]);
      assert.equal((await sdk.poll(run)).status, "completed");
    });

    test(`${generation}: a refused request rejects the helper with the server's words`, async () => {
      const { client } = openSdk(stack, generation);
      const { thread_id } = await startConversation(stack, [{ text: SAID }]);
      const helper = client.beta.threads.runs.stream(thread_id, { assistant_id: "asst_unknown" });
      await assert.rejects(helper.finalRun(), /404 No assistant found with id 'asst_unknown'\./);
    });
  }

  test("the events that a helper iterates are those of the raw stream", async () => {
    const { assistant_id, thread_id } = await startConversation(stack, [{ text: SAID }]);
    const events = [];
    for await (const event of stack.openai.beta.threads.runs.stream(thread_id, { assistant_id })) events.push(event);
    checkStream(events);
    assert.equal(outline(events)[0], "run.created");
    assert.equal(outline(events).at(-1), "run.completed");
  });

  test("newest: the helper ends with an incomplete run, which older ones do not know", async () => {
    const { assistant_id, thread_id } = await startConversation(stack, [{ text: "word ".repeat(1000) }]);
    const helper = stack.openai.beta.threads.runs.stream(thread_id, { assistant_id, max_completion_tokens: 256 });
    assert.equal((await helper.finalRun()).status, "incomplete");
    const [message] = await helper.finalMessages();
    assert.equal(message?.status, "incomplete");
  });
});
