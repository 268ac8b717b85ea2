// What Code Interpreter is used for most: a table is uploaded, and comes back as a picture and as a tidy table. Without any
// #script: the model answers as it does in the demo.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { toFile } from "openai";
import type OpenAI from "openai";
import type { Message } from "openai/resources/beta/threads/messages";
import { codeSettings } from "../support/code-settings.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { GENERATIONS, openSdk, QUICK } from "./sdk.ts";

let stack: Stack;
before(async () => {
  stack = await startStack({ settings: await codeSettings() });
});
after(() => stack.stop());

const TABLE = "month,sales\nJan, 12\nFeb,15\nFeb,15\nMar,\nApr,9\n";
const TIDY = "month,sales\nJan,12\nFeb,15\nApr,9\n";
const QUESTION = "Please plot sales.csv, and give me the table without what is wrong in it.";
const SIGNATURE_OF_PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

async function download({ files }: OpenAI, file_id: string): Promise<Buffer> {
  return Buffer.from(await (await files.content(file_id)).arrayBuffer());
}

/** Follows an answer's picture and link, as a program that shows it does. */
async function checkAnswer(client: OpenAI, message: Message | undefined): Promise<void> {
  const [image, text, ...others] = message?.content ?? [];
  assert.ok(image?.type === "image_file" && text?.type === "text" && others.length === 0, JSON.stringify(message));
  const png = await download(client, image.image_file.file_id);
  assert.deepEqual(png.subarray(0, SIGNATURE_OF_PNG.length), SIGNATURE_OF_PNG);
  assert.equal(png.subarray(-8, -4).toString("latin1"), "IEND");
  assert.match(text.text.value, /it says: 5 rows, of which 2 were incomplete or repeated\./);
  const [path, ...more] = text.text.annotations;
  assert.ok(path?.type === "file_path" && more.length === 0);
  assert.equal(path.text, "sandbox:/mnt/data/sales_cleaned.csv");
  assert.equal(text.text.value.slice(path.start_index, path.end_index), path.text);
  assert.equal((await download(client, path.file_path.file_id)).toString(), TIDY);
  const { filename, purpose, bytes } = await client.files.retrieve(path.file_path.file_id);
  assert.deepEqual([filename, purpose, bytes], ["sales_cleaned.csv", "assistants_output", TIDY.length]);
}

for (const generation of GENERATIONS) {
  test(`${generation}: the assistant's table comes back as a plot and a tidy table`, async () => {
    const { client } = openSdk(stack, generation);
    const file = await client.files.create({
      file: await toFile(Buffer.from(TABLE), "sales.csv"),
      purpose: "assistants",
    });
    const assistant = await client.beta.assistants.create({
      model: "gpt-4o",
      tools: [{ type: "code_interpreter" }],
      tool_resources: { code_interpreter: { file_ids: [file.id] } },
    });
    const thread = await client.beta.threads.create({ messages: [{ role: "user", content: QUESTION }] });
    const run = await client.beta.threads.runs.createAndPoll(thread.id, { assistant_id: assistant.id }, QUICK);
    assert.equal(run.status, "completed", JSON.stringify(run.last_error));
    const { data } = await client.beta.threads.messages.list(thread.id, { run_id: run.id });
    assert.equal(data.length, 1);
    await checkAnswer(client, data[0]);
  });

  test(`${generation}: so does a message's attachment, streamed, with the picture as an event`, async () => {
    const { client } = openSdk(stack, generation);
    const file = await client.files.create({
      file: await toFile(Buffer.from(TABLE), "sales.csv"),
      purpose: "assistants",
    });
    const tools = [{ type: "code_interpreter" as const }];
    const assistant = await client.beta.assistants.create({ model: "gpt-4o", tools });
    const thread = await client.beta.threads.create({
      messages: [{ role: "user", content: QUESTION, attachments: [{ file_id: file.id, tools }] }],
    });
    const pictures: string[] = [];
    const outputs: string[] = [];
    const stream = client.beta.threads.runs
      .stream(thread.id, { assistant_id: assistant.id })
      .on("imageFileDone", ({ file_id }) => pictures.push(file_id))
      .on("toolCallDelta", (delta) => {
        if (delta.type !== "code_interpreter") return;
        outputs.push(...(delta.code_interpreter?.outputs ?? []).map(({ type }) => type));
      });
    const [message] = await stream.finalMessages();
    await checkAnswer(client, message);
    assert.deepEqual(outputs, ["logs", "image"]);
    const [image] = message?.content ?? [];
    assert.ok(image?.type === "image_file");
    assert.deepEqual(pictures, [image.image_file.file_id]);
  });
}
