// The first program that anybody writes: a tutor with the code interpreter, a thread, a question, a streamed answer,
// without any #script: the model answers as it does in the demo.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { codeSettings } from "../support/code-settings.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { GENERATIONS, openSdk, QUICK } from "./sdk.ts";

let stack: Stack;
before(async () => {
  stack = await startStack({ settings: await codeSettings() });
});
after(() => stack.stop());

const QUESTION = "How do I find x when 5x - 3 = 12?";

for (const generation of GENERATIONS) {
  test(`${generation}: the quickstart runs as it is written, up to the list of messages`, async () => {
    const { client } = openSdk(stack, generation);
    const assistant = await client.beta.assistants.create({
      name: "Tutor",
      instructions: "You help with equations. Run code to check your answers.",
      tools: [{ type: "code_interpreter" }],
      model: "gpt-4o",
    });
    assert.deepEqual(assistant.tools, [{ type: "code_interpreter" }]);
    assert.deepEqual(assistant.tool_resources, { code_interpreter: { file_ids: [] } });
    const thread = await client.beta.threads.create();
    const question = await client.beta.threads.messages.create(thread.id, { role: "user", content: QUESTION });

    let printed = "";
    let pieces = 0;
    const run = await client.beta.threads.runs
      .stream(thread.id, { assistant_id: assistant.id })
      .on("textCreated", () => (printed += "\nassistant > "))
      .on("textDelta", (delta) => (printed += delta.value ?? ""))
      .on("toolCallCreated", (call) => (printed += `\nassistant > ${call.type}\n`))
      .on("toolCallDelta", (delta) => {
        if (delta.type !== "code_interpreter") return;
        printed += delta.code_interpreter?.input ?? "";
        if (delta.code_interpreter?.input) pieces += 1;
        for (const output of delta.code_interpreter?.outputs ?? []) {
          if (output.type === "logs") printed += `\noutput >\n${output.logs}`;
        }
      })
      .finalRun();
    assert.equal(run.status, "completed");

    const { data } = await client.beta.threads.messages.list(thread.id);
    const [answer, asked] = data;
    assert.deepEqual(asked, question);
    assert.ok(answer?.content[0]?.type === "text");
    const { value } = answer.content[0].text;
    assert.match(value, /^I am the scripted demo model, not a real AI.*: x = 3$/);
    const [, code = ""] = /code_interpreter\n([^]*)\noutput >\n/.exec(printed) ?? [];
    assert.match(code, /^from sympy import[^]*5\*x - 3/);
    assert.ok(pieces > 5, `the code came in ${pieces} pieces`);
    assert.equal(printed, `\nassistant > code_interpreter\n${code}\noutput >\nx = 3\n\nassistant > ${value}`);
  });

  test(`${generation}: the quickstart without streaming polls until the run is done, and answers a second question`, async () => {
    const { client } = openSdk(stack, generation);
    const assistant = await client.beta.assistants.create({ name: "Tutor", model: "gpt-4o" });
    const thread = await client.beta.threads.create();
    for (const content of [QUESTION, "And why?"]) {
      await client.beta.threads.messages.create(thread.id, { role: "user", content });
      const body = { assistant_id: assistant.id, instructions: "Call the user Jo." };
      const run = await client.beta.threads.runs.createAndPoll(thread.id, body, QUICK);
      assert.equal(run.status, "completed");
    }
    const { data } = await client.beta.threads.messages.list(thread.id);
    assert.deepEqual(
      data.map((message) => message.role),
      ["assistant", "user", "assistant", "user"],
    );
  });

  test(`${generation}: a weather function is called for both cities, and their outputs are told`, async () => {
    const sdk = openSdk(stack, generation);
    const assistant = await sdk.client.beta.assistants.create({
      model: "gpt-4o",
      tools: [
        {
          type: "function",
          function: {
            name: "get_current_temperature",
            description: "Get the current temperature for a specific location",
            parameters: {
              type: "object",
              properties: { location: { type: "string" }, unit: { type: "string", enum: ["Celsius", "Fahrenheit"] } },
              required: ["location", "unit"],
            },
          },
        },
      ],
    });
    const content = "What is the temperature in Paris and in London?";
    const thread = await sdk.client.beta.threads.create({ messages: [{ role: "user", content }] });
    const run = await sdk.client.beta.threads.runs.createAndPoll(thread.id, { assistant_id: assistant.id }, QUICK);
    const calls = run.required_action?.submit_tool_outputs.tool_calls ?? [];
    assert.deepEqual(
      calls.map((call) => (JSON.parse(call.function.arguments) as { location: string }).location),
      ["Paris", "London"],
    );
    const done = await sdk.submitAndPoll(
      run,
      calls.map(({ id }, index) => ({ tool_call_id: id, output: `${57 + index}` })),
    );
    assert.equal(done.status, "completed");
    const [answer] = (await sdk.client.beta.threads.messages.list(thread.id, { run_id: run.id })).data;
    assert.match(JSON.stringify(answer?.content), /returned: 57.*returned: 58/);
  });
}
