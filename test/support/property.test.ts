import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { holdsForAll } from "./property.ts";

const anyNumber = fc.integer({ min: 0, max: 1_000_000 });
const isSmall = async (value: number) => assert.ok(value < 1000);

async function failureOf(work: Promise<void>): Promise<string> {
  return work.then(
    () => assert.fail("the property holds"),
    (error: Error) => error.message,
  );
}

test("a property that fails names its smallest case and how to run it again", async (t) => {
  for (const atATime of [1, 5]) {
    const message = await failureOf(holdsForAll({ test: t, cases: 100, atATime }, anyNumber, isSmall));
    assert.match(message, /Counterexample: \[1000\]/);
    const [, seed, path] =
      /PROPERTY_SEED=(\d+) PROPERTY_PATH=([\d:]+) npm test -- --test-name-pattern='a prop/.exec(message) ?? [];
    assert.ok(seed !== undefined && path !== undefined, message);

    const tried: number[] = [];
    Object.assign(process.env, { PROPERTY_SEED: seed, PROPERTY_PATH: path });
    try {
      const again = holdsForAll({ test: t, cases: 100, atATime }, anyNumber, async (value) => {
        tried.push(value);
        await isSmall(value);
      });
      assert.match(await failureOf(again), /Counterexample: \[1000\]/);
    } finally {
      delete process.env["PROPERTY_SEED"];
      delete process.env["PROPERTY_PATH"];
    }
    assert.equal(tried[0], 1000, "that case and no other");
  }
});

test("a property that holds is tried as often as asked", async (t) => {
  let tried = 0;
  await holdsForAll({ test: t, cases: 30, atATime: 7 }, anyNumber, async () => void (tried += 1));
  assert.ok(tried >= 30);
});
