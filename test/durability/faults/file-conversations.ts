// The kinds of conversation that clients have about files and vector stores, whatever happens to the server meanwhile. Each
// complains of what no good server does: a file that is not there after a 2xx, counts that do not add up, a file that ends
// otherwise than it should, a text that is not found or found twice, or found after it was deleted.
import { setTimeout as sleep } from "node:timers/promises";
import type { FileBatch } from "../../../contract/vector-store-file.ts";
import type { RunStep } from "../../../contract/run-step.ts";
import type { Run } from "../../../contract/run.ts";
import { lookup, scripted } from "../../support/scripts.ts";
import type { ScriptedTurn } from "../../support/scripts.ts";
import { accepted, expectAnswer, expectEnd, outputsFor, pathOf, speak, trySubmit, untilRest } from "./conversations.ts";
import type { Conversation, Talk } from "./conversations.ts";
import { EXACT_CHUNKING, plantBadFile, plantFile, plantLargeFile } from "./planted-files.ts";
import type { PlantedFile } from "./planted-files.ts";
import {
  addFile,
  bodyOf,
  countsOf,
  createStore,
  deleteFile,
  deleteOne,
  expectContent,
  expectCounts,
  expectGone,
  expectIngested,
  expectNotFound,
  formOf,
  untilIngested,
  uploadFile,
} from "./stored-files.ts";

const POLL_MS = 200;
/** A run waits so long for files of its thread. */
const WAIT_SECONDS = 60;
const PART_BYTES = 100_000;

/** Each with how often it comes, compared with the others. */
export const FILE_CONVERSATIONS = {
  "file searched": { weight: 5, hold: fileSearched },
  "file searched with the SDK": { weight: 2, hold: fileSearchedWithSdk },
  "batch of files": { weight: 4, hold: batchOfFiles },
  "store made with files": { weight: 2, hold: storeMadeWithFiles },
  "large file in parts": { weight: 1, hold: fileInParts },
  "batch cancelled": { weight: 3, hold: batchCancelled },
  "file deleted on its way": { weight: 3, hold: fileDeleted },
  "file taken out and added again": { weight: 2, hold: fileTakenOut },
  "file cut anew on its way": { weight: 1, hold: fileCutAnew },
  "store deleted on its way": { weight: 2, hold: storeDeleted },
  "file added twice at once": { weight: 2, hold: fileAddedTwice },
  "one key, two uploads": { weight: 2, hold: oneKeyTwoUploads },
  "attached file searched by a run": { weight: 4, hold: attachedFileSearched },
  "stored file searched by a run": { weight: 4, hold: storedFileSearched },
} satisfies Record<string, { weight: number; hold: Conversation }>;

async function fileSearched(talk: Talk): Promise<void> {
  const planted = talk.random.chance(0.2) ? plantBadFile(talk.random) : plantFile(talk.random);
  const id = await uploadFile(talk, planted);
  const store = await createStore(talk);
  await addFile(talk, store, id);
  await expectIngested(talk, store, id, planted);
  await expectCounts(talk, store, planted.fails === undefined ? { completed: 1 } : { failed: 1 });
  await expectContent(talk, id, planted);
}

async function fileSearchedWithSdk(talk: Talk): Promise<void> {
  const { files, vectorStores } = talk.client.sdk();
  const planted = plantFile(talk.random);
  const file = new File([new Uint8Array(planted.content)], planted.filename);
  const { id } = await files.create({ file, purpose: "assistants" });
  talk.client.told.files.set(id, planted.content);
  const store = await vectorStores.create({ name: "with the SDK" });
  const body = { file_id: id, chunking_strategy: EXACT_CHUNKING };
  await vectorStores.files.createAndPoll(store.id, body, { pollIntervalMs: POLL_MS });
  await expectIngested(talk, store.id, id, planted);
}

async function batchOfFiles(talk: Talk): Promise<void> {
  const files = await uploadSome(talk, talk.random.int(2, 6), 0.25);
  const store = await createStore(talk);
  const batch = await addBatch(talk, store, files);
  const ended = await untilBatchEnds(talk, batch);
  const failed = files.filter(({ planted }) => planted.fails !== undefined).length;
  expectBatch(talk, ended, "completed", { completed: files.length - failed, failed });
  for (const { id, planted } of files) await expectIngested(talk, store, id, planted);
  await expectCounts(talk, store, { completed: files.length - failed, failed });
}

