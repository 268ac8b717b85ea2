import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI from "openai";
import { startScriptedModel } from "./server.ts";
import type { ScriptedModel } from "./server.ts";

let model: ScriptedModel;
let client: OpenAI;

before(async () => {
  model = await startScriptedModel({ host: "127.0.0.1", port: 0 });
  client = new OpenAI({ apiKey: "any", baseURL: model.url, maxRetries: 0, timeout: 10_000, logLevel: "off" });
});
after(() => model.stop());

async function vectorsOf(...input: string[]): Promise<number[][]> {
  const { data } = await client.embeddings.create({ model: "text-embedding-3-large", dimensions: 256, input });
  return data.map((item) => item.embedding);
}

const cosine = (a: number[] = [], b: number[] = []) => a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);

test("embeddings are unit vectors of the length that is asked for, the same each time", async () => {
  const [first] = await vectorsOf("The quick brown fox");
  const [again] = await vectorsOf("The quick brown fox");
  assert.deepEqual(first, again);
  assert.equal(first?.length, 256);
  assert.ok(Math.abs(cosine(first, first) - 1) < 1e-6);
  const { data } = await client.embeddings.create({ model: "text-embedding-3-large", input: "one" });
  assert.equal(data[0]?.embedding.length, 3072);
});

test("synonyms of the table and other forms of a word come nearer than other words", async () => {
  const [query, synonym, form, other] = await vectorsOf(
    "car insurance",
    "automobile insurance",
    "insured cars",
    "green tea",
  );
  assert.ok(cosine(query, synonym) > 0.5);
  assert.ok(cosine(query, form) > 0.3);
  assert.ok(Math.abs(cosine(query, other)) < 0.2);
});

test("floats and base64 are the same numbers", async () => {
  const request = { model: "m", input: "a fox", dimensions: 64 };
  const asFloats = await client.embeddings.create({ ...request, encoding_format: "float" });
  const asBase64 = await client.embeddings.create(request); // the SDK asks for base64
  for (const [at, value] of (asFloats.data[0]?.embedding ?? []).entries()) {
    assert.ok(Math.abs(value - (asBase64.data[0]?.embedding[at] ?? Number.NaN)) < 1e-6);
  }
});

test("an empty input and an empty list are refused, as OpenAI does", async () => {
  for (const input of ["", [], ["a", ""]]) {
    await assert.rejects(client.embeddings.create({ model: "m", input }), OpenAI.BadRequestError);
  }
});

test("a fault strikes as often as it is told to", async () => {
  const input = 'hello\n#embeddings {"key": "e1", "error": {"status": 429, "retry_after": 3, "times": 2}}\nworld';
  for (let time = 0; time < 2; time += 1) {
    const error = await client.embeddings.create({ model: "m", input }).then(
      () => assert.fail(),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof OpenAI.RateLimitError);
    assert.equal(error.headers?.get("retry-after"), "3");
  }
  assert.equal((await client.embeddings.create({ model: "m", input })).data.length, 1);
  assert.equal(model.requests.filter((request) => request.key === "e1").length, 3);
});

test("a directive that cannot be followed is said to be so", async () => {
  for (const directive of ['{"falt": "hang"}', '{"fault": "hang", "times": 1}', "{"]) {
    const input = `#embeddings ${directive}`;
    await assert.rejects(client.embeddings.create({ model: "m", input }), /cannot be followed/);
  }
});

test("a rerank puts the text that has the query's words first", async () => {
  const documents = ["about green tea", "insurance for automobiles", "car insurance"];
  const answer = (await client.post("/rerank", {
    body: { model: "m", query: "car insurance", documents, top_n: 2 },
  })) as { results: { index: number; relevance_score: number }[] };
  assert.deepEqual(
    answer.results.map((result) => result.index),
    [2, 1],
  );
  assert.equal(answer.results[0]?.relevance_score, 1);
});
