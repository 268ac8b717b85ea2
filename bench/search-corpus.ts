// A made-up collection for the latency of searches: texts whose words are as unevenly spread as in English, and vectors
// that lie in clusters, as those of real models do.
import { insertChunks } from "../db/chunks.ts";
import { createPool } from "../db/pool.ts";
import type { NewChunk } from "../db/chunks.ts";
import type { Pool } from "../db/pool.ts";
import { addFile, PROJECT } from "../test/support/search-databases.ts";
import { inParallel } from "./load.ts";

export const DIMENSIONS = 256;
export const MODEL = "bench";
const VOCABULARY = 30_000;
/** The commonest words of English are stop words, which are not looked for. */
const STOP_WORDS = 100;
const WORDS_PER_CHUNK = 300;
const CHUNKS_PER_FILE = 50;
const CLUSTERS = 500;
const SPREAD = 0.8;
const BATCH = 50;

/** A generator with a seed, so that every run has the same collection: mulberry32. */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function openPool(url: string): Pool {
  return createPool({ url, max: 4, name: "bench", onError: () => undefined });
}

/** Fills a store. */
export async function fillStore(pool: Pool, store: string, chunks: number): Promise<void> {
  const random = createRandom(chunks);
  const centres = makeCentres();
  for (let written = 0; written < chunks;) {
    const files = Math.min(20, Math.ceil((chunks - written) / CHUNKS_PER_FILE));
    const batches: { key: number; list: NewChunk[] }[] = [];
    for (let file = 0; file < files; file += 1) {
      const { key } = await addFile(pool, { store });
      const count = Math.min(CHUNKS_PER_FILE, chunks - written);
      written += count;
      const list = Array.from({ length: count }, (_, index) => ({
        index,
        text: makeText(random, WORDS_PER_CHUNK),
        tokens: Math.round(WORDS_PER_CHUNK * 1.3),
        embedding: makeVector(random, centres),
      }));
      for (let at = 0; at < count; at += BATCH) batches.push({ key, list: list.slice(at, at + BATCH) });
    }
    await inParallel(2, batches.length, async () => {
      const batch = batches.pop();
      if (batch === undefined) return;
      const key = { project_id: PROJECT, vector_store_file_id: batch.key, embedding_model: MODEL };
      await insertChunks(pool, key, batch.list);
    });
  }
}

/** Queries of four words, each with a vector near some of the collection. */
export function makeQueries(count: number): { text: string; embedding: Float32Array }[] {
  const random = createRandom(count);
  const centres = makeCentres();
  return Array.from({ length: count }, () => ({ text: makeText(random, 4), embedding: makeVector(random, centres) }));
}

function makeCentres(): Float32Array[] {
  const random = createRandom(1);
  return Array.from({ length: CLUSTERS }, () => Float32Array.from({ length: DIMENSIONS }, () => gaussian(random)));
}

function makeVector(random: () => number, centres: readonly Float32Array[]): Float32Array {
  const centre = centres[Math.floor(random() * centres.length)] as Float32Array;
  const vector = centre.map((value) => value + SPREAD * gaussian(random));
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/** Zipf's law: the word of rank r is as frequent as 1/r. */
function makeText(random: () => number, words: number): string {
  const low = Math.log(STOP_WORDS);
  const high = Math.log(STOP_WORDS + VOCABULARY);
  return Array.from({ length: words }, () => wordOf(Math.floor(Math.exp(low + random() * (high - low))))).join(" ");
}

/** A word of consonants and vowels, so that no stemmer takes two of them for one. */
function wordOf(rank: number): string {
  let word = "";
  for (let rest = rank; rest > 0; rest = Math.floor(rest / 85)) {
    word += "bcdfghjklmnprtvwz"[rest % 17] ?? "";
    word += "aeiou"[Math.floor(rest / 17) % 5] ?? "";
  }
  return `${word}k`;
}

function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
