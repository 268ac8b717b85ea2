import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Model } from "../../contract/model.ts";
import { saveModels } from "../../db/models.ts";
import { startTestApp } from "../../test/support/app.ts";
import type { TestApp } from "../../test/support/app.ts";

const model = (id: string, created = 1): Model => ({ id, object: "model", created, owned_by: "us" });

let app: TestApp;
before(async () => {
  app = await startTestApp();
});
after(() => app.stop());

test("without any model the list is empty", async () => {
  const { body } = await app.call<object>("GET", "/v1/models");
  assert.deepEqual(body, { object: "list", data: [] });
});

test("models are listed by name, each once, as they were seen last", async () => {
  await saveModels(app.db, [model("b"), model("a"), model("a")]);
  await saveModels(app.db, [model("b", 2)]);
  const { body } = await app.call<object>("GET", "/v1/models");
  assert.deepEqual(body, { object: "list", data: [model("a"), model("b", 2)] });
});

test("a name with slashes is found, encoded or not", async () => {
  await saveModels(app.db, [model("meta/llama 3/70b")]);
  for (const path of ["meta%2Fllama%203%2F70b", "meta/llama%203/70b"]) {
    assert.deepEqual((await app.call<Model>("GET", `/v1/models/${path}`)).body, model("meta/llama 3/70b"));
  }
});

test("an unknown model is not found", async () => {
  const { status, body } = await app.call("GET", "/v1/models/x%2Fy");
  assert.equal(status, 404);
  assert.deepEqual(body.error, {
    message: "The model 'x/y' does not exist",
    type: "invalid_request_error",
    param: "model",
    code: "model_not_found",
  });
});