async function storeMadeWithFiles(talk: Talk): Promise<void> {
  const files = await uploadSome(talk, talk.random.int(1, 4), 0);
  const store = await createStore(talk, { file_ids: idsOf(files), chunking_strategy: EXACT_CHUNKING });
  for (const { id, planted } of files) await expectIngested(talk, store, id, planted);
  await expectCounts(talk, store, { completed: files.length });
}

async function fileInParts(talk: Talk): Promise<void> {
  const { client } = talk;
  const planted = plantLargeFile(talk.random);
  const { content, filename } = planted;
  const body = { filename, purpose: "assistants", bytes: content.length, mime_type: "text/plain" };
  const upload = bodyOf("an upload", await client.post<{ id: string }>("/uploads", body));
  const slices = Array.from({ length: Math.ceil(content.length / PART_BYTES) }, (_, index) =>
    content.subarray(index * PART_BYTES, (index + 1) * PART_BYTES),
  );
  const parts = await Promise.all(
    slices.map(async (slice) => {
      const form = new FormData();
      form.set("data", new Blob([new Uint8Array(slice)]), "part");
      return bodyOf("a part", await client.upload<{ id: string }>(`/uploads/${upload.id}/parts`, form)).id;
    }),
  );
  const path = `/uploads/${upload.id}/complete`;
  const { file } = bodyOf("completing", await client.post<{ file: { id: string } }>(path, { part_ids: parts }));
  client.told.files.set(file.id, content);
  await expectContent(talk, file.id, planted);
  const store = await createStore(talk);
  await addFile(talk, store, file.id);
  await expectIngested(talk, store, file.id, planted);
}

/** What is completed stays so, what is cancelled is never found. */
async function batchCancelled(talk: Talk): Promise<void> {
  const files = await uploadSome(talk, talk.random.int(2, 6), 0);
  const store = await createStore(talk);
  const batch = await addBatch(talk, store, files);
  await sleep(talk.random.int(0, 2000));
  const path = `/vector_stores/${store}/file_batches/${batch.id}/cancel`;
  const cancelled = bodyOf(`cancelling ${batch.id}`, await talk.client.post<FileBatch>(path, {}));
  const { completed, cancelled: stopped } = cancelled.file_counts;
  const isRight = stopped === 0 ? cancelled.status === "completed" : cancelled.status === "cancelled";
  if (!isRight || completed + stopped !== files.length) {
    talk.client.told.complain(`${batch.id} of ${files.length} was cancelled as ${JSON.stringify(cancelled)}`);
  }
  for (const { id, planted } of files) {
    const file = await untilIngested(talk, store, id);
    talk.client.told.ended(`file ${file?.status ?? "gone"}`);
    if (file?.status === "completed") await expectIngested(talk, store, id, planted);
    else if (file?.status === "cancelled") await expectNotFound(talk, store, id, planted);
    else talk.client.told.complain(`${id} of the cancelled ${batch.id} is ${JSON.stringify(file)}`);
  }
  await expectCounts(talk, store, { completed, cancelled: stopped });
}

async function fileDeleted(talk: Talk): Promise<void> {
  const files = await uploadSome(talk, 2, 0);
  const [gone, kept] = files as [Stored, Stored];
  const store = await createStore(talk);
  for (const { id } of files) await addFile(talk, store, id);
  await sleep(talk.random.int(0, 1500));
  await deleteFile(talk, gone.id);
  await expectGone(talk, `/files/${gone.id}`);
  await expectGone(talk, `/vector_stores/${store}/files/${gone.id}`);
  await expectIngested(talk, store, kept.id, kept.planted);
  await expectNotFound(talk, store, gone.id, gone.planted);
  await expectCounts(talk, store, { completed: 1 });
}

