// Messages: what a client writes, alone, with a new thread or with a run.
import assert from "node:assert/strict";
import { ANY, assertRefused, invalid, notFound, unknownParameter } from "./refusals.ts";
import { requestRows } from "./request-rows.ts";
import type { Endpoint } from "./request-rows.ts";
import { deletion, rule } from "./row.ts";
import type { Row } from "./row.ts";
import { choice, list, metadata, object, oneOf, reference, required, shownAs, text } from "./values.ts";
import type { Fields, Spec } from "./values.ts";
import { fileIds, messagesOf, newMessage, newRun, newThread, quietAssistant, quietThread } from "./world.ts";
import type { InThread, World } from "./world.ts";

const textPart = (value: unknown) => ({ type: "text", text: { value, annotations: [] } });

const file = reference("file", fileIds(1)[0] as string);

/** The contract asks for http and https; `data:` is an extension that it recommends. */
const url: Spec = {
  ...text({ sample: "https://example.com/a.png" }),
  words: "an http, https or data URL",
  accepts: ["https://example.com/a.png", "http://example.com/a.jpeg?x=1#y", "data:image/png;base64,iVBORw0KGgo="].map(
    (value) => ({ value, echo: value }),
  ),
  refuses: ["", "a.png", "ftp://example.com/a.png", "javascript:alert(1)"].map((value) => ({
    value,
    refusal: invalid,
  })),
};

const detail = ["auto", "low", "high"];

const parts = list(
  oneOf({
    text: { text: required(shownAs((value) => ({ value, annotations: [] }), text({ max: 256_000 }))) },
    image_file: { image_file: required(object({ file_id: required(file), detail: choice(detail, ANY) })) },
    image_url: { image_url: required(object({ url: required(url), detail: choice(detail, "auto") })) },
  }),
  { min: 1 },
);

const plainText = shownAs((value) => [textPart(value)], text({ max: 256_000, sample: "Hello!" }));

/** A text, or parts. What is read are always parts. */
const content: Spec = {
  ...parts,
  words: "a text of at most 256000 characters, or a list of at least one part",
  expected: "one of a string or array of objects",
  types: ["string", "array"],
  sample: plainText.sample,
  sampleEcho: plainText.sampleEcho,
  neighbour: { type: "text", text: "First." },
  accepts: [...plainText.accepts, ...parts.accepts],
  refuses: [...plainText.refuses, ...parts.refuses],
};

const attached = { file_id: fileIds(1)[0], tools: [{ type: "code_interpreter" }, { type: "file_search" }] };

const attachment: Spec = {
  ...object({
    file_id: { ...file, absenceUnknown: true },
    tools: list(oneOf({ code_interpreter: {}, file_search: {} }), { fallback: ANY }),
  }),
  sample: attached,
  sampleEcho: attached,
  accepts: [{ value: attached, echo: attached }],
};

export const messageFields: Fields = {
  role: required(choice(["user", "assistant"], null, { ordered: true })),
  content: required(content),
  attachments: list(attachment, { max: 20 }),
  metadata: metadata(),
};

/** Messages that come along with something else. */
export const messages = list(object(messageFields));

const create: Endpoint = {
  id: "messages.create",
  source: "1.3",
  schema: "CreateMessage",
  base: async () => ({ role: "user", content: "Hello!" }),
  target: async (world) => `/threads/${(await newThread(world)).id}/messages`,
  refusedAt: async (world) => `/threads/${(await quietThread(world)).id}/messages`,
};

const modify: Endpoint = {
  id: "messages.modify",
  source: "1.3",
  schema: "ModifyMessage",
  base: async () => ({}),
  target: async (world) => pathOf(await newMessage(world, { metadata: { team: "red" } })),
  refusedAt: async (world) => pathOf(await world.once("quiet message", () => newMessage(world))),
  before: { metadata: { team: "red" } },
};

const pathOf = ({ id, thread_id }: InThread) => `/threads/${thread_id}/messages/${id}`;

