// Check 6: vector stores, and runs that search them and cite what they found.
import assert from "node:assert/strict";
import { scripted } from "../../support/scripts.ts";
import { textOf as streamedText } from "../../support/sse.ts";
import { waitUntil } from "../../support/wait-until.ts";
import { PATIENCE_MS } from "../program.ts";
import type { Server } from "../program.ts";
import { checkCitation, HERON, OWL, QUERY, searchAndCite, WREN } from "../searching.ts";
import type { CitedText, Note } from "../searching.ts";
import { V1_HEADERS, V1_MODEL } from "../versions.ts";
import { curlJson } from "./curl.ts";
import { createAndPoll, post, streamOf } from "./objects.ts";
import type { List, Run } from "./objects.ts";

const V1 = { headers: V1_HEADERS };
const CONTENT = "step_details.tool_calls[*].file_search.results[*].content";

interface Identified {
  id: string;
}

interface Answer {
  id: string;
  content: { text: CitedText }[];
}

interface Hit {
  file_id: string;
  content?: { type: string; text: string }[];
}

interface Step {
  step_details: { tool_calls: { file_search?: { results: Hit[] } }[] };
}

export async function checkFileSearch(server: Server): Promise<void> {
  const { store, owl } = await fillStore(server);
  const found = await curlJson<List<Hit>>(server, `/vector_stores/${store}/search`, post({ query: QUERY }));
  const content = [{ type: "text", text: OWL.text }];
  assert.partialDeepStrictEqual(found.data[0], { file_id: owl, filename: OWL.name, content });

  const { id: assistant_id } = await curlJson<Identified>(
    server,
    "/assistants",
    post({
      model: "gpt-4o",
      tools: [{ type: "file_search" }],
      tool_resources: { file_search: { vector_store_ids: [store] } },
    }),
  );
  await checkPolled(server, assistant_id, owl);
  await checkStreamed(server, assistant_id, owl);
  await checkRetrieval(server);
}

/** One file by itself, and two together. */
async function fillStore(server: Server): Promise<{ store: string; owl: string }> {
  const { id: store } = await curlJson<Identified>(server, "/vector_stores", post({ name: "Birds" }));
  const owl = await newFileId(server, OWL);
  const path = `/vector_stores/${store}`;
  await curlJson(server, `${path}/files`, post({ file_id: owl, attributes: { awake: "at night" } }));
  const file_ids = [await newFileId(server, HERON), await newFileId(server, WREN)];
  const { id: batch } = await curlJson<Identified>(server, `${path}/file_batches`, post({ file_ids }));
  for (const part of [`${path}/files/${owl}`, `${path}/file_batches/${batch}`]) {
    const isDone = async () => (await curlJson<{ status: string }>(server, part)).status === "completed";
    await waitUntil(`${part} is completed`, isDone, PATIENCE_MS);
  }
  const { file_counts: counts } = await curlJson<{ file_counts: object }>(server, path);
  assert.deepEqual(counts, { in_progress: 0, completed: 3, failed: 0, cancelled: 0, total: 3 });
  return { store, owl };
}

async function newFileId(server: Server, { name, text }: Note): Promise<string> {
  const form = ["purpose=assistants", `file=${text};filename=${name}`];
  return (await curlJson<Identified>(server, "/files", { method: "POST", form })).id;
}

async function checkPolled(server: Server, assistant_id: string, owl: string): Promise<void> {
  const messages = [{ role: "user", content: scripted(searchAndCite(OWL)) }];
  const { id } = await curlJson<Identified>(server, "/threads", post({ messages }));
  const run = await createAndPoll(server, id, { assistant_id });
  assert.equal(run.status, "completed");
  checkCitation(await answerOf(server, run), OWL, { file_id: owl });
  const path = `/threads/${id}/runs/${run.id}/steps?order=asc`;
  const [result] = await resultsOf(server, path);
  assert.partialDeepStrictEqual(result, { file_id: owl, file_name: OWL.name });
  assert.ok(result !== undefined && !("content" in result));
  const [whole] = await resultsOf(server, `${path}&include[]=${CONTENT}`);
  assert.deepEqual(whole?.content, [{ type: "text", text: OWL.text }]);
}

async function resultsOf(server: Server, path: string): Promise<Hit[]> {
  const { data } = await curlJson<List<Step>>(server, path);
  return data[0]?.step_details.tool_calls[0]?.file_search?.results ?? [];
}

async function checkStreamed(server: Server, assistant_id: string, owl: string): Promise<void> {
  const thread = { messages: [{ role: "user", content: scripted(searchAndCite(OWL)) }] };
  const events = await streamOf(server, "/threads/runs", { assistant_id, thread, stream: true });
  const message = events.find(({ event }) => event === "thread.message.completed")?.data as Answer | undefined;
  assert.ok(message?.content[0] !== undefined);
  checkCitation(message.content[0].text, OWL, { file_id: owl });
  assert.equal(streamedText(events, message.id), message.content[0].text.value);
}

/** The same through version 1, which searches the files of messages and assistants. */
async function checkRetrieval(server: Server): Promise<void> {
  const file = await newFileId(server, OWL);
  for (const [of_assistant, of_message] of [
    [[], [file]],
    [[file], []],
  ]) {
    const assistant = { model: V1_MODEL, tools: [{ type: "retrieval" }], file_ids: of_assistant };
    const { id } = await curlJson<Identified>(server, "/assistants", { ...post(assistant), ...V1 });
    const messages = [{ role: "user", content: scripted(searchAndCite(OWL)), file_ids: of_message }];
    const thread = await curlJson<Identified>(server, "/threads", { ...post({ messages }), ...V1 });
    const run = await createAndPoll(server, thread.id, { assistant_id: id });
    assert.equal(run.status, "completed");
    checkCitation(await answerOf(server, run, V1), OWL, { file_id: file, quote: OWL.text });
  }
}

async function answerOf(server: Server, { thread_id, id }: Run, view = {}): Promise<CitedText> {
  const { data } = await curlJson<List<Answer>>(server, `/threads/${thread_id}/messages?run_id=${id}`, view);
  const text = data[0]?.content[0]?.text;
  assert.ok(text !== undefined);
  return text;
}
