// Randomness that can be had again: the same seed gives the same choices, in the same order.
import { createHash } from "node:crypto";

export interface Random {
  /** From 0 up to, but not, 1. */
  next(): number;
  /** A whole number; both ends can come. */
  int(from: number, to: number): number;
  pick<T>(items: readonly T[]): T;
  /** Whether something that happens with this probability happens. */
  chance(probability: number): boolean;
  /** The same items, each once, in an order of its own. */
  shuffle<T>(items: readonly T[]): T[];
  /** A key that comes once. */
  key(): string;
  /** Another one, whose choices do not depend on how many this one has made meanwhile. */
  fork(): Random;
}

/** What a seed says of something with this name: of another name it says something else. */
export function createRandomFor(name: string, seed: number): Random {
  return createRandom(createHash("sha256").update(`${seed} ${name}`).digest().readUInt32BE());
}

/** Mulberry32: small, and good enough to choose moments with. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const int = (from: number, to: number) => from + Math.floor(next() * (to - from + 1));
  return {
    next,
    int,
    pick: (items) => items[int(0, items.length - 1)] as (typeof items)[number],
    chance: (probability) => next() < probability,
    shuffle: (items) =>
      items
        .map((item) => ({ item, place: next() }))
        .toSorted((one, other) => one.place - other.place)
        .map(({ item }) => item),
    key: () =>
      Array.from({ length: 4 }, () =>
        int(0, 2 ** 32 - 1)
          .toString(16)
          .padStart(8, "0"),
      ).join(""),
    fork: () => createRandom(int(0, 2 ** 31)),
  };
}
