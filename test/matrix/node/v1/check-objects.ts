// Checks 5 and 8 through version 1: lists, and objects seen through both versions.
import assert from "node:assert/strict";
import {
  checkV1Assistant,
  checkV1Message,
  checkV1Thread,
  checkV2Assistant,
  checkV2Message,
  v1Assistant,
  V2_ASSISTANT,
  V2_HEADERS,
} from "../../versions.ts";
import { collect } from "../client.ts";
import type { Sdk } from "./client.ts";

const COUNT = 25;
const V2 = { headers: V2_HEADERS };

export async function checkPaging({ client }: Sdk): Promise<void> {
  const { threads } = client.beta;
  const { id } = await threads.create();
  const made: string[] = [];
  for (let index = 0; index < COUNT; index++) {
    made.push((await threads.messages.create(id, { role: "user", content: `Message ${index}` })).id);
  }
  for (const order of ["asc", "desc"] as const) {
    const listed = await collect(threads.messages.list(id, { limit: 10, order }));
    assert.deepEqual(
      listed.map((message) => message.id),
      order === "asc" ? made : made.toReversed(),
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
  const { id, ...rest } = await assistants.create(v1Assistant([file]));
  checkV1Assistant({ id, ...rest }, [file]);
  checkV1Assistant(await assistants.retrieve(id), [file]);
  checkV2Assistant(await assistants.retrieve(id, V2), [file]);

  const newer = await sdk.client.post<object, { id: string }>("/assistants", { body: V2_ASSISTANT, ...V2 });
  checkV1Assistant(await assistants.retrieve(newer.id), []);

  await checkAssistantFiles(sdk, id, file);
  await checkMessageFiles(sdk, file);
}

async function checkAssistantFiles(sdk: Sdk, id: string, file: string): Promise<void> {
  const { client } = sdk;
  const { assistants } = client.beta;
  const added = await newFileId(sdk);
  const made = await assistants.files.create(id, { file_id: added });
  assert.partialDeepStrictEqual(made, { id: added, object: "assistant.file", assistant_id: id });
  assert.deepEqual(await assistants.files.retrieve(id, added), made);
  const listed = await collect(assistants.files.list(id, { limit: 1, order: "asc" }));
  assert.deepEqual(
    listed.map((item) => item.id),
    [file, added],
  );
  assert.deepEqual(await assistants.files.del(id, file), {
    id: file,
    object: "assistant.file.deleted",
    deleted: true,
  });
  checkV1Assistant(await assistants.retrieve(id), [added]);
  checkV1Assistant(await assistants.update(id, { file_ids: [file] }), [file]);
}

async function checkMessageFiles({ client }: Sdk, file: string): Promise<void> {
  const { threads } = client.beta;
  const thread = await threads.create({});
  checkV1Thread(thread);
  const body = { role: "user" as const, content: "Look at this.", file_ids: [file] };
  const { id } = await threads.messages.create(thread.id, body);
  checkV1Message(await threads.messages.retrieve(thread.id, id), [file]);
  checkV2Message(await threads.messages.retrieve(thread.id, id, V2), [file]);
  const attached = await threads.messages.files.retrieve(thread.id, id, file);
  assert.partialDeepStrictEqual(attached, { id: file, object: "thread.message.file", message_id: id });
  assert.deepEqual(await collect(threads.messages.files.list(thread.id, id)), [attached]);
}
