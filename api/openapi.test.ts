import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startTestApp } from "../test/support/app.ts";
import type { TestApp } from "../test/support/app.ts";

interface Document {
  openapi: string;
  paths: Record<string, Record<string, { responses: Record<string, unknown>; parameters?: { name: string }[] }>>;
  components: { schemas: Record<string, unknown> };
}

let app: TestApp;
before(async () => {
  app = await startTestApp();
});
after(() => app.stop());

async function read(path: string): Promise<Document> {
  const { status, body } = await app.call<Document>("GET", path, { headers: { authorization: undefined } });
  assert.equal(status, 200);
  return body;
}

describe("the OpenAPI document", () => {
  test("has every route that the app has, each in its version", async () => {
    const described = new Set<string>();
    for (const [version, path] of [
      ["v2", "/openapi.json"],
      ["v1", "/openapi-v1.json"],
    ] as const) {
      for (const [url, operations] of Object.entries((await read(path)).paths)) {
        for (const method of Object.keys(operations)) described.add(`${version} ${method.toUpperCase()} ${url}`);
      }
    }
    const missing = app.routes
      .filter(({ url }) => url.startsWith("/v1/"))
      .flatMap(({ method, url, version }) =>
        (version === undefined ? ["v1", "v2"] : [version]).map((name) => `${name} ${method} ${toTemplate(url)}`),
      )
      .filter((route) => !described.has(route));
    assert.deepEqual(missing, []);
    assert.ok(described.size > 40);
  });

  test("refers to nothing that is not in it, and holds nothing that is not referred to", async () => {
    for (const path of ["/openapi.json", "/openapi-v1.json"]) {
      const document = await read(path);
      const text = JSON.stringify(document);
      const referred = new Set([...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name));
      for (const name of referred) assert.ok(document.components.schemas[name ?? ""], `${path} lacks ${name}`);
      assert.deepEqual([...referred].toSorted(), Object.keys(document.components.schemas).toSorted());
    }
  });

  test("says that errors have their own shape, and names the headers that a request takes", async () => {
    const { paths } = await read("/openapi.json");
    const operation = paths["/v1/threads/{thread_id}/runs"]?.["post"];
    assert.deepEqual(Object.keys(operation?.responses ?? {}), ["200", "4XX"]);
    const names = operation?.parameters?.map(({ name }) => name) ?? [];
    assert.deepEqual(names.toSorted(), ["Idempotency-Key", "OpenAI-Beta", "include[]", "thread_id"]);
  });

  test("knows the limits that requests are held to", async () => {
    const { paths } = await read("/openapi.json");
    const text = JSON.stringify(paths["/v1/assistants"]?.["post"]);
    for (const limit of ['"maxLength":256000', '"maxProperties":16', '"maxItems":128', '"maximum":2']) {
      assert.ok(text.includes(limit), limit);
    }
  });
});

test("the page of the document is served, with all that it loads", async () => {
  const page = await app.text("/docs/");
  assert.match(page, /<title>Durable Assistants<\/title>/);
  const assets = [...page.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, path]) => `/docs/${path}`);
  assert.ok(assets.length > 3);
  for (const asset of assets) assert.ok((await app.text(asset)).length > 0, asset);
});

/** `/v1/threads/:thread_id` as `/v1/threads/{thread_id}`. */
function toTemplate(url: string): string {
  return url.replace(/:(\w+)/g, "{$1}").replace("*", "{model}");
}
