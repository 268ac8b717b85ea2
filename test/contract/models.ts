// Models: what the list and one model look like, and what an unknown one is told.
import assert from "node:assert/strict";
import { saveModels } from "../../db/models.ts";
import { assertRefused, notFound } from "./refusals.ts";
import { rule } from "./row.ts";
import type { Row } from "./row.ts";
import type { Made, World } from "./world.ts";

const model = (id: string) => ({ id, object: "model" as const, created: 1_700_000_000, owned_by: "someone" });

const NAMES = ["a-model", "meta/llama 3/70b", "ft:gpt-4o:org::abc"];

const saved = (world: World) => world.once("models", () => saveModels(world.app.db, NAMES.map(model)).then(() => true));

export const modelRows: Row<World>[] = [
  rule("models.list", "1.9", "the list of models has data and no paging fields", async (world) => {
    await saved(world);
    const list = await world.get<{ data: Made[] }>("/models");
    assert.deepEqual(Object.keys(list).toSorted(), ["data", "object"]);
    assert.equal((list as { object?: string }).object, "list");
    for (const name of NAMES)
      assert.ok(
        list.data.some(({ id }) => id === name),
        name,
      );
  }),
  rule("models.retrieve", "1.9", "a model is found under its name, encoded", async (world) => {
    await saved(world);
    for (const name of NAMES) assert.deepEqual(await world.get(`/models/${encodeURIComponent(name)}`), model(name));
  }),
  rule("models.retrieve.slashes", "1.9", "a name with slashes is found as it is, too", async (world) => {
    await saved(world);
    assert.deepEqual(await world.get("/models/meta/llama%203/70b"), model("meta/llama 3/70b"));
  }),
  rule(
    "models.retrieve.unknown",
    "1.9",
    "an unknown model is named",
    async (world) => {
      const refusal = (name: string) => notFound(`The model '${name}' does not exist`, "model", "model_not_found");
      assertRefused(await world.call("GET", "/models/X"), refusal("X"));
      assertRefused(await world.call("GET", "/models/x%2Fy"), refusal("x/y"));
    },
    { kind: "error" },
  ),
];
