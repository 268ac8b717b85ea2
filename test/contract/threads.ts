// Threads: what a client sends, and what follows from it.
import assert from "node:assert/strict";
import { messages } from "./messages.ts";
import { assertRefused, notFound, unknownParameter } from "./refusals.ts";
import { requestRows } from "./request-rows.ts";
import type { Endpoint } from "./request-rows.ts";
import { deletion, rule } from "./row.ts";
import type { Row } from "./row.ts";
import { isMadeStore, toolResources, toolResourcesWithStores } from "./tool-fields.ts";
import { metadata } from "./values.ts";
import type { Fields } from "./values.ts";
import { fileIds, messagesOf, newRun, newThread, quietThread, storeIds } from "./world.ts";
import type { World } from "./world.ts";

export const threadFields: Fields = {
  messages,
  tool_resources: toolResourcesWithStores,
  metadata: metadata(),
};

const create: Endpoint = {
  id: "threads.create",
  source: "1.2",
  schema: "CreateThread",
  base: async () => ({}),
  target: async () => "/threads",
  refusedAt: async () => "/threads",
  view: async (world, thread, field) =>
    field.startsWith("messages") ? { ...thread, messages: await messagesOf(world, String(thread["id"])) } : thread,
};

const BEFORE = {
  metadata: { team: "red" },
  tool_resources: { code_interpreter: { file_ids: fileIds(2) }, file_search: { vector_store_ids: storeIds(1) } },
};

const modify: Endpoint = {
  id: "threads.modify",
  source: "1.2",
  schema: "ModifyThread",
  base: async () => ({}),
  target: async (world) => `/threads/${(await newThread(world, BEFORE)).id}`,
  refusedAt: async (world) => `/threads/${(await quietThread(world)).id}`,
  before: BEFORE,
};

