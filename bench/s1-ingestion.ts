// S1: how fast files become searchable when embeddings cost nothing, beside what parsing and cutting them takes alone.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readChunks } from "../documents/chunks.ts";
import { CHUNKING, manyPages, prose } from "./documents.ts";
import { call } from "./http-client.ts";
import type { Target } from "./http-client.ts";
import { startInstantEmbeddings } from "./instant-embeddings.ts";
import type { Report } from "./report.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";
import { range } from "./stats.ts";

const ROUNDS = 3;
/** Files that one worker has in hand at once, as it does unless told otherwise. */
const AT_ONCE = 4;
const POLL_MS = 20;
const TIMEOUT_MS = 600_000;

interface Load {
  name: string;
  ending: string;
  contents: Buffer[];
}

interface Round {
  chunks: number;
  aloneMs: number;
  ingestMs: number;
}

export async function measureIngestion(): Promise<Report> {
  const embeddings = await startInstantEmbeddings();
  const settings = { EMBEDDINGS_BASE_URL: embeddings.url, WORKER_MAX_CONCURRENT_FILES: String(AT_ONCE) };
  const stack = await startStack({ settings: () => settings });
  const folder = await mkdtemp(join(tmpdir(), "bench-documents-"));
  try {
    const loads: Load[] = [
      { name: "text, 4 MB", ending: "txt", contents: [Buffer.from(prose(4_000_000))] },
      { name: "PDF, 200 pages", ending: "pdf", contents: [await manyPages(200)] },
      { name: "100 texts of 10 KB", ending: "txt", contents: manyTexts(100, 10_000) },
    ];
    const rows: string[][] = [];
    await measureRound(stack, folder, { name: "", ending: "txt", contents: manyTexts(4, 1000) }); // loads what is loaded once
    for (const load of loads) {
      const rounds: Round[] = [];
      for (let round = 0; round < ROUNDS; round += 1) rounds.push(await measureRound(stack, folder, load));
      rows.push(toRow(load, rounds));
    }
    return toReport(rows);
  } finally {
    await rm(folder, { recursive: true });
    await stack.stop();
    await embeddings.stop();
  }
}

/** Both ways, one after the other. */
async function measureRound(stack: Stack, folder: string, load: Load): Promise<Round> {
  const paths = await Promise.all(
    load.contents.map(async (content, number) => {
      const path = join(folder, `${number}.${load.ending}`);
      await writeFile(path, content);
      return path;
    }),
  );
  const since = performance.now();
  const chunks = await readAll(paths);
  const aloneMs = performance.now() - since;
  return { chunks, aloneMs, ingestMs: await ingest(stack, load) };
}

/** Parses and cuts as many files at once as a worker does. Returns how many chunks they have. */
async function readAll(paths: readonly string[]): Promise<number> {
  const left = [...paths];
  let chunks = 0;
  async function readOn(): Promise<void> {
    for (let path = left.pop(); path !== undefined; path = left.pop()) {
      for await (const _ of readChunks({ path, filename: path }, CHUNKING, new AbortController().signal)) chunks += 1;
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, readOn));
  return chunks;
}

/** Milliseconds from the request that adds uploaded files to a store until all of them are completed. */
async function ingest({ api }: Stack, { ending, contents }: Load): Promise<number> {
  const { id: store } = await call<{ id: string }>(api, "POST", "/vector_stores", {});
  const file_ids: string[] = [];
  for (const [number, content] of contents.entries()) file_ids.push(await upload(api, content, `${number}.${ending}`));
  const since = performance.now();
  const path = `/vector_stores/${store}/file_batches`;
  const static_ = { type: "static", static: CHUNKING };
  const { id: batch } = await call<{ id: string }>(api, "POST", path, { file_ids, chunking_strategy: static_ });
  for (;;) {
    const { status, file_counts } = await call<Batch>(api, "GET", `${path}/${batch}`);
    const ms = performance.now() - since;
    if (status !== "in_progress") {
      if (file_counts.completed !== contents.length)
        throw new Error(`the batch is ${status}: ${JSON.stringify(file_counts)}`);
      return ms;
    }
    if (ms > TIMEOUT_MS) throw new Error(`the batch is ${status} after ${Math.round(ms)} ms`);
    await sleep(POLL_MS);
  }
}

interface Batch {
  status: string;
  file_counts: { completed: number };
}

async function upload({ url, key }: Target, content: Buffer, filename: string): Promise<string> {
  const body = new FormData();
  body.append("purpose", "assistants");
  body.append("file", new Blob([new Uint8Array(content)]), filename);
  const answer = await fetch(`${url}/files`, { method: "POST", headers: { authorization: `Bearer ${key}` }, body });
  if (!answer.ok) throw new Error(`an upload was answered with ${answer.status}`);
  return ((await answer.json()) as { id: string }).id;
}

function manyTexts(count: number, bytes: number): Buffer[] {
  const text = prose(count * bytes);
  return Array.from({ length: count }, (_, number) => Buffer.from(text.slice(number * bytes, (number + 1) * bytes)));
}

function toRow({ name, contents }: Load, rounds: readonly Round[]): string[] {
  const bytes = contents.reduce((sum, content) => sum + content.length, 0);
  const show = (of: (round: Round) => number, digits: number) => range(rounds.map(of), digits);
  return [
    name,
    String(rounds[0]?.chunks),
    show(({ aloneMs }) => aloneMs, 0),
    show(({ ingestMs }) => ingestMs, 0),
    show(({ aloneMs, ingestMs }) => ingestMs / aloneMs, 2),
    show(({ ingestMs }) => bytes / 1000 / ingestMs, 2),
    show(({ chunks, ingestMs }) => (chunks * 1000) / ingestMs, 0),
  ];
}

function toReport(rows: string[][]): Report {
  const { max_chunk_size_tokens: size, chunk_overlap_tokens: overlap } = CHUNKING;
  return {
    name: "s1",
    title: "Ingestion with an instant embedding endpoint",
    method:
      `From the request that adds uploaded files to a vector store until they are searchable: read, cut into chunks of ` +
      `${size} tokens of which ${overlap} overlap, embedded (every text gets the same 256 numbers, at once), indexed. ` +
      `Beside it the same files parsed and cut alone, ${AT_ONCE} at a time both ways. ${ROUNDS} rounds.`,
    goals: [],
    tables: [
      {
        title: "Files until they are searchable",
        columns: ["", "chunks", "parse and cut alone, ms", "ingestion, ms", "ingestion / alone", "MB/s", "chunks/s"],
        rows,
      },
    ],
  };
}