const rules: Row<World>[] = [
  rule(
    "messages.create.text",
    "1.3",
    "a text comes back as one part without annotations, character by character",
    async (world) => {
      for (const value of [
        "Hi",
        " \n\t",
        "\u0001\u001f\u007f",
        "👩‍👩‍👧‍👦 ﷽ e\u0301",
        "\u2028\ufeff",
        "'; drop table messages; --",
      ]) {
        assert.deepEqual((await newMessage(world, { content: value }))["content"], [textPart(value)]);
      }
    },
  ),
  rule("messages.create.parts", "1.3", "parts of all kinds keep their order", async (world) => {
    const image_file = { file_id: fileIds(1)[0], detail: "low" };
    const image_url = { url: "https://example.com/a.png", detail: "high" };
    const sent = [
      { type: "image_url", image_url },
      { type: "text", text: "Look:" },
      { type: "image_file", image_file },
      { type: "text", text: "and tell me." },
    ];
    const message = await newMessage(world, { content: sent });
    assert.deepEqual(message["content"], [sent[0], textPart("Look:"), sent[2], textPart("and tell me.")]);
    assert.deepEqual(await world.get(pathOf(message)), message);
  }),
  rule(
    "messages.create.attachments.kept",
    "1.3",
    "attachments come back as they were sent, one file with several tools too",
    async (world) => {
      const [a, b] = fileIds(2);
      const attachments = [
        { file_id: a, tools: [{ type: "code_interpreter" }] },
        { file_id: a, tools: [{ type: "file_search" }] },
        { file_id: b, tools: [{ type: "file_search" }, { type: "code_interpreter" }] },
      ];
      const message = await newMessage(world, { attachments });
      assert.deepEqual(message["attachments"], attachments);
      assert.deepEqual((await world.get(pathOf(message)))["attachments"], attachments);
    },
  ),
  rule(
    "messages.create.interpreter-files",
    "7.4",
    "a file attached for the code interpreter becomes one of the thread's",
    async (world) => {
      const [a, b, c] = fileIds(3);
      const thread = await newThread(world, { tool_resources: { code_interpreter: { file_ids: [a] } } });
      const tools = [{ type: "code_interpreter" }];
      const attachments = [a, b].map((file_id) => ({ file_id, tools }));
      await newMessage(world, { attachments: [...attachments, { file_id: c, tools: [] }] }, thread.id);
      assert.deepEqual((await world.get(`/threads/${thread.id}`))["tool_resources"], {
        code_interpreter: { file_ids: [a, b] },
      });
    },
  ),
  rule("messages.delete.files", "7.4", "the files of a deleted message stay the thread's", async (world) => {
    const attachments = [{ file_id: fileIds(1)[0], tools: [{ type: "code_interpreter" }] }];
    const message = await newMessage(world, { attachments });
    await world.remove(pathOf(message));
    const thread = await world.get(`/threads/${message.thread_id}`);
    assert.deepEqual(thread["tool_resources"], { code_interpreter: { file_ids: fileIds(1) } });
  }),
  rule("messages.create.full", "8 #14", "a thread takes 100000 messages and no more", async (world) => {
    const { id } = await newThread(world);
    await world.app.db.query("update threads set message_count = 99999 where id = $1", [id]);
    await newMessage(world, {}, id);
    const body = { role: "user", content: "x" };
    assert.equal((await world.call("POST", `/threads/${id}/messages`, { body })).status, 400);
    const run = { assistant_id: (await quietAssistant(world)).id, additional_messages: [body] };
    assert.equal((await world.call("POST", `/threads/${id}/runs`, { body: run })).status, 400);
  }),
  rule(
    "messages.create.by-clients",
    "1.3",
    "what a client writes belongs to no run and no assistant, and is complete",
    async (world) => {
      for (const role of ["user", "assistant"]) {
        const message = await newMessage(world, { role });
        assert.partialDeepStrictEqual(message, {
          role,
          assistant_id: null,
          run_id: null,
          status: "completed",
          completed_at: message["created_at"],
          incomplete_at: null,
          incomplete_details: null,
        });
      }
    },
  ),
  rule(
    "messages.modify.others",
    "1.3",
    "metadata is all that can be changed, and is replaced as a whole",
    async (world) => {
      const before = await newMessage(world, { metadata: { a: "1", b: "2" } });
      assert.deepEqual(await world.post(pathOf(before), {}), before);
      const after = { ...before, metadata: { b: "3" } };
      assert.deepEqual(await world.post(pathOf(before), { metadata: { b: "3" } }), after);
      assert.deepEqual(await world.get(pathOf(before)), after);
      for (const field of ["content", "role", "attachments", "status"]) {
        assertRefused(await world.call("POST", pathOf(before), { body: { [field]: "x" } }), unknownParameter(field));
      }
    },
  ),
  deletion("messages.delete", "deleting says what was deleted, and then it is gone", async (world) => {
    const message = await newMessage(world);
    const { id, thread_id } = message;
    assert.deepEqual(await world.remove(pathOf(message)), { id, object: "thread.message.deleted", deleted: true });
    const gone = notFound(`No message found with id '${id}'.`);
    assertRefused(await world.call("GET", pathOf(message)), gone);
    assertRefused(await world.call("POST", pathOf(message), { body: {} }), gone);
    assertRefused(await world.call("DELETE", pathOf(message)), gone);
    assert.deepEqual(await messagesOf(world, thread_id), []);
  }),
  rule(
    "messages.under-lock",
    "8 #37",
    "while a run is active messages can be read, modified and deleted",
    async (world) => {
      const message = await newMessage(world);
      await newRun(world, {}, message.thread_id);
      assert.deepEqual(await world.get(pathOf(message)), message);
      assert.deepEqual((await world.post(pathOf(message), { metadata: { a: "b" } }))["metadata"], { a: "b" });
      await world.remove(pathOf(message));
    },
  ),
];

export const messageRows: Row<World>[] = [
  ...requestRows(create, messageFields),
  ...requestRows(modify, { metadata: metadata() }),
  ...rules,
];
