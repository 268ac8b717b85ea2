// What a client does with files and vector stores, and how it looks whether they are what they should be.
import { setTimeout as sleep } from "node:timers/promises";
import type { VectorStoreFile } from "../../../contract/vector-store-file.ts";
import type { VectorStore } from "../../../contract/vector-store.ts";
import type { Talk } from "./conversations.ts";
import type { Answer, ErrorBody } from "./good-client.ts";
import { EXACT_CHUNKING } from "./planted-files.ts";
import type { PlantedFile } from "./planted-files.ts";

const POLL_MS = 200;
const MAX_RESULTS = 50;

type Counts = VectorStore["file_counts"];

/** The counts of a store or a batch, those that are not named being 0. */
export function countsOf(given: Partial<Counts>): Counts {
  const counts = { in_progress: 0, completed: 0, failed: 0, cancelled: 0, ...given };
  return { ...counts, total: counts.in_progress + counts.completed + counts.failed + counts.cancelled };
}

export function formOf({ filename, content }: PlantedFile): FormData {
  const form = new FormData();
  form.set("purpose", "assistants");
  form.set("file", new Blob([new Uint8Array(content)], { type: "text/plain" }), filename);
  return form;
}

/** Throws when a request was refused, which ends the conversation. */
export function bodyOf<Body>(what: string, { status, body }: Answer<Body>): Body {
  if (status !== 200) throw new Error(`${what} was answered ${status} ${JSON.stringify(body)}`);
  return body;
}

/** Returns the id of the new file. */
export async function uploadFile({ client }: Talk, file: PlantedFile, key?: string): Promise<string> {
  const { id } = bodyOf("an upload", await client.upload<{ id: string; bytes: number }>("/files", formOf(file), key));
  client.told.files.set(id, file.content);
  return id;
}

/** The file is there with the bytes that were sent. */
export async function expectContent({ client }: Talk, id: string, { content }: PlantedFile): Promise<void> {
  const got = await client.download(`/files/${id}/content`);
  if (got === undefined || !got.equals(content)) {
    client.told.complain(`${id} has ${got?.length} bytes that are not the ${content.length} that were sent`);
  }
}

export async function createStore({ client }: Talk, body: object = {}): Promise<string> {
  return bodyOf("a new store", await client.post<VectorStore>("/vector_stores", body)).id;
}

export async function addFile({ client }: Talk, store: string, file_id: string, extra: object = {}): Promise<void> {
  const body = { file_id, chunking_strategy: EXACT_CHUNKING, ...extra };
  const added = bodyOf(`adding ${file_id}`, await client.post<VectorStoreFile>(`/vector_stores/${store}/files`, body));
  if (added.id !== file_id) client.told.complain(`${file_id} was added to ${store} as ${added.id}`);
}

/** Waits until a file of a store is no longer on its way. Undefined when it is not in the store any more. */
export async function untilIngested(talk: Talk, store: string, file: string): Promise<VectorStoreFile | undefined> {
  const endsAt = Date.now() + talk.restMs;
  for (;;) {
    const { status, body } = await talk.client.get<VectorStoreFile>(`/vector_stores/${store}/files/${file}`);
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`${file} of ${store} is not to be had: ${JSON.stringify(body)}`);
    if (body.status !== "in_progress") return body;
    if (Date.now() > endsAt) throw new Error(`${file} of ${store} is on its way after ${talk.restMs / 1000} s`);
    await sleep(POLL_MS);
  }
}

/** A file that was left alone is completed and found by each of its words, or has failed with the right code. */
export async function expectIngested(talk: Talk, store: string, id: string, planted: PlantedFile): Promise<void> {
  const { told } = talk.client;
  const file = await untilIngested(talk, store, id);
  const right = planted.fails === undefined ? "completed" : "failed";
  const code = file?.last_error?.code;
  told.ended(`file ${file?.status ?? "gone"}`);
  if (file?.status !== right || code !== planted.fails) {
    const error = JSON.stringify(file?.last_error ?? null);
    return told.complain(`${planted.filename}, ${id} of ${store}, is ${file?.status ?? "gone"} ${error}, not ${right}`);
  }
  await (right === "completed" ? expectFound(talk, store, id, planted) : expectNotFound(talk, store, id, planted));
}

