import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Assistant } from "../../contract/assistant.ts";
import { startTestApp } from "../../test/support/app.ts";
import type { List, TestApp } from "../../test/support/app.ts";
import { makeNamed } from "../../test/support/named-objects.ts";

let app: TestApp;
before(async () => {
  app = await startTestApp();
  await app.putFiles("file-A", "file-B");
  await makeNamed(app.db, { project: "alice", vector_store_ids: ["vs_A"] });
});
after(() => app.stop());

async function create(body: object = {}): Promise<Assistant> {
  const answer = await app.call<Assistant>("POST", "/v1/assistants", { body: { model: "gpt-4o", ...body } });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

async function modify(id: string, body: object): Promise<Assistant> {
  const answer = await app.call<Assistant>("POST", `/v1/assistants/${id}`, { body });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

/** Every field set to something that is not its default. */
const FULL = {
  model: "gpt-4o-mini",
  name: "Ada",
  description: "Helps",
  instructions: "Be brief.",
  tools: [
    { type: "code_interpreter" },
    { type: "function", function: { name: "f", description: "d", parameters: { type: "object" }, strict: true } },
  ],
  tool_resources: { code_interpreter: { file_ids: ["file-A"] }, file_search: { vector_store_ids: ["vs_A"] } },
  metadata: { team: "blue" },
  temperature: 0.2,
  top_p: 0.5,
  reasoning_effort: "high",
  response_format: { type: "text" },
};

test("a new assistant has every field, in the order of the original", async () => {
  const assistant = await create();
  assert.match(assistant.id, /^asst_[A-Za-z0-9]{24}$/);
  assert.ok(Math.abs(assistant.created_at - Date.now() / 1000) < 60);
  assert.deepEqual(Object.entries(assistant).slice(3), [
    ["name", null],
    ["description", null],
    ["model", "gpt-4o"],
    ["instructions", null],
    ["tools", []],
    ["top_p", 1],
    ["temperature", 1],
    ["reasoning_effort", null],
    ["tool_resources", {}],
    ["metadata", {}],
    ["response_format", "auto"],
  ]);
});

test("what was set comes back, now and later", async () => {
  const created = await create(FULL);
  assert.partialDeepStrictEqual(created, FULL);
  const { body } = await app.call<Assistant>("GET", `/v1/assistants/${created.id}`);
  assert.deepEqual(body, created);
});

test("explicit nulls on creation mean the defaults", async () => {
  const nulls = Object.fromEntries(Object.keys(FULL).map((field) => [field, null]));
  const { id: _a, created_at: _b, ...fromNulls } = await create({ ...nulls, model: "gpt-4o" });
  const { id: _c, created_at: _d, ...plain } = await create();
  assert.deepEqual(fromNulls, plain);
});

describe("modifying", () => {
  test("nothing changes nothing", async () => {
    const created = await create(FULL);
    assert.deepEqual(await modify(created.id, {}), created);
  });

  test("one field leaves the others", async () => {
    const created = await create(FULL);
    assert.deepEqual(await modify(created.id, { name: "Bob" }), { ...created, name: "Bob" });
    assert.deepEqual(await modify(created.id, { metadata: { a: "b" } }), {
      ...created,
      name: "Bob",
      metadata: { a: "b" },
    });
  });

  test("with null clears a field; a model and resources cannot be cleared so", async () => {
    const created = await create(FULL);
    const nulls = Object.fromEntries(Object.keys(FULL).map((field) => [field, null]));
    assert.deepEqual(await modify(created.id, nulls), {
      ...created,
      name: null,
      description: null,
      instructions: null,
      tools: [],
      metadata: {},
      temperature: 1,
      top_p: 1,
      reasoning_effort: null,
      response_format: "auto",
    });
  });

  test("replaces files and stores kind by kind", async () => {
    const { id } = await create(FULL);
    const tool_resources = { code_interpreter: { file_ids: ["file-B"] }, file_search: null };
    assert.deepEqual((await modify(id, { tool_resources })).tool_resources, {
      code_interpreter: { file_ids: ["file-B"] },
      file_search: { vector_store_ids: ["vs_A"] },
    });
  });

  test("adds the list of files with the code interpreter", async () => {
    const { id } = await create();
    const { tool_resources } = await modify(id, { tools: [{ type: "code_interpreter" }] });
    assert.deepEqual(tool_resources, { code_interpreter: { file_ids: [] } });
  });

  test("refuses a response format that does not go with the tools it has", async () => {
    const { id } = await create({ tools: [{ type: "code_interpreter" }] });
    const { status, body } = await app.call("POST", `/v1/assistants/${id}`, {
      body: { response_format: { type: "json_object" }, name: "new" },
    });
    assert.equal(status, 400);
    assert.deepEqual(body.error, {
      message: "Invalid tools: all tools must be of type `function` when `response_format` is of type `json_object`.",
      type: "invalid_request_error",
      param: null,
      code: null,
    });
    assert.equal((await app.call<Assistant>("GET", `/v1/assistants/${id}`)).body.name, null);
  });

  test("twenty at once loses none", async () => {
    const { id } = await create();
    const fields = ["name", "description", "instructions"];
    await Promise.all(fields.map((field) => modify(id, { [field]: field })));
    const { body } = await app.call<Assistant>("GET", `/v1/assistants/${id}`);
    assert.partialDeepStrictEqual(body, { name: "name", description: "description", instructions: "instructions" });
  });
});

test("a deleted assistant is gone", async () => {
  const { id } = await create();
  const deleted = await app.call<object>("DELETE", `/v1/assistants/${id}`);
  assert.deepEqual(deleted.body, { id, object: "assistant.deleted", deleted: true });
  for (const [method, body] of [["GET"], ["POST", {}], ["DELETE"]] as const) {
    const answer = await app.call(method, `/v1/assistants/${id}`, { body });
    assert.equal(answer.status, 404);
    assert.equal(answer.body.error.message, `No assistant found with id '${id}'.`);
  }
  const { body } = await app.call<List<Assistant>>("GET", "/v1/assistants?limit=100");
  assert.ok(!body.data.some((assistant) => assistant.id === id));
});

test("an id of another kind is refused before it is looked for", async () => {
  const { status, body } = await app.call("GET", "/v1/assistants/thread_A");
  assert.equal(status, 400);
  assert.deepEqual(body.error, {
    message: "Invalid 'assistant_id': 'thread_A'. Expected an ID that begins with 'asst'.",
    type: "invalid_request_error",
    param: "assistant_id",
    code: "invalid_value",
  });
});

describe("the list", () => {
  test("begins with the newest", async () => {
    const older = await create();
    const newer = await create();
    const { body } = await app.call<List<Assistant>>("GET", "/v1/assistants?limit=2");
    assert.deepEqual(body, {
      object: "list",
      data: [newer, older],
      first_id: newer.id,
      last_id: older.id,
      has_more: true,
    });
  });

  test("leads to its end in steps, each item once", async () => {
    const all = await app.call<List<Assistant>>("GET", "/v1/assistants?limit=100&order=asc");
    const seen: string[] = [];
    for (let path = "/v1/assistants?order=asc&limit=3"; ;) {
      const { body } = await app.call<List<Assistant>>("GET", path);
      seen.push(...body.data.map((assistant) => assistant.id));
      if (!body.has_more) break;
      path = `/v1/assistants?order=asc&limit=3&after=${body.last_id}`;
    }
    assert.deepEqual(
      seen,
      all.body.data.map((assistant) => assistant.id),
    );
  });

  test("refuses a cursor that is not in it", async () => {
    for (const param of ["after", "before"]) {
      const { status, body } = await app.call("GET", `/v1/assistants?${param}=asst_unknown`);
      assert.equal(status, 400);
      assert.deepEqual([body.error.param, body.error.code], [param, "invalid_value"]);
    }
  });
});
