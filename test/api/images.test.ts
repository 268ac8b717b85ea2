// Stored images in messages: what the model is shown of them.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { toFile } from "openai";
import type { ChatCompletionMessageParam } from "openai/resources/chat/completions";
import type { MessageCreateParams } from "openai/resources/beta/threads/messages";
import { MAX_IMAGE_BYTES, MAX_TURN_IMAGE_BYTES } from "../../contract/limits.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { script, startConversation } from "./conversation.ts";
import { QUICK } from "./sdk.ts";

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.stop());

const PNG = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");
const JPEG = Buffer.from("ffd8ffe000104a46494600", "hex");
const GIF = Buffer.from("GIF89a rest");
const WEBP = Buffer.from("RIFF\x10\0\0\0WEBPVP8 ", "latin1");

const urlOf = (type: string, content: Buffer) => `data:${type};base64,${content.toString("base64")}`;
const imageOf = (file_id: string, detail?: "low") => ({
  type: "image_file" as const,
  image_file: { file_id, ...(detail === undefined ? {} : { detail }) },
});

async function upload(content: Buffer, name = "image.png"): Promise<string> {
  return (await stack.openai.files.create({ file: await toFile(content, name), purpose: "vision" })).id;
}

type Content = MessageCreateParams["content"];

/** Runs on a thread with these messages and the question, and gives what the model was sent. */
async function show(
  before: { role: "user" | "assistant"; content: Content }[],
  parts: Exclude<Content, string>,
  meanwhile: () => Promise<unknown> = async () => undefined,
): Promise<ChatCompletionMessageParam[]> {
  const conversation = await startConversation(stack, [{ text: "first" }]);
  const { assistant_id } = conversation;
  const key = randomUUID();
  const content = [{ type: "text" as const, text: script([{ text: "I see." }], key) }, ...parts];
  const thread = await stack.openai.beta.threads.create({ messages: [...before, { role: "user", content }] });
  await meanwhile();
  const run = await stack.openai.beta.threads.runs.createAndPoll(thread.id, { assistant_id }, QUICK);
  assert.equal(run.status, "completed", run.last_error?.message);
  const asked = stack.model.requests.find((request) => request.key === key);
  assert.ok(asked);
  return (asked.body as { messages: ChatCompletionMessageParam[] }).messages;
}

function partsIn(message: ChatCompletionMessageParam | undefined) {
  const content = message?.content;
  assert.ok(Array.isArray(content));
  return content;
}

/** What follows the question in the newest message. */
const partsOf = (messages: ChatCompletionMessageParam[]) => partsIn(messages.at(-1)).slice(1);

test("the model is shown the image itself, as what it is, with its detail", async () => {
  const ids = await Promise.all([
    upload(PNG),
    upload(JPEG, "photo.png"),
    upload(GIF, "image"),
    upload(WEBP, "image.webp"),
  ]);
  const [png, ...others] = ids;
  const messages = await show([], [imageOf(png, "low"), ...others.map((id) => imageOf(id))]);
  const shown = (url: string, detail = "auto") => ({ type: "image_url", image_url: { url, detail } });
  assert.deepEqual(partsOf(messages), [
    shown(urlOf("image/png", PNG), "low"),
    shown(urlOf("image/jpeg", JPEG)),
    shown(urlOf("image/gif", GIF)),
    shown(urlOf("image/webp", WEBP)),
  ]);
});

test("the images of earlier messages are shown, too, and one of the assistant's is named", async () => {
  const id = await upload(PNG);
  const messages = await show(
    [
      { role: "user", content: [imageOf(id)] },
      { role: "assistant", content: [{ type: "text", text: "Here:" }, imageOf(id)] },
    ],
    [],
  );
  assert.deepEqual(partsIn(messages[0])[0], {
    type: "image_url",
    image_url: { url: urlOf("image/png", PNG), detail: "auto" },
  });
  assert.equal(messages[1]?.content, `Here:\n\n[The image ${id} cannot be shown here.]`);
});

test("an image that was deleted, is none, or is too large, is replaced by a note", async () => {
  const [gone, text, large] = await Promise.all([
    upload(PNG),
    upload(Buffer.from("no image at all"), "image"),
    upload(Buffer.concat([PNG, Buffer.alloc(MAX_IMAGE_BYTES)])),
  ]);
  const messages = await show([], [imageOf(gone), imageOf(text), imageOf(large)], () =>
    stack.openai.files.delete(gone),
  );
  const { content } = messages.at(-1) as { content: string };
  assert.deepEqual(content.split("\n\n").slice(1), [
    `[The image ${gone} is not there any more.]`,
    `[The image ${text} is of no type that can be shown.]`,
    `[The image ${large} is too large to be shown.]`,
  ]);
});

test("an image whose content is lost is replaced by a note", async () => {
  const id = await upload(PNG);
  const messages = await show([], [imageOf(id)], () =>
    stack.db.query("update files set blob = 'ffffffffffffffffffffffffffffffff' where id = $1", [id]),
  );
  assert.match((messages.at(-1) as { content: string }).content, /is not there any more\.\]$/);
});

test("when there are too many, the newest are shown", async () => {
  const bytes = Math.ceil(MAX_TURN_IMAGE_BYTES / 2);
  const fill = (start: number) => Buffer.concat([PNG, Buffer.alloc(bytes, start)]);
  const [old, middle, newest] = [await upload(fill(1)), await upload(JPEG), await upload(fill(2))];
  const before = [old, middle].map((id) => ({ role: "user" as const, content: [imageOf(id)] }));
  const messages = await show(before, [imageOf(newest)]);
  assert.equal(messages[0]?.content, `[The image ${old} is left out: there are too many.]`);
  assert.equal(partsIn(messages[1])[0]?.type, "image_url");
  assert.equal(partsOf(messages)[0]?.type, "image_url");
});
