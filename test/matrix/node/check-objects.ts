// Checks 5 and 8: lists, and the view of version 1.
import assert from "node:assert/strict";
import type { AssistantCreateParams } from "openai/resources/beta/assistants";
import {
  checkV1Assistant,
  checkV1Message,
  checkV1Thread,
  checkV2Assistant,
  checkV2Message,
  v1Assistant,
  V1_HEADERS,
  V2_ASSISTANT,
  V2_HEADERS,
} from "../versions.ts";
import { collect } from "./client.ts";
import type { Sdk } from "./client.ts";
import { refusalOf } from "./refusal.ts";

const COUNT = 25;
const V1 = { headers: V1_HEADERS };
const V2 = { headers: V2_HEADERS };

export async function checkPaging({ client }: Sdk): Promise<void> {
  const { threads } = client.beta;
  const { id } = await threads.create();
  const made: string[] = [];
  for (let index = 0; index < COUNT; index++) {
    made.push((await threads.messages.create(id, { role: "user", content: `Message ${index}` })).id);
  }
  for (const order of ["asc", "desc"] as const) {
    const expected = order === "asc" ? made : made.toReversed();
    const listed = await collect(threads.messages.list(id, { limit: 10, order }));
    assert.deepEqual(
      listed.map((message) => message.id),
      expected,
    );
    const first = await threads.messages.list(id, { limit: 10, order });
    const pages = await collect(first.iterPages());
    // Older generations do not read has_more, and ask for an empty page at the end.
    assert.deepEqual(
      pages.map(({ data }) => data.length).filter((length) => length > 0),
      [10, 10, 5],
    );
  }
}

async function newFileId({ client }: Sdk): Promise<string> {
  const file = new File(["Some words."], "notes.txt");
  return (await client.files.create({ file, purpose: "assistants" })).id;
}

export async function checkVersions(sdk: Sdk): Promise<void> {
  const { assistants } = sdk.client.beta;
  const file = await newFileId(sdk);
  // The types know version 2 only; what is sent is what is written in v1Assistant.
  const body = v1Assistant([file]) as unknown as AssistantCreateParams;
  const { id, ...rest } = await assistants.create(body, V1);
  checkV1Assistant({ id, ...rest }, [file]);
  checkV1Assistant(await assistants.retrieve(id, V1), [file]);
  checkV2Assistant(await assistants.retrieve(id), [file]);

  const newer = await assistants.create(V2_ASSISTANT);
  checkV2Assistant(newer, []);
  checkV1Assistant(await assistants.retrieve(newer.id, V1), []);

  await checkAssistantFiles(sdk, id, file);
  await checkMessageFiles(sdk, file);
}

/** The later SDKs have no methods for these paths, but let a program call any path. */
async function checkAssistantFiles(sdk: Sdk, id: string, file: string): Promise<void> {
  const { client, OpenAI } = sdk;
  const path = `/assistants/${id}/files`;
  const added = await newFileId(sdk);
  assert.partialDeepStrictEqual(await client.post(path, { body: { file_id: added }, ...V1 }), {
    id: added,
    object: "assistant.file",
    assistant_id: id,
  });
  const { data } = await client.get<{ data: { id: string }[] }>(path, V1);
  assert.deepEqual(
    data.map((item) => item.id),
    [added, file],
  );
  assert.deepEqual(await client.delete(`${path}/${file}`, V1), {
    id: file,
    object: "assistant.file.deleted",
    deleted: true,
  });
  checkV1Assistant(await client.beta.assistants.retrieve(id, V1), [added]);
  assert.equal((await refusalOf(client.get(path, V2), OpenAI.NotFoundError)).status, 404);
}

async function checkMessageFiles(sdk: Sdk, file: string): Promise<void> {
  const { threads } = sdk.client.beta;
  const thread = await threads.create({}, V1);
  checkV1Thread(thread);
  const body = { role: "user" as const, content: "Look at this.", file_ids: [file] };
  const message = await threads.messages.create(thread.id, body, V1);
  checkV1Message(message, [file]);
  checkV2Message(await sdk.message(thread.id, message.id), [file]);
  checkV1Message(await sdk.message(thread.id, message.id, V1), [file]);
  const path = `/threads/${thread.id}/messages/${message.id}/files`;
  assert.partialDeepStrictEqual(await sdk.client.get(path, V1), {
    data: [{ id: file, object: "thread.message.file", message_id: message.id }],
  });
}
