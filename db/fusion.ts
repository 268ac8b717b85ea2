// From what words and vectors have found, each in its order, to one order with a score that means something.
import type { VectorMatch } from "./search-vectors.ts";
import type { WordMatch } from "./search-words.ts";

/** How fast a place in a list loses its worth: the usual value for reciprocal ranks. */
const RANK_CONSTANT = 60;

export interface Found {
  /** Undefined where that half was not made; empty where it found nothing. */
  words: readonly WordMatch[] | undefined;
  vectors: readonly VectorMatch[] | undefined;
}

/** How much each half counts. */
export interface FusionWeights {
  words: number;
  vectors: number;
}
const EQUAL: FusionWeights = { words: 1, vectors: 1 };

export interface Scored {
  id: number;
  score: number;
}

interface Entry extends Scored {
  file_id: string;
  chunk_index: number;
}

export interface Fusion {
  limit: number;
  /** Without them both halves count the same. */
  weights?: FusionWeights | undefined;
}

/** The best chunks, best first. One file gets more than half of the places only when the others cannot fill them. */
export function fuse(found: readonly Found[], { limit, weights = EQUAL }: Fusion): Scored[] {
  const best = new Map<string, Entry>();
  for (const query of found) {
    for (const entry of fuseQuery(query, weights).values()) {
      // A file may be in two stores.
      const key = `${entry.file_id} ${entry.chunk_index}`;
      const known = best.get(key);
      if (known === undefined || entry.score > known.score) best.set(key, entry);
    }
  }
  const ranked = [...best.values()].toSorted((a, b) => b.score - a.score || a.id - b.id);
  return spread(ranked, limit).map(({ id, score }) => ({ id, score }));
}

/**
 * What a chunk gets from a list is how well it matches, times the worth of its place; the score is the weighted mean of the
 * lists. A list without weight finds nothing.
 */
function fuseQuery({ words, vectors }: Found, weights: FusionWeights): Map<number, Entry> {
  const made = [
    { weight: weights.words, list: words?.map((match) => ({ match, quality: match.coverage })) },
    { weight: weights.vectors, list: vectors?.map((match) => ({ match, quality: match.similarity })) },
  ].flatMap(({ weight, list }) => (list === undefined ? [] : [{ weight, list }]));
  // Where none of what there is has a weight, it is better than nothing.
  const isWeighed = made.some(({ weight }) => weight > 0);
  const lists = isWeighed ? made.filter(({ weight }) => weight > 0) : made.map(({ list }) => ({ weight: 1, list }));
  const total = lists.reduce((sum, { weight }) => sum + weight, 0);
  const entries = new Map<number, Entry>();
  for (const { weight, list } of lists) {
    for (const [rank, { match, quality }] of list.entries()) {
      const { id, file_id, chunk_index } = match;
      const entry = entries.get(id) ?? { id, file_id, chunk_index, score: 0 };
      const worth = RANK_CONSTANT / (RANK_CONSTANT + rank);
      entry.score += (weight / total) * Math.min(Math.max(quality, 0), 1) * worth;
      entries.set(id, entry);
    }
  }
  return entries;
}

function spread(ranked: readonly Entry[], limit: number): Entry[] {
  const most = Math.ceil(limit / 2);
  const taken = new Map<string, number>();
  const held: Entry[] = [];
  const chosen: Entry[] = [];
  for (const entry of ranked) {
    const count = taken.get(entry.file_id) ?? 0;
    (count < most ? chosen : held).push(entry);
    taken.set(entry.file_id, count + 1);
  }
  return [...chosen.slice(0, limit), ...held].slice(0, limit).toSorted((a, b) => b.score - a.score || a.id - b.id);
}
