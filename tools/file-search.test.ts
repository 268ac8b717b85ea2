import assert from "node:assert/strict";
import { test } from "node:test";
import type { SearchHit } from "../db/search.ts";
import { describeResults, limitsOf, readQueries, toDetails } from "./file-search.ts";

const tool = { ranking_options: { ranker: "auto" as const, score_threshold: 0.25, hybrid_search: null } };

function hit(text: string, tokens: number): SearchHit {
  return { file_id: `file-${text}`, filename: `${text}.txt`, attributes: {}, score: 0.5, chunk_index: 0, text, tokens };
}

test("queries are read from the arguments, without blanks", () => {
  assert.deepEqual(readQueries('{"queries": [" a ", "", "b"], "more": 1}'), ["a", "b"]);
});

test("the model is told what is wrong with its arguments", () => {
  for (const args of ["", "null", "{", "[]", '{"queries":"a"}', '{"queries":[1]}'])
    assert.match(readQueries(args) as string, /have to be JSON of the form/, args);
  for (const args of ['{"queries":[]}', '{"queries":["  "]}'])
    assert.match(readQueries(args) as string, /there was no query/, args);
});

test("gpt-3.5 is given less than other models, and a tool may say how many passages", () => {
  const window = 128_000;
  assert.deepEqual(limitsOf(tool, "gpt-4o", window), { passages: 20, tokens: 16_000, score_threshold: 0.25 });
  assert.deepEqual(limitsOf(tool, "gpt-3.5-turbo", window), { passages: 5, tokens: 4000, score_threshold: 0.25 });
  assert.equal(limitsOf({ ...tool, max_num_results: 7 }, "gpt-3.5-turbo", window).passages, 7);
});

test("what is found takes no more than a quarter of a small window", () => {
  assert.equal(limitsOf(tool, "llama", 8000).tokens, 2000);
});

test("the best passages that fit are kept, in their order", () => {
  const { results, ranking_options } = toDetails(tool, [hit("a", 60), hit("b", 50), hit("c", 40)], { tokens: 100 });
  assert.deepEqual(
    results.map(({ file_name }) => file_name),
    ["a.txt", "c.txt"],
  );
  assert.deepEqual(ranking_options, { ranker: "auto", score_threshold: 0.25 });
});

test("the model reads each passage behind its marker", () => {
  const told = describeResults(3, toDetails(tool, [hit("a", 1), hit("b", 1)], { tokens: 100 }));
  assert.match(told, /cite/);
  assert.ok(told.endsWith("【3:0†a.txt】\na\n\n【3:1†b.txt】\nb"), told);
  assert.match(describeResults(0, toDetails(tool, [], { tokens: 100 })), /^Nothing was found/);
});
