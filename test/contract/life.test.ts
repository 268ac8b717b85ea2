// Tries every row about what a worker does, on runs that one has moved.
import { after, before, suite, test } from "node:test";
import { lifeRows } from "./all-rows.ts";
import { liveThroughEverything } from "./life.ts";
import type { Life } from "./life.ts";
import { tryRow } from "./waiting-rows.ts";

let life: Life;
before(async () => {
  life = await liveThroughEverything();
});
after(() => life.stop());

suite("the contract", () => {
  for (const row of lifeRows) test(`${row.id}: ${row.title}`, () => tryRow(row, life));
});
