// What a seed says, it says again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom, createRandomFor } from "./random.ts";
import type { Random } from "./random.ts";

function choicesOf(random: Random): unknown[] {
  return [
    random.next(),
    random.int(1, 1000),
    random.pick("abcdefgh".split("")),
    random.chance(0.5),
    random.shuffle([1, 2, 3, 4, 5, 6]),
    random.key(),
    random.fork().next(),
  ];
}

test("a seed makes the same choices again, and other ones under another name", () => {
  assert.deepEqual(choicesOf(createRandomFor("storm", 7)), choicesOf(createRandomFor("storm", 7)));
  assert.notDeepEqual(choicesOf(createRandomFor("storm", 7)), choicesOf(createRandomFor("quiet", 7)));
  assert.notDeepEqual(choicesOf(createRandomFor("storm", 7)), choicesOf(createRandomFor("storm", 8)));
});

test("a fork's choices do not depend on those that are made beside it", () => {
  const [undisturbed, disturbed] = [createRandom(7), createRandom(7)];
  const [fork, other] = [undisturbed.fork(), disturbed.fork()];
  choicesOf(disturbed);
  assert.deepEqual(choicesOf(fork), choicesOf(other));
});

test("a shuffle has each item once, and not always in the same order", () => {
  const random = createRandom(7);
  const orders = Array.from({ length: 20 }, () => random.shuffle([1, 2, 3, 4]));
  for (const order of orders) assert.deepEqual(order.toSorted(), [1, 2, 3, 4]);
  assert.ok(new Set(orders.map(String)).size > 5);
});
