import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Message } from "../../contract/message.ts";
import type { Run } from "../../contract/run.ts";
import type { Thread } from "../../contract/thread.ts";
import { startTestApp } from "../../test/support/app.ts";
import type { List, TestApp } from "../../test/support/app.ts";
import { makeNamed } from "../../test/support/named-objects.ts";

let app: TestApp;
before(async () => {
  app = await startTestApp();
  await app.putFiles("file-A");
  await makeNamed(app.db, { project: "alice", vector_store_ids: ["vs_A", "vs_B"] });
});
after(() => app.stop());

async function create(body?: object): Promise<Thread> {
  const answer = await app.call<Thread>("POST", "/v1/threads", { body });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

async function read(path: string): Promise<unknown> {
  return (await app.call<unknown>("GET", path)).body;
}

test("a thread may be created from nothing at all", async () => {
  for (const body of [undefined, {}, { messages: [], metadata: {}, tool_resources: {} }]) {
    const thread = await create(body);
    assert.match(thread.id, /^thread_[A-Za-z0-9]{24}$/);
    assert.deepEqual(
      { ...thread, id: "", created_at: 0 },
      { id: "", object: "thread", created_at: 0, metadata: {}, tool_resources: {} },
    );
    assert.deepEqual(await read(`/v1/threads/${thread.id}`), thread);
  }
});

test("nulls stand for what is not given", async () => {
  const nulls = { messages: null, metadata: null, tool_resources: { code_interpreter: null, file_search: null } };
  assert.deepEqual((await create(nulls)).tool_resources, {});
});

test("messages that come with a thread are in it, in their order", async () => {
  const messages = [
    { role: "user", content: "first" },
    { role: "assistant", content: "second" },
    { role: "user", content: [{ type: "text", text: "third" }], metadata: { a: "b" } },
  ];
  const { id } = await create({ messages });
  const { data } = (await read(`/v1/threads/${id}/messages?order=asc`)) as List<Message>;
  assert.deepEqual(
    data.map(({ role, content: [part] }) => [role, part?.type === "text" ? part.text.value : undefined]),
    [
      ["user", "first"],
      ["assistant", "second"],
      ["user", "third"],
    ],
  );
});

test("a thread with one bad message is not created", async () => {
  const messages = [
    { role: "user", content: "fine" },
    { role: "system", content: "not" },
  ];
  const { status, body } = await app.call("POST", "/v1/threads", { body: { messages } });
  assert.equal(status, 400);
  assert.equal(body.error.param, "messages[1].role");
});

test("files attached to its messages are in a new thread's answer already", async () => {
  const attachments = [{ file_id: "file-A", tools: [{ type: "code_interpreter" }] }];
  const { tool_resources } = await create({ messages: [{ role: "user", content: "Look", attachments }] });
  assert.deepEqual(tool_resources, { code_interpreter: { file_ids: ["file-A"] } });
});

test("a thread takes vector store ids or a store to be made, not both", async () => {
  const file_search = { vector_store_ids: ["vs_A"], vector_stores: [{ file_ids: ["file-A"] }] };
  const { status, body } = await app.call("POST", "/v1/threads", { body: { tool_resources: { file_search } } });
  assert.equal(status, 400);
  assert.equal(body.error.param, "tool_resources.file_search");
});

describe("modifying", () => {
  test("replaces the metadata as a whole", async () => {
    const thread = await create({ metadata: { a: "1", b: "2" } });
    const { body } = await app.call<Thread>("POST", `/v1/threads/${thread.id}`, { body: { metadata: { c: "3" } } });
    assert.deepEqual(body, { ...thread, metadata: { c: "3" } });
    const cleared = await app.call<Thread>("POST", `/v1/threads/${thread.id}`, { body: { metadata: null } });
    assert.deepEqual(cleared.body.metadata, {});
  });

  test("replaces resources kind by kind and leaves what is not given", async () => {
    const tool_resources = { code_interpreter: { file_ids: ["file-A"] }, file_search: { vector_store_ids: ["vs_A"] } };
    const thread = await create({ tool_resources, metadata: { a: "1" } });
    const path = `/v1/threads/${thread.id}`;
    const change = { tool_resources: { file_search: { vector_store_ids: ["vs_B"] } } };
    const { body } = await app.call<Thread>("POST", path, { body: change });
    assert.deepEqual(body, { ...thread, tool_resources: { ...tool_resources, ...change.tool_resources } });
    assert.deepEqual((await app.call<Thread>("POST", path, { body: {} })).body, body);
    assert.deepEqual((await app.call<Thread>("POST", path)).body, body);
  });

  test("takes no messages and makes no stores", async () => {
    const { id } = await create();
    for (const [body, param] of [
      [{ messages: [] }, "messages"],
      [{ tool_resources: { file_search: { vector_stores: [] } } }, "tool_resources.file_search.vector_stores"],
    ] as const) {
      const answer = await app.call("POST", `/v1/threads/${id}`, { body });
      assert.equal(answer.body.error.message, `Unknown parameter: '${param}'.`);
    }
  });
});

describe("a deleted thread", () => {
  test("is gone with its messages", async () => {
    const { id } = await create({ messages: [{ role: "user", content: "Hi" }] });
    const deleted = await app.call<object>("DELETE", `/v1/threads/${id}`);
    assert.deepEqual(deleted.body, { id, object: "thread.deleted", deleted: true });
    for (const [method, path] of [
      ["GET", ""],
      ["POST", ""],
      ["DELETE", ""],
      ["GET", "/messages"],
      ["GET", "/messages/msg_A"],
      ["DELETE", "/messages/msg_A"],
      ["GET", "/runs"],
    ] as const) {
      const answer = await app.call(method, `/v1/threads/${id}${path}`);
      assert.equal(answer.status, 404, `${method} ${path}`);
      assert.equal(answer.body.error.message, `No thread found with id '${id}'.`);
    }
    const { rows } = await app.db.query("select 1 from messages where thread_id = $1", [id]);
    assert.equal(rows.length, 0);
  });

  test("takes its active run along, whose workflow is told", async () => {
    const { id } = await create();
    const assistant = await app.call<{ id: string }>("POST", "/v1/assistants", { body: { model: "gpt-4o" } });
    const run = await app.call<Run>("POST", `/v1/threads/${id}/runs`, { body: { assistant_id: assistant.body.id } });
    assert.equal(run.status, 200);
    assert.equal((await app.call("DELETE", `/v1/threads/${id}`)).status, 200);
    assert.ok(app.nudges.includes(`cancel ${run.body.id}`));
  });
});

test("an id of another kind is refused before it is looked for", async () => {
  const { status, body } = await app.call("GET", "/v1/threads/X");
  assert.equal(status, 400);
  assert.equal(body.error.message, "Invalid 'thread_id': 'X'. Expected an ID that begins with 'thread'.");
});
