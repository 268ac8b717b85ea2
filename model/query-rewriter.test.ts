import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createQueryRewriter } from "./query-rewriter.ts";
import type { QueryRewriterOptions, RewriteSettings } from "./query-rewriter.ts";
import { startScriptedModel } from "./scripted/server.ts";
import type { ScriptedModel } from "./scripted/server.ts";

const folder = mkdtempSync(join(tmpdir(), "durable-assistants-models-"));
const never = new AbortController().signal;
let scripted: ScriptedModel;

before(async () => {
  scripted = await startScriptedModel({ host: "127.0.0.1", port: 0 });
});
after(async () => {
  await scripted.stop();
  rmSync(folder, { recursive: true });
});

interface Given extends Partial<Omit<QueryRewriterOptions, "settings" | "onFailed">> {
  settings?: Partial<RewriteSettings>;
}

/** A rewriter, and what it was told went wrong. */
async function open({ settings, env = {}, ...rest }: Given = {}) {
  const failures: unknown[] = [];
  const rewrite = await createQueryRewriter({
    settings: { REWRITE_MODEL: "small", DEFAULT_CONTEXT_WINDOW: 128_000, OPENAI_BASE_URL: scripted.url, ...settings },
    env,
    onFailed: (error) => failures.push(error),
    ...rest,
  });
  return { rewrite, failures };
}

const scriptOf = (turn: object) => `#script ${JSON.stringify({ turns: [turn] })}`;

test("each query is rewritten by the model of the settings", async () => {
  const { rewrite, failures } = await open();
  const asked = scripted.requests.length;
  assert.deepEqual(await rewrite([scriptOf({ text: "one" }), scriptOf({ text: "two" })], never), ["one", "two"]);
  assert.deepEqual(
    scripted.requests.slice(asked).map(({ body }) => (body as { model: string }).model),
    ["small", "small"],
  );
  assert.deepEqual(failures, []);
});

test("a query for which the model fails stays as it was, and that is told", async () => {
  const { rewrite, failures } = await open();
  const failing = scriptOf({ error: { status: 500 } });
  assert.deepEqual(await rewrite([failing, scriptOf({ text: "two" })], never), [failing, "two"]);
  assert.equal(failures.length, 1);
});

test("a model that takes too long is not waited for", async () => {
  const { rewrite, failures } = await open({ timeoutMs: 50 });
  const slow = scriptOf({ text: "late", delay_ms: 60_000 });
  assert.deepEqual(await rewrite([slow], never), [slow]);
  assert.equal(failures.length, 1);
});

test("a search that nobody waits for any more ends, and that is no failure", async () => {
  const { rewrite, failures } = await open();
  const leaving = new AbortController();
  const rewriting = rewrite([scriptOf({ text: "late", delay_ms: 60_000 })], leaving.signal);
  leaving.abort(new Error("gone"));
  await assert.rejects(rewriting, /gone/);
  assert.deepEqual(failures, []);
});

test("nothing is rewritten, and nobody asked, with `none` or without an endpoint", async () => {
  const asked = scripted.requests.length;
  for (const settings of [{ REWRITE_MODEL: "none" }, { OPENAI_BASE_URL: undefined }]) {
    const { rewrite } = await open({ settings });
    const query = scriptOf({ text: "other" });
    assert.deepEqual(await rewrite([query], never), [query]);
  }
  assert.equal(scripted.requests.length, asked);
});

test("a model of MODELS_FILE is asked where the file says, and the keys of others need not be there", async () => {
  const MODELS_FILE = join(folder, "models.json");
  const routes = [
    { name: "small", base_url: scripted.url, upstream: "tiny", api_key_env: "SMALL_KEY" },
    { name: "other", api_key_env: "OTHER_KEY" },
  ];
  writeFileSync(MODELS_FILE, JSON.stringify(routes));
  const settings = { MODELS_FILE, OPENAI_BASE_URL: undefined };
  const { rewrite } = await open({ settings, env: { SMALL_KEY: "any" } });
  assert.deepEqual(await rewrite([scriptOf({ text: "one" })], never), ["one"]);
  const asked = scripted.requests.at(-1)?.body as { model: string } | undefined;
  assert.equal(asked?.model, "tiny");
  await assert.rejects(open({ settings }), /SMALL_KEY/);
});

test("the demo model leaves a query as it is", async () => {
  const { rewrite, failures } = await open();
  assert.deepEqual(await rewrite(["What is the weather in Paris?"], never), ["What is the weather in Paris?"]);
  assert.deepEqual(failures, []);
});
