// Tries every row that needs no worker.
import { after, before, suite, test } from "node:test";
import { routeRows } from "./all-rows.ts";
import { tryRow } from "./waiting-rows.ts";
import { startWorld } from "./world.ts";
import type { World } from "./world.ts";

let world: World;
before(async () => {
  world = await startWorld();
});
after(() => world.app.stop());

suite("the contract", { concurrency: 8 }, () => {
  for (const row of routeRows) test(`${row.id}: ${row.title}`, () => tryRow(row, world));
});
