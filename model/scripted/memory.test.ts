import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemory, MAX_REQUESTS } from "./memory.ts";

test("only the newest requests are kept", () => {
  const memory = createMemory();
  for (let n = 0; n < MAX_REQUESTS + 5; n++) memory.record(n, 10);
  assert.equal(memory.requests.length, MAX_REQUESTS);
  assert.equal(memory.requests[0]?.body, 5);
});

test("large requests push out old ones before their number does, but never themselves", () => {
  const memory = createMemory();
  for (const n of [1, 2, 3]) memory.record(n, 20_000_000);
  assert.deepEqual(
    memory.requests.map((request) => request.body),
    [3],
  );
  memory.clear();
  for (const n of [4, 5]) memory.record(n, 15_000_000);
  assert.deepEqual(
    memory.requests.map((request) => request.body),
    [4, 5],
  );
});

test("a fault with times is counted for its key, its turn and its kind", () => {
  const memory = createMemory();
  const claim = (key: string, turn: number, kind: string) => memory.claimFault({ key, turn, kind, times: 1 });
  assert.deepEqual([claim("a", 0, "cut"), claim("a", 0, "cut")], [true, false]);
  assert.deepEqual([claim("a", 1, "cut"), claim("a", 0, "hang"), claim("a b", 0, "cut")], [true, true, true]);
  memory.clear("a");
  assert.deepEqual([claim("a", 0, "cut"), claim("a b", 0, "cut")], [true, false]);
});

test("a fault without times always strikes", () => {
  const memory = createMemory();
  const claim = () => memory.claimFault({ key: undefined, turn: 0, kind: "cut", times: undefined });
  assert.deepEqual([claim(), claim(), claim()], [true, true, true]);
});
