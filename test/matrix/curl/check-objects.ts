// Checks 5 and 8: lists, and objects seen through both versions.
import assert from "node:assert/strict";
import type { Server } from "../program.ts";
import {
  checkV1Assistant,
  checkV1Message,
  checkV1Thread,
  checkV2Assistant,
  checkV2Message,
  v1Assistant,
  V1_HEADERS,
  V2_ASSISTANT,
} from "../versions.ts";
import { curlJson } from "./curl.ts";
import { post } from "./objects.ts";
import type { List, Message } from "./objects.ts";
import { refusalOf } from "./refusal.ts";

const COUNT = 25;
const V1 = { headers: V1_HEADERS };

type Identified = { id: string };

export async function checkPaging(server: Server): Promise<void> {
  const { id } = await curlJson<Identified>(server, "/threads", post({}));
  const path = `/threads/${id}/messages`;
  const made: string[] = [];
  for (let index = 0; index < COUNT; index++) {
    const message = post({ role: "user", content: `Message ${index}` });
    made.push((await curlJson<Message>(server, path, message)).id);
  }
  assert.deepEqual(await listAll(server, `${path}?limit=10&order=asc`), made);
  assert.deepEqual(await listAll(server, `${path}?limit=10&order=desc`), made.toReversed());
}

async function listAll(server: Server, path: string): Promise<string[]> {
  const ids: string[] = [];
  let page = await curlJson<List<Identified>>(server, path);
  for (;;) {
    ids.push(...page.data.map(({ id }) => id));
    if (!page.has_more || ids.length > COUNT) return ids;
    page = await curlJson<List<Identified>>(server, `${path}&after=${page.last_id}`);
  }
}

async function newFileId(server: Server): Promise<string> {
  const form = ["purpose=assistants", "file=Some words.;filename=notes.txt"];
  return (await curlJson<Identified>(server, "/files", { method: "POST", form })).id;
}

export async function checkVersions(server: Server): Promise<void> {
  const file = await newFileId(server);
  const made = await curlJson<Identified>(server, "/assistants", { ...post(v1Assistant([file])), ...V1 });
  const path = `/assistants/${made.id}`;
  checkV1Assistant(made, [file]);
  checkV1Assistant(await curlJson<object>(server, path, V1), [file]);
  checkV2Assistant(await curlJson<object>(server, path), [file]);

  const newer = await curlJson<Identified>(server, "/assistants", post(V2_ASSISTANT));
  checkV1Assistant(await curlJson<object>(server, `/assistants/${newer.id}`, V1), []);

  await checkAssistantFiles(server, made.id, file);
  await checkMessageFiles(server, file);
}

async function checkAssistantFiles(server: Server, id: string, file: string): Promise<void> {
  const path = `/assistants/${id}/files`;
  const added = await newFileId(server);
  const made = await curlJson<Identified>(server, path, { ...post({ file_id: added }), ...V1 });
  assert.partialDeepStrictEqual(made, { id: added, object: "assistant.file", assistant_id: id });
  const { data } = await curlJson<List<Identified>>(server, path, V1);
  assert.deepEqual(
    data.map((item) => item.id),
    [added, file],
  );
  const deleted = await curlJson<object>(server, `${path}/${file}`, { method: "DELETE", ...V1 });
  assert.deepEqual(deleted, { id: file, object: "assistant.file.deleted", deleted: true });
  checkV1Assistant(await curlJson<object>(server, `/assistants/${id}`, V1), [added]);
  assert.equal((await refusalOf(server, path)).status, 404);
}

async function checkMessageFiles(server: Server, file: string): Promise<void> {
  const thread = await curlJson<Identified>(server, "/threads", { ...post({}), ...V1 });
  checkV1Thread(thread);
  const messages = `/threads/${thread.id}/messages`;
  const body = { role: "user", content: "Look at this.", file_ids: [file] };
  const { id } = await curlJson<Identified>(server, messages, { ...post(body), ...V1 });
  checkV1Message(await curlJson<object>(server, `${messages}/${id}`, V1), [file]);
  checkV2Message(await curlJson<object>(server, `${messages}/${id}`), [file]);
  const { data } = await curlJson<List<Identified>>(server, `${messages}/${id}/files`, V1);
  assert.partialDeepStrictEqual(data, [{ id: file, object: "thread.message.file", message_id: id }]);
}
