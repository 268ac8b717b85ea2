// Vector stores through the official Node SDKs, with the helpers that wait.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import OpenAI, { toFile } from "openai";
import OpenAIv4 from "openai-v4";
import { startIngestStack } from "../ingest/ingest-stack.ts";
import type { IngestStack } from "../ingest/ingest-stack.ts";
import { waitUntil } from "../support/wait-until.ts";
import { script } from "./conversation.ts";
import { collect, GENERATIONS, QUICK } from "./sdk.ts";
import type { Generation } from "./sdk.ts";

let stack: IngestStack;
before(async () => {
  stack = await startIngestStack();
});
after(() => stack.stop());

/** What is called alike in both generations. */
function open(generation: Generation): OpenAI {
  const settings = { baseURL: stack.baseURL, apiKey: stack.apiKey, maxRetries: 0 };
  return generation === "openai 7" ? new OpenAI(settings) : (new OpenAIv4(settings) as unknown as OpenAI);
}

const noteOf = (name: string, text: string) => toFile(Buffer.from(text), name);

for (const generation of GENERATIONS) {
  describe(generation, () => {
    test("a file is uploaded, waited for and found", async () => {
      const { vectorStores } = open(generation);
      const store = await vectorStores.create({ name: "birds" });
      const note = await noteOf("heron.txt", "The heron stands in shallow water.");
      const file = await vectorStores.files.uploadAndPoll(store.id, note, QUICK);
      assert.equal(file.status, "completed", JSON.stringify(file.last_error));
      await vectorStores.files.uploadAndPoll(store.id, await noteOf("owl.txt", "The owl hunts at night."), QUICK);
      const { data } = await vectorStores.search(store.id, { query: "Who hunts at night?", max_num_results: 1 });
      assert.equal(data[0]?.filename, "owl.txt");
      assert.equal(data[0]?.content[0]?.text, "The owl hunts at night.");
    });

    test("files are uploaded together and waited for, and every page of their list is read", async () => {
      const { vectorStores } = open(generation);
      const store = await vectorStores.create({});
      const files = await Promise.all([1, 2, 3].map((number) => noteOf(`${number}.txt`, `Note number ${number}.`)));
      const batch = await vectorStores.fileBatches.uploadAndPoll(store.id, { files }, QUICK);
      assert.deepEqual([batch.status, batch.file_counts.completed], ["completed", 3]);
      const listed = await collect(vectorStores.files.list(store.id, { limit: 1 }));
      assert.deepEqual([listed.length, new Set(listed.map(({ id }) => id)).size], [3, 3]);
      const again = await vectorStores.fileBatches.createAndPoll(
        store.id,
        { file_ids: listed.map(({ id }) => id) },
        QUICK,
      );
      assert.deepEqual([again.status, again.file_counts.total], ["completed", 3]);
      assert.equal((await vectorStores.retrieve(store.id)).file_counts.total, 3);
    });

    test("queries are rewritten where that is asked for, and shown as they were searched for", async () => {
      const { vectorStores } = open(generation);
      const store = await vectorStores.create({});
      const file_id = await stack.file("The heron stands in shallow water.");
      await vectorStores.files.createAndPoll(store.id, { file_id }, QUICK);
      const query = script([{ text: "heron water" }]);
      const search = async (body: { query: string | string[]; rewrite_query: boolean }) => {
        const page = await vectorStores.search(store.id, body).asResponse();
        return (await page.json()) as { search_query: string[]; data: { score: number }[] };
      };
      const { search_query, data } = await search({ query, rewrite_query: true });
      assert.deepEqual(search_query, ["heron water"]);
      assert.ok((data[0]?.score ?? 0) > 0.9, "it was searched for");
      const failing = script([{ error: { status: 500 } }]);
      const both = await search({ query: [failing, query], rewrite_query: true });
      assert.deepEqual(both.search_query, [failing, "heron water"]);
      assert.deepEqual((await search({ query, rewrite_query: false })).search_query, [query]);
    });

    test("searches are narrowed by attributes", async () => {
      const { vectorStores } = open(generation);
      const store = await vectorStores.create({});
      for (const year of [2023, 2024]) {
        const file_id = await stack.file(`The report of the year ${year} about rivers.`);
        await vectorStores.files.createAndPoll(store.id, { file_id, attributes: { year } }, QUICK);
      }
      const filters = { type: "eq", key: "year", value: 2023 } as const;
      const { data } = await vectorStores.search(store.id, { query: "rivers", filters });
      assert.deepEqual(
        data.map(({ attributes }) => attributes),
        [{ year: 2023 }],
      );
    });
  });
}

test("a search that is repeated under its Idempotency-Key is answered as the first time, whatever was added since", async () => {
  const { vectorStores } = stack.openai;
  const store = await stack.store();
  const add = async (text: string) =>
    vectorStores.files.createAndPoll(store, { file_id: await stack.file(text) }, QUICK);
  await add("The kingfisher dives.");
  const headers = { "Idempotency-Key": randomUUID() };
  const search = async (key = true) => {
    const body = {
      query: script([{ text: "kingfisher" }]).replace(/"key":"[^"]*"/, '"key":"same"'),
      rewrite_query: true,
    };
    const page = await vectorStores.search(store, body, key ? { headers } : {});
    return page.data.map(({ content }) => content[0]?.text);
  };
  const asked = stack.model.requests.length;
  const together = await Promise.all([search(), search(), search()]);
  assert.deepEqual(new Set(together.map(String)), new Set(["The kingfisher dives."]));
  assert.equal(stack.model.requests.length, asked + 1, "the model is asked once");
  await add("A kingfisher is blue.");
  assert.deepEqual(await search(), ["The kingfisher dives."]);
  assert.equal((await search(false)).length, 2);
});

test("what a deleted store has held is gone from the database a little later", async () => {
  const { vectorStores } = stack.openai;
  const store = await stack.store();
  for (const name of ["plover", "dunlin"]) {
    await vectorStores.files.createAndPoll(store, { file_id: await stack.file(`The ${name} runs.`) }, QUICK);
  }
  await vectorStores.delete(store);
  await waitUntil("its chunks are gone", async () => {
    const { rows } = await stack.db.query<{ left: number }>(
      "select count(*)::integer as left from chunks where text like any(array['%plover%', '%dunlin%'])",
    );
    return rows[0]?.left === 0;
  });
});
