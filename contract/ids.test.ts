import assert from "node:assert/strict";
import { test } from "node:test";
import { newId, randomText } from "./ids.ts";

test("an id is its prefix and 24 letters and digits, which clients cut out of texts", () => {
  for (let i = 0; i < 1000; i += 1) assert.match(newId("run_"), /^run_[A-Za-z0-9]{24}$/);
});

test("ids do not repeat", () => {
  assert.equal(new Set(Array.from({ length: 10_000 }, () => newId("msg_"))).size, 10_000);
});

test("every character is as likely as every other", () => {
  const draws = 62_000;
  const counts = new Map<string, number>();
  for (const character of randomText(draws)) counts.set(character, (counts.get(character) ?? 0) + 1);
  assert.equal(counts.size, 62);
  // Eight standard deviations: a fair source fails this once in a trillion runs, the classic modulo bias always.
  const expected = draws / 62;
  for (const count of counts.values()) assert.ok(Math.abs(count - expected) < 8 * Math.sqrt(expected));
});