/** Each word is found in one chunk of the file, and no chunk comes twice; and its chunks are its text again. */
async function expectFound(talk: Talk, store: string, id: string, { words, text = "" }: PlantedFile): Promise<void> {
  const { told } = talk.client;
  for (const word of words) {
    const hits = await search(talk, store, word);
    const right = hits.filter((hit) => hit.file_id === id && hit.text.includes(word));
    if (right.length !== 1) told.complain(`${word} of ${id} was found in ${right.length} chunks of ${store}`);
  }
  const chunks = await textsOf(talk, store, id);
  const joined = chunks?.join("");
  if (chunks !== undefined && joined !== text) {
    told.complain(`the chunks of ${id} in ${store} have ${joined?.length} characters in place of ${text.length}`);
  }
}

/** No search finds anything of the file. */
export async function expectNotFound(talk: Talk, store: string, id: string, { words }: PlantedFile): Promise<void> {
  for (const word of words) {
    const hits = await search(talk, store, word);
    if (hits.some((hit) => hit.file_id === id)) talk.client.told.complain(`${id} was found in ${store} by ${word}`);
  }
}

interface Hit {
  file_id: string;
  text: string;
}

interface ResultsPage {
  data: { file_id: string; content: { text: string }[] }[];
}

/** What a search finds; nothing in a store that is gone. Complains when a chunk comes twice. */
async function search({ client }: Talk, store: string, query: string): Promise<Hit[]> {
  const body = { query, max_num_results: MAX_RESULTS };
  const answer = await client.post<ResultsPage & ErrorBody>(`/vector_stores/${store}/search`, body);
  if (answer.status === 404) return [];
  const { data } = bodyOf(`a search in ${store}`, answer);
  const hits = data.map(({ file_id, content }) => ({ file_id, text: content.map(({ text }) => text).join("") }));
  const different = new Set(hits.map(({ file_id, text }) => `${file_id} ${text}`));
  if (different.size !== hits.length) {
    client.told.complain(`a search in ${store} for ${query} found ${hits.length - different.size} chunks twice`);
  }
  return hits;
}

/** The texts of a file's chunks in their order; undefined when the store is gone. */
async function textsOf({ client }: Talk, store: string, id: string): Promise<string[] | undefined> {
  const path = `/vector_stores/${store}/files/${id}/content`;
  const { status, body } = await client.get<{ data: { text: string }[] }>(path);
  return status === 200 ? body.data.map(({ text }) => text) : undefined;
}

/** The store is there and counts just that. */
export async function expectCounts({ client }: Talk, store: string, expected: Partial<Counts>): Promise<void> {
  const { file_counts } = bodyOf(`looking at ${store}`, await client.get<VectorStore>(`/vector_stores/${store}`));
  const right = JSON.stringify(countsOf(expected));
  const got = JSON.stringify(countsOf(file_counts));
  if (got !== right || file_counts.total !== countsOf(file_counts).total) {
    client.told.complain(`${store} counts ${JSON.stringify(file_counts)} in place of ${right}`);
  }
}

/** Deletes a file. One whose answer got lost is not there any more the second time. */
export async function deleteFile({ client }: Talk, id: string): Promise<void> {
  client.told.deletedFiles.add(id);
  await deleteOne(client, `/files/${id}`);
}

export async function deleteOne(client: Talk["client"], path: string): Promise<void> {
  const { status, body } = await client.delete(path);
  if (status !== 200 && status !== 404) client.told.complain(`DELETE ${path}: ${status} ${JSON.stringify(body)}`);
}

export async function expectGone({ client }: Talk, path: string): Promise<void> {
  const { status } = await client.get(path);
  if (status !== 404) client.told.complain(`GET ${path} was answered ${status} after it was deleted`);
}