const rules: Row<World>[] = [
  rule("threads.create.nothing", "0.2", "a thread can be made from no body, and from an empty one", async (world) => {
    const plain = { object: "thread", metadata: {}, tool_resources: {} };
    const empty = { messages: [], metadata: {}, tool_resources: {} };
    const nulls = { messages: null, metadata: null, tool_resources: { code_interpreter: null, file_search: null } };
    for (const body of [undefined, {}, empty, nulls]) {
      const thread = await world.post("/threads", body);
      assert.partialDeepStrictEqual(thread, plain);
      assert.deepEqual(await world.get(`/threads/${thread.id}`), thread);
      assert.deepEqual(await messagesOf(world, thread.id), []);
    }
  }),
  rule("threads.create.order", "1.2", "messages that come with a thread keep their order", async (world) => {
    const sent = ["user", "assistant", "user", "user"].map((role, index) => ({ role, content: `${index}` }));
    const { id } = await newThread(world, { messages: sent });
    const shown = (await messagesOf(world, id)) as { role: string; content: { text: { value: string } }[] }[];
    assert.deepEqual(
      shown.map(({ role, content }) => ({ role, content: content[0]?.text.value })),
      sent,
    );
  }),
  rule("threads.create.all-or-nothing", "1.2", "a thread with one bad message is not made", async (world) => {
    const mark = { mark: "never made" };
    const bad = [{ role: "user", content: "fine" }, { role: "user" }];
    const { status } = await world.call("POST", "/threads", { body: { messages: bad, metadata: mark } });
    assert.equal(status, 400);
    const { rowCount } = await world.app.db.query("select 1 from threads where metadata ->> 'mark' = 'never made'");
    assert.equal(rowCount, 0);
  }),
  rule(
    "threads.create.interpreter-files",
    "7.4",
    "files attached to its messages are the new thread's",
    async (world) => {
      const attachments = fileIds(2).map((file_id) => ({ file_id, tools: [{ type: "code_interpreter" }] }));
      const { tool_resources } = await newThread(world, { messages: [{ role: "user", content: "x", attachments }] });
      assert.deepEqual(tool_resources, { code_interpreter: { file_ids: fileIds(2) } });
    },
  ),
  rule(
    "threads.tool_resources.made-store",
    "1.2",
    "a described vector store is made, and shown by its id",
    async (world) => {
      const { tool_resources } = await newThread(world, {
        tool_resources: { file_search: { vector_stores: [{ file_ids: [], chunking_strategy: { type: "auto" } }] } },
      });
      assert.ok(isMadeStore(tool_resources), JSON.stringify(tool_resources));
    },
  ),
  rule(
    "threads.tool_resources.exclusive",
    "1.1",
    "store ids and a described store exclude each other",
    async (world) => {
      const file_search = { vector_store_ids: storeIds(1), vector_stores: [{ file_ids: fileIds(1) }] };
      const { status } = await world.call("POST", "/threads", { body: { tool_resources: { file_search } } });
      assert.equal(status, 400);
    },
  ),
  rule("threads.modify.others", "1.2", "a modification changes what it names and nothing else", async (world) => {
    const before = await newThread(world, BEFORE);
    assert.deepEqual(await world.post(`/threads/${before.id}`, {}), before);
    assert.deepEqual(await world.post(`/threads/${before.id}`), before);
    const after = { ...before, metadata: { floor: "3" } };
    assert.deepEqual(await world.post(`/threads/${before.id}`, { metadata: { floor: "3" } }), after);
    assert.deepEqual(await world.get(`/threads/${before.id}`), after);
  }),
  rule("threads.modify.only", "1.2", "a modification takes no messages and describes no stores", async (world) => {
    const { id } = await quietThread(world);
    const stores = { tool_resources: { file_search: { vector_stores: [] } } };
    const param = "tool_resources.file_search.vector_stores";
    assertRefused(await world.call("POST", `/threads/${id}`, { body: { messages: [] } }), unknownParameter("messages"));
    assertRefused(await world.call("POST", `/threads/${id}`, { body: stores }), unknownParameter(param));
  }),
  rule("threads.modify.under-lock", "3.5", "a thread can be modified while a run is active on it", async (world) => {
    const { id } = await newThread(world);
    await newRun(world, {}, id);
    assert.deepEqual((await world.post(`/threads/${id}`, { metadata: { a: "b" } }))["metadata"], { a: "b" });
  }),
  deletion(
    "threads.delete",
    "deleting says what was deleted, and it is gone with its messages and runs",
    async (world) => {
      const { id } = await newThread(world, { messages: [{ role: "user", content: "x" }] });
      assert.deepEqual(await world.remove(`/threads/${id}`), { id, object: "thread.deleted", deleted: true });
      const gone = notFound(`No thread found with id '${id}'.`);
      const message = { role: "user", content: "x" };
      for (const [method, path, body] of [
        ["GET", "", undefined],
        ["POST", "", {}],
        ["DELETE", "", undefined],
        ["GET", "/messages", undefined],
        ["POST", "/messages", message],
        ["GET", "/messages/msg_abc", undefined],
        ["POST", "/messages/msg_abc", {}],
        ["DELETE", "/messages/msg_abc", undefined],
        ["GET", "/runs", undefined],
        ["GET", "/runs/run_abc", undefined],
        ["POST", "/runs/run_abc", {}],
        ["POST", "/runs/run_abc/cancel", undefined],
        ["POST", "/runs/run_abc/submit_tool_outputs", { tool_outputs: [] }],
        ["GET", "/runs/run_abc/steps", undefined],
        ["GET", "/runs/run_abc/steps/step_abc", undefined],
      ] as const) {
        assertRefused(await world.call(method, `/threads/${id}${path}`, { body }), gone);
      }
    },
  ),
  rule(
    "threads.delete.active",
    "8 #36",
    "a thread with an active run can be deleted, and the run is cancelled",
    async (world) => {
      const run = await newRun(world);
      await world.remove(`/threads/${run.thread_id}`);
      assert.ok(world.app.nudges.includes(`cancel ${run.id}`));
    },
  ),
];

export const threadRows: Row<World>[] = [
  ...requestRows(create, threadFields),
  ...requestRows(modify, { tool_resources: toolResources, metadata: metadata() }),
  ...rules,
];
