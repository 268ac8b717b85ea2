import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { MAX_EMBEDDED_TOKENS, MAX_EMBEDDING_BATCH, MAX_EMBEDDING_BATCH_TOKENS } from "../contract/limits.ts";
import { loadConfig } from "../config.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import { chooseEmbeddings } from "./embedding-settings.ts";
import { createEmbedder, toBatches } from "./embeddings.ts";
import type { Embedder } from "./embeddings.ts";
import { ModelBusy, ModelFailed, ModelRefused } from "./model.ts";
import { startScriptedModel } from "./scripted/server.ts";
import type { ScriptedModel } from "./scripted/server.ts";
import { countTokens } from "./tokens.ts";

let model: ScriptedModel;
let embedder: Embedder;
const never = new AbortController().signal;
const options = { api_key: "any", model: "text-embedding-3-large", dimensions: 256, send_dimensions: true };

before(async () => {
  model = await startScriptedModel({ host: "127.0.0.1", port: 0 });
  embedder = createEmbedder({ ...options, base_url: model.url });
});
after(() => model.stop());

const lengthOf = (vector: Float32Array | undefined) => Math.hypot(...(vector ?? []));

test("texts come back as unit vectors, in their order", async () => {
  const texts = ["one fox", "two dogs", "one fox"];
  const vectors = await embedder.embed(texts, never);
  assert.equal(vectors.length, 3);
  for (const vector of vectors) assert.ok(Math.abs(lengthOf(vector) - 1) < 1e-6);
  assert.deepEqual(vectors[0], vectors[2]);
  assert.notDeepEqual(vectors[0], vectors[1]);
  assert.deepEqual(await embedder.embed([], never), []);
});

test("no request has too many texts or tokens, and together they have all of them", () => {
  const many = toBatches(Array.from({ length: 2 * MAX_EMBEDDING_BATCH + 1 }, (_, index) => `text ${index}`));
  assert.deepEqual(
    many.map((batch) => batch.length),
    [MAX_EMBEDDING_BATCH, MAX_EMBEDDING_BATCH, 1],
  );
  assert.equal(many[2]?.[0], `text ${2 * MAX_EMBEDDING_BATCH}`);
  const long = toBatches(Array.from({ length: 40 }, () => "word ".repeat(4000)));
  assert.equal(long.flat().length, 40);
  for (const batch of long) {
    assert.ok(batch.reduce((sum, text) => sum + countTokens(text), 0) <= MAX_EMBEDDING_BATCH_TOKENS);
  }
});

test("a text that is longer than models take is cut, and one without words is sent as a space", () => {
  const [[cut = "", blank] = []] = toBatches(["word ".repeat(20_000), " \n"]);
  assert.ok(countTokens(cut) <= MAX_EMBEDDED_TOKENS && countTokens(cut) > MAX_EMBEDDED_TOKENS / 2);
  assert.equal(blank, " ");
  const [[emoji = ""] = []] = toBatches(["😀".repeat(20_000)]);
  assert.ok(emoji.isWellFormed());
});

const scripted = (directive: object) => [`a text\n#embeddings ${JSON.stringify(directive)}`, "another"];

test("a 429 says when to come again", async () => {
  const busy = embedder.embed(scripted({ error: { status: 429, retry_after_ms: 1500 } }), never);
  await assert.rejects(busy, (error) => error instanceof ModelBusy && error.retryAfterMs === 1500);
});

for (const status of [500, 503, 408]) {
  test(`a ${status} may go away`, async () => {
    await assert.rejects(embedder.embed(scripted({ error: { status } }), never), ModelFailed);
  });
}
for (const fault of ["cut", "garbage", "missing"]) {
  test(`an answer with the fault "${fault}" may be better the next time`, async () => {
    await assert.rejects(embedder.embed(scripted({ fault }), never), ModelFailed);
  });
}
for (const status of [400, 401, 403, 404]) {
  test(`a ${status} stays`, async () => {
    await assert.rejects(embedder.embed(scripted({ error: { status } }), never), ModelRefused);
  });
}

test("vectors of another length are refused, with the setting that would have to change", async () => {
  await assert.rejects(embedder.embed(scripted({ fault: "length" }), never), (error) => {
    assert.ok(error instanceof ModelRefused);
    assert.match(error.message, /257 dimensions, but EMBEDDINGS_DIMENSIONS is 256/);
    return true;
  });
});

for (const [fault, words] of [
  ["nan", /something else than numbers/],
  ["zero", /no direction/],
] as const) {
  test(`vectors with the fault "${fault}" are refused`, async () => {
    await assert.rejects(embedder.embed(scripted({ fault }), never), (error) => {
      assert.ok(error instanceof ModelRefused);
      assert.match(error.message, words);
      return true;
    });
  });
}

test("an abort ends a request that hangs, with the reason of the abort", async () => {
  const abort = new AbortController();
  const texts = scripted({ fault: "hang", key: "hang" });
  const hanging = embedder.embed(texts, abort.signal);
  hanging.catch(() => undefined);
  const asked = () => model.requests.find((request) => request.key === "hang");
  await waitUntil("it is asked", () => asked() !== undefined);
  abort.abort(new Error("enough"));
  await assert.rejects(hanging, /enough/);
  await waitUntil("the endpoint has noticed", () => asked()?.aborted === true);
});

test("the length is asked for, unless the endpoint refuses to be asked", async () => {
  const newest = () => (model.requests.at(-1)?.body ?? {}) as { dimensions?: number };
  await embedder.embed(["asked"], never);
  assert.equal(newest().dimensions, 256);
  const silent = createEmbedder({ ...options, base_url: model.url, dimensions: 3072, send_dimensions: false });
  assert.equal((await silent.embed(["asked"], never))[0]?.length, 3072);
  assert.equal("dimensions" in newest(), false);
});

test("the endpoint is chosen from the settings, and the key for chat never goes to another host", () => {
  const choose = (env: Record<string, string>) => {
    const chosen = chooseEmbeddings(loadConfig(env));
    return chosen && `${chosen.base_url} ${chosen.api_key}`;
  };
  const openai = "https://api.openai.com/v1";
  const [chat, other] = ["http://chat.test/v1", "http://embed.test/v1"];
  assert.equal(choose({}), undefined);
  assert.equal(choose({ OPENAI_API_KEY: "sk" }), `${openai} sk`);
  assert.equal(choose({ OPENAI_API_KEY: "sk", OPENAI_BASE_URL: chat }), undefined);
  assert.equal(choose({ OPENAI_API_KEY: "sk", EMBEDDINGS_BASE_URL: other }), `${other} none`);
  assert.equal(choose({ EMBEDDINGS_API_KEY: "e", OPENAI_API_KEY: "sk", OPENAI_BASE_URL: chat }), `${openai} e`);
  assert.equal(choose({ EMBEDDINGS_API_KEY: "e", EMBEDDINGS_BASE_URL: other }), `${other} e`);
  assert.equal(choose({ OPENAI_API_KEY: "sk", EMBEDDINGS_MODEL: "none" }), undefined);
});
