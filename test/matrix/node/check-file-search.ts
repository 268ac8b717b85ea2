// Check 6: vector stores, and runs that search them and cite what they found.
import assert from "node:assert/strict";
import type { Message } from "openai/resources/beta/threads/messages";
import { scripted } from "../../support/scripts.ts";
import { checkCitation, HERON, OWL, QUERY, searchAndCite, WREN } from "../searching.ts";
import type { Note } from "../searching.ts";
import { collect, QUICK } from "./client.ts";
import type { Sdk } from "./client.ts";

const SEARCH = { type: "file_search" as const };
const CONTENT = "step_details.tool_calls[*].file_search.results[*].content" as const;

const fileOf = ({ name, text }: Note) => new File([text], name);

export async function checkFileSearch(sdk: Sdk): Promise<void> {
  const { store, owl } = await fillStore(sdk);
  if (sdk.searchesStores) await checkStoreSearch(sdk, store, owl);
  const { id: assistant_id } = await sdk.client.beta.assistants.create({
    model: "gpt-4o",
    tools: [SEARCH],
    tool_resources: { file_search: { vector_store_ids: [store] } },
  });
  await checkPolled(sdk, assistant_id, owl);
  await checkStreamed(sdk, assistant_id, owl);
  await checkAttachment(sdk);
  assert.deepEqual(await sdk.deleteStoreFile(store, owl), {
    id: owl,
    object: "vector_store.file.deleted",
    deleted: true,
  });
  assert.equal((await sdk.stores.retrieve(store)).file_counts.total, 2);
}

/** One file by itself, and two together, with the helpers that wait. */
async function fillStore({ client, stores }: Sdk): Promise<{ store: string; owl: string }> {
  const { id: store } = await stores.create({ name: "Birds" });
  const owl = await stores.files.uploadAndPoll(store, fileOf(OWL), QUICK);
  assert.deepEqual([owl.status, owl.last_error], ["completed", null]);
  const files = [HERON, WREN].map(fileOf);
  const batch = await stores.fileBatches.uploadAndPoll(store, { files }, QUICK);
  assert.deepEqual([batch.status, batch.file_counts.completed], ["completed", 2]);
  const listed = await collect(stores.files.list(store, { limit: 1 }));
  const names = await Promise.all(listed.map(async ({ id }) => (await client.files.retrieve(id)).filename));
  assert.deepEqual(names.toSorted(), [HERON, OWL, WREN].map(({ name }) => name).toSorted());
  assert.equal((await stores.retrieve(store)).file_counts.completed, 3);
  return { store, owl: owl.id };
}

async function checkStoreSearch({ stores }: Sdk, store: string, owl: string): Promise<void> {
  const [best] = await collect(stores.search(store, { query: QUERY, max_num_results: 2 }));
  assert.partialDeepStrictEqual(best, {
    file_id: owl,
    filename: OWL.name,
    content: [{ type: "text", text: OWL.text }],
  });
  assert.ok(best !== undefined && best.score > 0 && best.score <= 1);
}

async function checkPolled(sdk: Sdk, assistant_id: string, owl: string): Promise<void> {
  const { threads } = sdk.client.beta;
  const thread = await threads.create({ messages: [{ role: "user", content: scripted(searchAndCite(OWL)) }] });
  const run = await threads.runs.createAndPoll(thread.id, { assistant_id }, QUICK);
  assert.equal(run.status, "completed");
  const [message] = (await threads.messages.list(thread.id, { run_id: run.id })).data;
  checkCitation(textOf(message), OWL, { file_id: owl });
  const results = await resultsOf(sdk, run);
  assert.partialDeepStrictEqual(results[0], { file_id: owl, file_name: OWL.name });
  assert.ok(results.every((result) => !("content" in result)));
  if (!sdk.searchesStores) return;
  const [best] = await resultsOf(sdk, run, [CONTENT]);
  assert.partialDeepStrictEqual(best, { file_id: owl, content: [{ type: "text", text: OWL.text }] });
}

async function resultsOf(sdk: Sdk, run: { id: string; thread_id: string }, include?: [typeof CONTENT]) {
  const [step] = await sdk.steps(run, include === undefined ? {} : { include });
  assert.ok(step?.step_details.type === "tool_calls");
  const [call, ...others] = step.step_details.tool_calls;
  assert.ok(call?.type === "file_search");
  assert.equal(others.length, 0);
  return call.file_search.results ?? [];
}

/** As the guides print an answer and its citations. */
async function checkStreamed(sdk: Sdk, assistant_id: string, owl: string): Promise<void> {
  const { threads } = sdk.client.beta;
  const thread = await threads.create({ messages: [{ role: "user", content: scripted(searchAndCite(OWL)) }] });
  const tools: string[] = [];
  const messages: Message[] = [];
  let text = "";
  const stream = threads.runs.stream(thread.id, { assistant_id });
  stream
    .on("toolCallCreated", ({ type }) => tools.push(type))
    .on("textDelta", ({ value }) => (text += value ?? ""))
    .on("messageDone", (message) => messages.push(message));
  assert.equal((await stream.finalRun()).status, "completed");
  assert.deepEqual(tools, ["file_search"]);
  assert.equal(messages.length, 1);
  assert.equal(text, textOf(messages[0]).value);
  checkCitation(textOf(messages[0]), OWL, { file_id: owl });
}

/** A file that is attached to a message goes into a store of the thread. */
async function checkAttachment({ client, stores }: Sdk): Promise<void> {
  const { assistants, threads } = client.beta;
  const { id: assistant_id } = await assistants.create({ model: "gpt-4o", tools: [SEARCH] });
  const { id: file_id } = await client.files.create({ file: fileOf(OWL), purpose: "assistants" });
  const attachments = [{ file_id, tools: [SEARCH] }];
  const thread = await threads.create({
    messages: [{ role: "user", content: scripted(searchAndCite(OWL)), attachments }],
  });
  const [store, ...others] = thread.tool_resources?.file_search?.vector_store_ids ?? [];
  assert.ok(store !== undefined && others.length === 0);
  const run = await threads.runs.createAndPoll(thread.id, { assistant_id }, QUICK);
  assert.equal(run.status, "completed");
  const [message] = (await threads.messages.list(thread.id, { run_id: run.id })).data;
  checkCitation(textOf(message), OWL, { file_id });
  assert.equal((await stores.retrieve(store)).expires_after?.days, 7);
}

function textOf(message: Message | undefined) {
  const [part, ...others] = message?.content ?? [];
  assert.ok(part?.type === "text" && others.length === 0);
  return part.text;
}
