import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteBudget } from "./byte-budget.ts";

const never = new AbortController().signal;

/** Who has been admitted so far. */
function enter(budget: ByteBudget, admitted: string[], name: string, bytes: number, signal = never) {
  const taken = budget.take(bytes, signal);
  taken.then(
    () => admitted.push(name),
    () => undefined,
  );
  return taken;
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test("bytes are given out while there are some, and then in the order in which they were asked for", async () => {
  const budget = new ByteBudget(10);
  const admitted: string[] = [];
  const first = await enter(budget, admitted, "first", 6);
  const second = await enter(budget, admitted, "second", 4);
  const third = enter(budget, admitted, "third", 8);
  void enter(budget, admitted, "fourth", 1);
  second();
  await settle();
  assert.deepEqual(admitted, ["first", "second"], "a small one does not overtake a large one");
  first();
  first();
  await settle();
  assert.deepEqual(admitted, ["first", "second", "third", "fourth"]);
  (await third)();
});

test("what is larger than everything is admitted alone", async () => {
  const budget = new ByteBudget(10);
  const admitted: string[] = [];
  const small = await enter(budget, admitted, "small", 1);
  void enter(budget, admitted, "huge", 1000);
  await settle();
  assert.deepEqual(admitted, ["small"]);
  small();
  await settle();
  assert.deepEqual(admitted, ["small", "huge"]);
});

test("who does not want to wait any longer makes way for those behind", async () => {
  const budget = new ByteBudget(10);
  const admitted: string[] = [];
  await enter(budget, admitted, "first", 8);
  const leaving = new AbortController();
  const gone = enter(budget, admitted, "gone", 9, leaving.signal);
  void enter(budget, admitted, "next", 2);
  leaving.abort(new Error("enough"));
  await assert.rejects(gone, /enough/);
  await settle();
  assert.deepEqual(admitted, ["first", "next"]);
  await assert.rejects(budget.take(1, leaving.signal), /enough/);
});
