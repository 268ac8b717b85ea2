import assert from "node:assert/strict";
import { test } from "node:test";
import type { Search, SearchHit } from "../db/search.ts";
import { ModelFailed } from "../model/model.ts";
import { createPassageFinder } from "./find-passages.ts";
import type { PassageFinderDeps, Question } from "./find-passages.ts";

const scope = { project_id: "proj_1", vector_store_ids: ["vs_1"] };
const never = new AbortController().signal;
const embedder: PassageFinderDeps["embedder"] = {
  model: "m",
  dimensions: 2,
  embed: async (texts) => texts.map((_, index) => Float32Array.of(1, index)),
};
const found: SearchHit[] = [0.9, 0.5, 0.2].map((score, index) => ({
  file_id: "file-1",
  filename: "a.txt",
  attributes: {},
  score,
  chunk_index: index,
  text: `text ${index}`,
  tokens: 2,
}));

/** What was searched for, what came out, and what was done without. */
async function find(deps: Partial<PassageFinderDeps>, question: Partial<Question> = {}, signal = never) {
  const searches: Search[] = [];
  const without: string[] = [];
  const finder = createPassageFinder({
    search: async (_, search) => {
      searches.push(search);
      return found.slice(0, search.limit);
    },
    embedder: undefined,
    reranker: undefined,
    onDegraded: (part) => without.push(part),
    ...deps,
  });
  const hits = await finder(scope, { queries: ["a", "b"], limit: 2, rerank: true, ...question }, signal);
  return { search: searches[0], hits: hits.map((hit) => [hit.chunk_index, hit.score]), without };
}

test("each query goes with its own vector, and with the name of the model", async () => {
  const { search } = await find({ embedder });
  assert.equal(search?.embedding_model, "m");
  assert.deepEqual(
    search?.queries.map(({ text, embedding }) => [text, [...(embedding ?? [])]]),
    [
      ["a", [1, 0]],
      ["b", [1, 1]],
    ],
  );
});

test("without an embedder, or while it fails, words are searched for", async () => {
  const failing = { ...embedder, embed: () => Promise.reject(new ModelFailed("down")) };
  for (const [given, without] of [
    [undefined, []],
    [failing, ["embeddings"]],
  ] as const) {
    const result = await find({ embedder: given });
    assert.deepEqual(
      result.search?.queries.map((query) => query.embedding),
      [null, null],
    );
    assert.deepEqual(result.without, without);
    assert.equal(result.hits.length, 2);
  }
});

test("queries whose meaning counts for nothing are not embedded", async () => {
  const counting = { ...embedder, embed: () => Promise.reject(new Error("asked")) };
  const weights = { words: 1, vectors: 0 };
  const { search, without } = await find({ embedder: counting }, { weights });
  assert.deepEqual(search?.weights, weights);
  assert.deepEqual(without, []);
});

test("a reranker orders more than what is asked for, and its scores count", async () => {
  const reranker = { rerank: async (_: string, texts: readonly string[]) => texts.map((_text, index) => index / 10) };
  const { hits, search } = await find({ reranker }, { score_threshold: 0.15 });
  assert.deepEqual(hits, [[2, 0.2]]);
  assert.equal(search?.limit, 50);
  const plain = await find({ reranker }, { rerank: false });
  assert.deepEqual(plain.hits, [
    [0, 0.9],
    [1, 0.5],
  ]);
});

test("while the reranker fails, the order of the search stands", async () => {
  const reranker = { rerank: () => Promise.reject(new ModelFailed("down")) };
  const { hits, without } = await find({ reranker });
  assert.deepEqual(hits, [
    [0, 0.9],
    [1, 0.5],
  ]);
  assert.deepEqual(without, ["reranker"]);
});

test("an abort is an abort, not a failure that is made up for", async () => {
  const abort = new AbortController();
  const aborting = {
    ...embedder,
    embed: () => {
      abort.abort(new Error("enough"));
      return Promise.reject(new ModelFailed("aborted"));
    },
  };
  await assert.rejects(find({ embedder: aborting }, {}, abort.signal), /enough/);
});
