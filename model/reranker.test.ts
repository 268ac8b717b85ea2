import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ModelBusy, ModelFailed, ModelRefused } from "./model.ts";
import { createReranker } from "./reranker.ts";
import type { Reranker } from "./reranker.ts";
import { startScriptedModel } from "./scripted/server.ts";
import type { ScriptedModel } from "./scripted/server.ts";

let model: ScriptedModel;
let reranker: Reranker;
const never = new AbortController().signal;

before(async () => {
  model = await startScriptedModel({ host: "127.0.0.1", port: 0 });
  reranker = createReranker({ base_url: model.url, api_key: "any", model: "rerank-v3.5" });
});
after(() => model.stop());

test("each text has its score, in the order of the texts", async () => {
  const scores = await reranker.rerank("black cats", ["dogs", "a black cat", "white cats"], never);
  assert.equal(scores.length, 3);
  assert.equal(scores[0], 0);
  assert.ok((scores[1] ?? 0) > (scores[2] ?? 0) && (scores[2] ?? 0) > 0);
  assert.deepEqual(await reranker.rerank("cats", [], never), []);
});

for (const [what, directive, kind] of [
  ["a 429", { error: { status: 429, retry_after: 1 } }, ModelBusy],
  ["a 500", { error: { status: 500 } }, ModelFailed],
  ["a 401", { error: { status: 401 } }, ModelRefused],
  ["a cut connection", { fault: "cut" }, ModelFailed],
  ["no JSON", { fault: "garbage" }, ModelFailed],
  ["no results", { fault: "missing" }, ModelFailed],
] as const) {
  test(`${what} is a ${kind.name}`, async () => {
    const query = `cats\n#rerank ${JSON.stringify(directive)}`;
    await assert.rejects(reranker.rerank(query, ["cats"], never), kind);
  });
}