async function fileTakenOut(talk: Talk): Promise<void> {
  const planted = plantFile(talk.random);
  const id = await uploadFile(talk, planted);
  const store = await createStore(talk);
  await addFile(talk, store, id);
  await sleep(talk.random.int(0, 1500));
  await deleteOne(talk.client, `/vector_stores/${store}/files/${id}`);
  await expectGone(talk, `/vector_stores/${store}/files/${id}`);
  await expectNotFound(talk, store, id, planted);
  await expectCounts(talk, store, {});
  await expectContent(talk, id, planted);
  await addFile(talk, store, id);
  await expectIngested(talk, store, id, planted);
}

/** The new entry takes the place of the one that is on its way. */
async function fileCutAnew(talk: Talk): Promise<void> {
  const planted = plantFile(talk.random);
  const id = await uploadFile(talk, planted);
  const store = await createStore(talk);
  await addFile(talk, store, id, { chunking_strategy: { type: "auto" } });
  await sleep(talk.random.int(0, 1500));
  await addFile(talk, store, id);
  await expectIngested(talk, store, id, planted);
  await expectCounts(talk, store, { completed: 1 });
}

async function storeDeleted(talk: Talk): Promise<void> {
  const files = await uploadSome(talk, talk.random.int(1, 4), 0);
  const store = await createStore(talk);
  await addBatch(talk, store, files);
  await sleep(talk.random.int(0, 1500));
  await deleteOne(talk.client, `/vector_stores/${store}`);
  await expectGone(talk, `/vector_stores/${store}`);
  for (const { id, planted } of files) {
    await expectNotFound(talk, store, id, planted);
    await expectContent(talk, id, planted);
  }
}

async function fileAddedTwice(talk: Talk): Promise<void> {
  const planted = plantFile(talk.random);
  const id = await uploadFile(talk, planted);
  const store = await createStore(talk);
  await Promise.all([addFile(talk, store, id), addFile(talk, store, id)]);
  await expectIngested(talk, store, id, planted);
  await expectCounts(talk, store, { completed: 1 });
}

async function oneKeyTwoUploads(talk: Talk): Promise<void> {
  const planted = plantFile(talk.random);
  const key = talk.random.key();
  const answers = await Promise.all(
    [0, 1].map(() => talk.client.upload<{ id: string }>("/files", formOf(planted), key)),
  );
  const [one, other] = answers.map((answer) => bodyOf("an upload", answer).id);
  if (one !== other) talk.client.told.complain(`one key made two files: ${one} and ${other}`);
  talk.client.told.files.set(one ?? "", planted.content);
  await expectContent(talk, one ?? "", planted);
}

/** The run waits for the file for a minute, and searches then with what there is. */
async function attachedFileSearched(talk: Talk): Promise<void> {
  const planted = plantFile(talk.random);
  const id = await uploadFile(talk, planted);
  const { text, turns } = searchTurns(talk, planted);
  const attachments = [{ file_id: id, tools: [{ type: "file_search" }] }];
  const thread = { messages: [{ role: "user", content: scripted(turns, talk.random.key()), attachments }] };
  const run = await searchingRun(talk, { thread });
  await expectAnswer(talk, run, text);
  const waited = (run.started_at ?? run.created_at) - run.created_at;
  await expectCalls(talk, run, { id, planted, isSure: waited < WAIT_SECONDS - 1 });
}

async function storedFileSearched(talk: Talk): Promise<void> {
  const planted = plantFile(talk.random);
  const id = await uploadFile(talk, planted);
  const store = await createStore(talk);
  await addFile(talk, store, id);
  await expectIngested(talk, store, id, planted);
  const { text, turns } = searchTurns(talk, planted);
  const messages = [{ role: "user", content: scripted(turns, talk.random.key()) }];
  const tool_resources = { file_search: { vector_store_ids: [store] } };
  const run = await searchingRun(talk, { thread: { messages, tool_resources } });
  await expectAnswer(talk, run, text);
  await expectCalls(talk, run, { id, planted, isSure: true });
}

// --- what these conversations are made of --------------------------------------------------------

interface Stored {
  id: string;
  planted: PlantedFile;
}

const idsOf = (files: readonly Stored[]): string[] => files.map(({ id }) => id);

/** Uploads files, some of which are bad ones, side by side. */
function uploadSome(talk: Talk, count: number, badShare: number): Promise<Stored[]> {
  const all = Array.from({ length: count }, () =>
    talk.random.chance(badShare) ? plantBadFile(talk.random) : plantFile(talk.random),
  );
  return Promise.all(all.map(async (planted) => ({ id: await uploadFile(talk, planted), planted })));
}

