import assert from "node:assert/strict";
import { test } from "node:test";
import { renderBanner } from "./banner.ts";
import type { BannerFacts } from "./banner.ts";

const facts: BannerFacts = {
  apiUrl: "http://127.0.0.1:8080",
  temporalUiUrl: "http://127.0.0.1:8233",
  dataDir: "/data",
  key: { key: "sk-da-secret", file: "/data/api-key", isNew: true },
  modelEndpoint: "a demo",
  fileSearch: "by words",
  codeInterpreter: "ready",
  model: "demo-1",
};

test("a new key stands in the banner and in all three examples", () => {
  assert.equal(renderBanner(facts).split("sk-da-secret").length - 1, 4);
});

test("a key that was shown before is never shown again", () => {
  const banner = renderBanner({ ...facts, key: { ...facts.key, isNew: false } });
  assert.doesNotMatch(banner, /sk-da-secret/);
  assert.equal(banner.split("$(cat '/data/api-key')").length - 1, 3);
});

test("a key that the user brought is never shown", () => {
  const banner = renderBanner({ ...facts, key: { key: "my-own-secret", file: undefined, isNew: false } });
  assert.doesNotMatch(banner, /my-own-secret/);
  assert.match(banner, /Bearer \$BOOTSTRAP_API_KEY/);
});

test("the Temporal UI is named only when it is ours", () => {
  assert.match(renderBanner(facts), /Temporal UI +http:\/\/127\.0\.0\.1:8233/);
  assert.doesNotMatch(renderBanner({ ...facts, temporalUiUrl: undefined }), /Temporal UI/);
});
