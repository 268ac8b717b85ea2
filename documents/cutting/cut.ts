// Cuts a text into chunks of tokens, in one pass: what is held of the text is one chunk and the piece being read.
import { MAX_CHUNK_LENGTH } from "../../contract/limits.ts";
import { countTokens } from "../../model/tokens.ts";
import type { Chunk, Chunking } from "../chunks.ts";
import { readAtoms } from "./atoms.ts";
import type { Atom } from "./atoms.ts";
import { rankBreak } from "./breaks.ts";

/** The share of its size by which a chunk may end earlier, where the text offers a better place. */
const SLACK = 0.2;

/** What the next chunk is made of. The first `repeated` atoms were the end of the chunk before. */
interface Window {
  atoms: Atom[];
  repeated: number;
  tokens: number;
  length: number;
}

/** Chunks, without what each repeats of the one before, are the text again. None is longer than asked when it is counted. */
export async function* cutChunks(pieces: AsyncIterable<string>, chunking: Chunking): AsyncGenerator<Chunk> {
  const max = chunking.max_chunk_size_tokens;
  let window: Window = { atoms: [], repeated: 0, tokens: 0, length: 0 };
  let index = 0;
  const take = (end: number): Chunk => {
    const fitting = fit(window, end, max);
    window = openNext(window, fitting.end, Math.min(chunking.chunk_overlap_tokens, Math.floor(max / 2)));
    return { index: index++, text: fitting.text, tokens: fitting.tokens };
  };
  for await (const atoms of readAtoms(pieces)) {
    for (const atom of atoms) {
      add(window, atom);
      while (window.tokens > max || window.length > MAX_CHUNK_LENGTH) yield take(findEnd(window, max));
    }
  }
  while (window.atoms.length > window.repeated) yield take(window.atoms.length);
}

function add(window: Window, atom: Atom): void {
  window.atoms.push(atom);
  window.tokens += atom.tokens;
  window.length += atom.text.length;
}

/** The best place to end: of those in the last fifth that fits, the one where the text pauses most, and the last such. */
function findEnd({ atoms, repeated }: Window, max: number): number {
  let [tokens, length, best, bestRank] = [0, 0, repeated + 1, -1];
  for (const [index, atom] of atoms.entries()) {
    tokens += atom.tokens;
    length += atom.text.length;
    if (index < repeated) continue;
    if (tokens > max || length > MAX_CHUNK_LENGTH) break;
    const late = tokens >= max * (1 - SLACK) || length >= MAX_CHUNK_LENGTH * (1 - SLACK);
    const rank = late ? rankBreak(atom.text, atoms[index + 1]?.text) : -1;
    if (rank >= bestRank) [best, bestRank] = [index + 1, rank];
  }
  return best;
}

/** Atoms count a little differently when they are joined. Where that makes them too many, an earlier end is looked for. */
function fit(window: Window, wanted: number, max: number): { text: string; tokens: number; end: number } {
  let [start, end, budget] = [0, wanted, max];
  for (;;) {
    const text = join(window.atoms.slice(start, end));
    const tokens = countTokens(text);
    if ((tokens <= max && text.length <= MAX_CHUNK_LENGTH) || end - start <= 1) return { text, tokens, end };
    budget -= Math.max(1, tokens - max);
    if (end - 1 > window.repeated) end = Math.min(end - 1, findEnd(window, budget));
    else start += 1;
  }
}

function openNext({ atoms }: Window, end: number, overlap: number): Window {
  let [start, tokens] = [end, 0];
  while (start > 0) {
    tokens += atoms[start - 1]?.tokens ?? 0;
    if (tokens > overlap) break;
    start -= 1;
  }
  const next: Window = { atoms: [], repeated: end - start, tokens: 0, length: 0 };
  for (const atom of atoms.slice(start)) add(next, atom);
  return next;
}

function join(atoms: readonly Atom[]): string {
  return atoms.map((atom) => atom.text).join("");
}
