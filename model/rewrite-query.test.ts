import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ModelFailed } from "./model.ts";
import type { Model } from "./model.ts";
import { createOpenAIModel } from "./openai.ts";
import { rewriteQuery } from "./rewrite-query.ts";
import { createRouter } from "./router.ts";
import { startScriptedModel } from "./scripted/server.ts";
import type { ScriptedModel } from "./scripted/server.ts";

let scripted: ScriptedModel;
let model: Model;
const never = new AbortController().signal;

before(async () => {
  scripted = await startScriptedModel({ host: "127.0.0.1", port: 0 });
  const fallback = { base_url: scripted.url, api_key: "any", context_window: 128_000 };
  model = createOpenAIModel(createRouter({ routes: [], fallback, env: {} }));
});
after(() => scripted.stop());

const rewrite = (turn: object) =>
  rewriteQuery({ model, name: "gpt-4o" }, `#script ${JSON.stringify({ turns: [turn] })}`, never);

test("the model's words are the query, without quotes and on one line", async () => {
  assert.equal(await rewrite({ text: "return policy" }), "return policy");
  assert.equal(await rewrite({ text: ' "return policy"\n' }), "return policy");
  assert.equal(await rewrite({ text: "return policy\nIs there more?" }), "return policy");
});

test("a model that says nothing leaves the query as it was", async () => {
  assert.match(await rewrite({ text: " " }), /^#script /);
});

test("a model that fails is the caller's to judge", async () => {
  await assert.rejects(rewrite({ error: { status: 500 } }), ModelFailed);
});
