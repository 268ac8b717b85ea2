import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Message } from "../../contract/message.ts";
import type { Run } from "../../contract/run.ts";
import type { Thread } from "../../contract/thread.ts";
import { startTestApp } from "../../test/support/app.ts";
import type { List, TestApp } from "../../test/support/app.ts";

let app: TestApp;
before(async () => {
  app = await startTestApp();
  await app.putFiles("file-A", "file-B", "file-C");
});
after(() => app.stop());

/** Makes a thread and returns the path of its messages. */
async function makeThread(...texts: string[]): Promise<string> {
  const messages = texts.map((content) => ({ role: "user", content }));
  const { body } = await app.call<Thread>("POST", "/v1/threads", { body: { messages } });
  return `/v1/threads/${body.id}/messages`;
}

async function add(path: string, message: object): Promise<Message> {
  const answer = await app.call<Message>("POST", path, { body: { role: "user", content: "Hi", ...message } });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

async function list(path: string): Promise<List<Message>> {
  return (await app.call<List<Message>>("GET", path)).body;
}

async function startRun(path: string): Promise<Run> {
  const assistant = await app.call<{ id: string }>("POST", "/v1/assistants", { body: { model: "gpt-4o" } });
  const body = { assistant_id: assistant.body.id };
  return (await app.call<Run>("POST", path.replace("/messages", "/runs"), { body })).body;
}

test("a message of a client's is complete, belongs to no run and has every field", async () => {
  const path = await makeThread();
  const message = await add(path, {});
  assert.match(message.id, /^msg_[A-Za-z0-9]{24}$/);
  assert.deepEqual(Object.entries(message).slice(1), [
    ["object", "thread.message"],
    ["created_at", message.created_at],
    ["assistant_id", null],
    ["thread_id", path.split("/")[3]],
    ["run_id", null],
    ["status", "completed"],
    ["incomplete_details", null],
    ["incomplete_at", null],
    ["completed_at", message.created_at],
    ["role", "user"],
    ["content", [{ type: "text", text: { value: "Hi", annotations: [] } }]],
    ["attachments", []],
    ["metadata", {}],
  ]);
  assert.deepEqual((await app.call<Message>("GET", `${path}/${message.id}`)).body, message);
});

test("a client may write what an assistant said", async () => {
  const message = await add(await makeThread(), { role: "assistant", attachments: null, metadata: null });
  assert.deepEqual([message.role, message.assistant_id, message.run_id], ["assistant", null, null]);
});

test("content of several parts comes back in the form in which it is read", async () => {
  const message = await add(await makeThread(), {
    content: [
      { type: "text", text: "Look: 😀" },
      { type: "image_url", image_url: { url: "https://example.com/a.png" } },
      { type: "image_file", image_file: { file_id: "file-A", detail: "low" } },
    ],
  });
  assert.deepEqual(message.content, [
    { type: "text", text: { value: "Look: 😀", annotations: [] } },
    { type: "image_url", image_url: { url: "https://example.com/a.png", detail: "auto" } },
    { type: "image_file", image_file: { file_id: "file-A", detail: "low" } },
  ]);
});

test("attachments come back as they were sent, and their files are the thread's", async () => {
  const path = await makeThread();
  const attachments = [
    { file_id: "file-A", tools: [{ type: "code_interpreter" }, { type: "file_search" }] },
    { file_id: "file-A", tools: [{ type: "code_interpreter" }] },
    { file_id: "file-B", tools: [{ type: "file_search" }] },
    { file_id: "file-C", tools: [] },
  ];
  assert.deepEqual((await add(path, { attachments })).attachments, attachments);
  const thread = await app.call<Thread>("GET", path.replace("/messages", ""));
  const { code_interpreter, file_search } = thread.body.tool_resources;
  assert.deepEqual(code_interpreter, { file_ids: ["file-A"] });
  const files = await app.call<{ data: { id: string }[] }>(
    "GET",
    `/v1/vector_stores/${file_search?.vector_store_ids[0]}/files?order=asc`,
  );
  assert.deepEqual(
    files.body.data.map(({ id }) => id),
    ["file-A", "file-B"],
  );
});

test("text is kept character by character", async () => {
  const path = await makeThread();
  for (const content of ["", " \n\t", "\u0001\u001f\u007f", "👩‍👩‍👧‍👦 ﷽ e\u0301", '"\\u0000"', "\u2028\ufeff"]) {
    assert.deepEqual((await add(path, { content })).content, [
      { type: "text", text: { value: content, annotations: [] } },
    ]);
  }
});

describe("while a run is active", () => {
  test("no message can be added, and the error names the run", async () => {
    const path = await makeThread("Hi");
    const run = await startRun(path);
    const { status, body } = await app.call("POST", path, { body: { role: "user", content: "Wait" } });
    assert.equal(status, 400);
    assert.deepEqual(body.error, {
      message: `Can't add messages to ${run.thread_id} while a run ${run.id} is active.`,
      type: "invalid_request_error",
      param: null,
      code: null,
    });
  });

  test("messages can still be read, changed and deleted", async () => {
    const path = await makeThread("Hi");
    const id = (await list(path)).first_id;
    await startRun(path);
    assert.equal((await app.call("POST", `${path}/${id}`, { body: { metadata: { a: "b" } } })).status, 200);
    assert.equal((await app.call("DELETE", `${path}/${id}`)).status, 200);
    assert.deepEqual((await list(path)).data, []);
  });

  test("when that run has ended, messages can be added again", async () => {
    const path = await makeThread("Hi");
    const run = await startRun(path);
    await app.db.query("update runs set status = 'completed' where id = $1", [run.id]);
    await add(path, {});
  });
});

describe("modifying", () => {
  test("replaces the metadata and nothing else", async () => {
    const path = await makeThread();
    const message = await add(path, { metadata: { a: "1" } });
    const change = async (body: object) => (await app.call<Message>("POST", `${path}/${message.id}`, { body })).body;
    assert.deepEqual(await change({}), message);
    assert.deepEqual(await change({ metadata: { b: "2" } }), { ...message, metadata: { b: "2" } });
    assert.deepEqual(await change({ metadata: null }), { ...message, metadata: {} });
    const { body } = await app.call("POST", `${path}/${message.id}`, { body: { content: "new" } });
    assert.equal(body.error.message, "Unknown parameter: 'content'.");
  });
});

test("a deleted message is gone from its thread, which goes on", async () => {
  const path = await makeThread("one", "two", "three");
  const { data } = await list(`${path}?order=asc`);
  const id = data[1]?.id;
  const deleted = await app.call<object>("DELETE", `${path}/${id}`);
  assert.deepEqual(deleted.body, { id, object: "thread.message.deleted", deleted: true });
  for (const method of ["GET", "POST", "DELETE"] as const) {
    const answer = await app.call(method, `${path}/${id}`);
    assert.deepEqual([answer.status, answer.body.error.message], [404, `No message found with id '${id}'.`]);
  }
  assert.deepEqual((await list(`${path}?order=asc`)).data, [data[0], data[2]]);
  await add(path, {});
});

test("a message is found in its own thread only", async () => {
  const path = await makeThread("Hi");
  const other = await makeThread("Hi");
  const id = (await list(path)).first_id;
  for (const method of ["GET", "POST", "DELETE"] as const) {
    const answer = await app.call(method, `${other}/${id}`, { body: method === "POST" ? { metadata: {} } : undefined });
    assert.deepEqual([answer.status, answer.body.error.message], [404, `No message found with id '${id}'.`]);
  }
  assert.equal((await app.call("GET", `${other}?after=${id}`)).status, 400);
});

describe("the list", () => {
  test("begins with the newest, also among messages of one moment", async () => {
    const path = await makeThread("one", "two");
    const three = await add(path, { content: "three" });
    const { data, first_id, has_more } = await list(path);
    assert.deepEqual(
      data.map(({ content: [part] }) => (part?.type === "text" ? part.text.value : undefined)),
      ["three", "two", "one"],
    );
    assert.deepEqual([first_id, has_more], [three.id, false]);
  });

  test("of an empty thread has no items and no ids", async () => {
    const empty = { object: "list", data: [], first_id: null, last_id: null, has_more: false };
    assert.deepEqual(await list(await makeThread()), empty);
  });

  test("can be narrowed to what one run wrote", async () => {
    const path = await makeThread("Hi");
    const run = await startRun(path);
    const { data } = await list(path);
    await app.db.query("update messages set run_id = $1, role = 'assistant' where id = $2", [run.id, data[0]?.id]);
    await app.db.query("update runs set status = 'completed' where id = $1", [run.id]);
    await add(path, {});
    assert.deepEqual((await list(`${path}?run_id=${run.id}`)).first_id, data[0]?.id);
    assert.deepEqual((await list(`${path}?run_id=run_unknown`)).data, []);
  });

  test("with `before` holds what directly precedes the cursor, in the requested order", async () => {
    const path = await makeThread("1", "2", "3", "4");
    const { data } = await list(`${path}?order=asc`);
    const page = await list(`${path}?order=asc&limit=2&before=${data[3]?.id}`);
    assert.deepEqual([page.data, page.has_more], [[data[1], data[2]], true]);
  });
});