async function addBatch({ client }: Talk, store: string, files: readonly Stored[]): Promise<FileBatch> {
  const body = { file_ids: idsOf(files), chunking_strategy: EXACT_CHUNKING };
  return bodyOf("a batch", await client.post<FileBatch>(`/vector_stores/${store}/file_batches`, body));
}

async function untilBatchEnds({ client, restMs }: Talk, batch: FileBatch): Promise<FileBatch> {
  const path = `/vector_stores/${batch.vector_store_id}/file_batches/${batch.id}`;
  const endsAt = Date.now() + restMs;
  for (;;) {
    const now = bodyOf(batch.id, await client.get<FileBatch>(path));
    const { total, ...counts } = now.file_counts;
    if (total !== countsOf(counts).total) client.told.complain(`${batch.id} counts ${JSON.stringify(now.file_counts)}`);
    if (now.status !== "in_progress") return now;
    if (Date.now() > endsAt) throw new Error(`${batch.id} is on its way after ${restMs / 1000} s`);
    await sleep(POLL_MS);
  }
}

function expectBatch(
  { client }: Talk,
  batch: FileBatch,
  status: FileBatch["status"],
  counts: Parameters<typeof countsOf>[0],
): void {
  const right = JSON.stringify(countsOf(counts));
  if (batch.status === status && JSON.stringify(countsOf(batch.file_counts)) === right) return;
  client.told.complain(`${batch.id} is ${JSON.stringify(batch)} in place of ${status} with ${right}`);
}

/** One turn with two searches and perhaps a function, and one with the answer. */
function searchTurns(talk: Talk, { words }: PlantedFile): { text: string; turns: ScriptedTurn[] } {
  const { text, turns } = speak(talk);
  const asked = words.slice(0, 2).map((word) => ({ name: "file_search", arguments: { queries: [word] } }));
  const functions = talk.random.chance(0.3) ? [{ name: "lookup", arguments: { q: "x" } }] : [];
  return { text, turns: [talk.spoil({ tool_calls: [...asked, ...functions] }), ...turns] };
}

async function searchingRun(talk: Talk, body: object): Promise<Run> {
  const { client, assistantId: assistant_id } = talk;
  const tools = [{ type: "file_search" }, lookup];
  const started = accepted(talk, await client.post<Run>("/threads/runs", { assistant_id, tools, ...body }));
  let run = await untilRest(talk, started);
  if (run.status === "requires_action") {
    await trySubmit(talk, run, outputsFor(run, "found"));
    run = await untilRest(talk, run, "a new turn");
  }
  return run;
}

type SearchCall = Extract<
  Extract<RunStep["step_details"], { type: "tool_calls" }>["tool_calls"][number],
  { type: "file_search" }
>;

/** Both searches have been made, once each, and found their word where it is. */
async function expectCalls(talk: Talk, run: Run, { id, planted, isSure }: Stored & { isSure: boolean }): Promise<void> {
  if (run.status !== "completed") return expectEnd(talk, run, ["completed"]);
  const include = "include[]=step_details.tool_calls[*].file_search.results[*].content";
  const path = `${pathOf(run)}/steps?limit=100&${include}`;
  const { data } = bodyOf(`the steps of ${run.id}`, await talk.client.get<{ data: RunStep[] }>(path));
  const calls = data.flatMap(({ step_details: details, status }) =>
    details.type === "tool_calls" && status === "completed"
      ? details.tool_calls.filter((call): call is SearchCall => call.type === "file_search")
      : [],
  );
  if (calls.length !== 2) talk.client.told.complain(`${run.id} has made ${calls.length} searches in place of 2`);
  for (const [index, call] of calls.entries()) {
    const word = planted.words[index] ?? "";
    const found = call.file_search.results.filter((result) =>
      (result.content ?? []).some(({ text }) => (text ?? "").includes(word)),
    );
    if (!isSure || found.some((result) => result.file_id === id)) continue;
    talk.client.told.complain(`search ${index} of ${run.id} has not found ${word} of ${id}`);
  }
}
