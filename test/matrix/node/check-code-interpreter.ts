// Check 7: runs that run code over a file, and show what it has drawn and written.
import assert from "node:assert/strict";
import type { Message } from "openai/resources/beta/threads/messages";
import { withoutIndexes } from "../../support/delta-accumulation.ts";
import { scripted } from "../../support/scripts.ts";
import { checkCall, checkDeltas, checkFiles, checkLink, codeAndLink, TABLE } from "../coding.ts";
import type { CodeOutput } from "../coding.ts";
import { QUICK } from "./client.ts";
import type { RunRef, Sdk } from "./client.ts";

const tools = [{ type: "code_interpreter" as const }];

export async function checkCodeInterpreter(sdk: Sdk): Promise<void> {
  const { assistants } = sdk.client.beta;
  const file = new File([TABLE.text], TABLE.name);
  const { id: file_id } = await sdk.client.files.create({ file, purpose: "assistants" });
  const tool_resources = { code_interpreter: { file_ids: [file_id] } };
  const withFile = await assistants.create({ model: "gpt-4o", tools, tool_resources });
  assert.deepEqual(withFile.tool_resources, tool_resources);
  await checkPolled(sdk, withFile.id);
  const { id } = await assistants.create({ model: "gpt-4o", tools });
  await checkStreamed(sdk, id, file_id);
}

async function checkPolled(sdk: Sdk, assistant_id: string): Promise<void> {
  const { threads } = sdk.client.beta;
  const thread = await threads.create({ messages: [{ role: "user", content: scripted(codeAndLink()) }] });
  const run = await threads.runs.createAndPoll(thread.id, { assistant_id }, QUICK);
  assert.equal(run.status, "completed", JSON.stringify(run.last_error));
  const [message] = (await threads.messages.list(thread.id, { run_id: run.id })).data;
  await checkAnswer(sdk, run, message?.content);
}

/** As the quickstart prints code and its outputs; the file is attached to the message. */
async function checkStreamed(sdk: Sdk, assistant_id: string, file_id: string): Promise<void> {
  const { threads } = sdk.client.beta;
  const attachments = [{ file_id, tools }];
  const thread = await threads.create({
    messages: [{ role: "user", content: scripted(codeAndLink()), attachments }],
  });
  const created: string[] = [];
  const input: string[] = [];
  const outputs: CodeOutput[] = [];
  const stream = threads.runs
    .stream(thread.id, { assistant_id })
    .on("toolCallCreated", ({ type }) => created.push(type))
    .on("toolCallDelta", (delta) => {
      if (delta.type !== "code_interpreter") return;
      if (delta.code_interpreter?.input) input.push(delta.code_interpreter.input);
      outputs.push(...((delta.code_interpreter?.outputs ?? []) as CodeOutput[]));
    });
  const run = await stream.finalRun();
  assert.equal(run.status, "completed", JSON.stringify(run.last_error));
  assert.deepEqual(created, ["code_interpreter"]);
  checkDeltas(
    input,
    outputs.flatMap((output) => (output.type === "logs" ? [output.logs] : [])),
  );
  const [message, ...others] = await stream.finalMessages();
  assert.equal(others.length, 0);
  // What some generations build of deltas keeps their indexes.
  const content = withoutIndexes(message?.content) as Message["content"];
  await checkAnswer(sdk, run, content);
}

async function checkAnswer(sdk: Sdk, run: RunRef, content: Message["content"] = []): Promise<void> {
  const [step] = await sdk.steps(run);
  assert.ok(step?.step_details.type === "tool_calls");
  const [call, ...others] = step.step_details.tool_calls;
  assert.ok(call?.type === "code_interpreter" && others.length === 0);
  const image = checkCall(call as Parameters<typeof checkCall>[0]);
  const written = checkLink(content, image);
  const { files } = sdk.client;
  await checkFiles(await files.content(image), await files.content(written));
  assert.equal((await files.retrieve(written)).purpose, "assistants_output");
}
