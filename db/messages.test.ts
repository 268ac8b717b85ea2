// What concurrency must not break: the order and the number of a thread's messages, and its lock.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { newId } from "../contract/ids.ts";
import { MAX_MESSAGES_PER_THREAD } from "../contract/limits.ts";
import { createTestDatabase } from "../test/support/database.ts";
import type { TestDatabase } from "../test/support/database.ts";
import { deleteMessage, insertMessages, listMessages } from "./messages.ts";
import type { NewMessage } from "./messages.ts";
import { createPool, withTransaction } from "./pool.ts";
import type { Pool } from "./pool.ts";
import type { ThreadScope } from "./scope.ts";
import { deleteThread, findThread, insertThread, lockThread } from "./threads.ts";

const project_id = "proj_A";
let database: TestDatabase;
let db: Pool;

before(async () => {
  database = await createTestDatabase();
  db = createPool({ url: database.url, max: 20, name: "test", onError: () => undefined });
  await db.query("insert into projects (id, name) values ($1, 'A')", [project_id]);
});
after(async () => {
  await db.end();
  await database.drop();
});

function message(value: string, files: readonly string[] = []): NewMessage {
  return {
    id: newId("msg_"),
    role: "user",
    content: [{ type: "text", text: { value, annotations: [] } }],
    attachments: files.map((file_id) => ({ file_id, tools: [{ type: "code_interpreter" }] })),
    metadata: {},
    tokens: 5,
  };
}

async function makeThread(messages: readonly NewMessage[] = []): Promise<ThreadScope> {
  const thread = await withTransaction(db, (tx) => insertThread(tx, { project_id, messages }));
  return { project_id, thread_id: thread.id };
}

function add(scope: ThreadScope, messages: readonly NewMessage[]): Promise<unknown> {
  return withTransaction(db, async (tx) => {
    await lockThread(tx, scope);
    return insertMessages(tx, scope, messages);
  });
}

async function countOf({ thread_id }: ThreadScope): Promise<{ kept: number; real: number }> {
  const { rows } = await db.query<{ kept: number; real: number }>(
    `select message_count as kept, (select count(*) from messages m where m.thread_id = t.id) as real
     from threads t where id = $1`,
    [thread_id],
  );
  return rows[0] ?? assert.fail("the thread is gone");
}

async function textsOf(scope: ThreadScope): Promise<(string | undefined)[]> {
  const page = await listMessages(db, scope, { limit: 100, order: "asc" });
  return page.data.map(({ content: [part] }) => (part?.type === "text" ? part.text.value : undefined));
}

test("messages of one request keep their order, although they share one moment", async () => {
  const texts = Array.from({ length: 100 }, (_, i) => `${i}`);
  const scope = await makeThread(texts.map((text) => message(text)));
  assert.deepEqual(await textsOf(scope), texts);
  const page = await listMessages(db, scope, { limit: 100, order: "desc" });
  assert.equal(new Set(page.data.map((item) => item.created_at)).size, 1);
  assert.deepEqual(
    page.data.map((item) => item.completed_at),
    page.data.map((item) => item.created_at),
  );
});

test("messages that arrive at once are all there, and counted", async () => {
  const scope = await makeThread();
  await Promise.all(Array.from({ length: 30 }, (_, i) => add(scope, [message(`${i}`), message(`${i}+`)])));
  assert.deepEqual(await countOf(scope), { kept: 60, real: 60 });
  const texts = await textsOf(scope);
  for (let i = 0; i < 60; i += 2) assert.equal(texts[i + 1], `${texts[i]}+`);
});

test("a message that is deleted twice at once is counted once", async () => {
  const messages = [message("a"), message("b")];
  const scope = await makeThread(messages);
  const remove = () => withTransaction(db, (tx) => deleteMessage(tx, { ...scope, message_id: messages[0]?.id ?? "" }));
  const results = await Promise.allSettled(Array.from({ length: 8 }, remove));
  assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
  assert.deepEqual(await countOf(scope), { kept: 1, real: 1 });
});

test("a full thread takes no more, and what was refused leaves no trace", async () => {
  const scope = await makeThread([message("a")]);
  await db.query("update threads set message_count = $2 where id = $1", [scope.thread_id, MAX_MESSAGES_PER_THREAD - 1]);
  await assert.rejects(add(scope, [message("b"), message("c")]), /already holds the maximum of 100000 messages/);
  await add(scope, [message("d")]);
  await assert.rejects(add(scope, [message("e")]), /already holds the maximum/);
  assert.deepEqual(await textsOf(scope), ["a", "d"]);
});

describe("files attached for the code interpreter", () => {
  test("join the thread's, each once", async () => {
    const scope = await makeThread([message("a", ["file-A", "file-B"])]);
    await add(scope, [message("b", ["file-B", "file-C"]), message("c", ["file-A"])]);
    const thread = await findThread(db, scope);
    assert.deepEqual(thread?.tool_resources, { code_interpreter: { file_ids: ["file-A", "file-B", "file-C"] } });
  });

  test("are refused together with their message when the thread would hold more than 20", async () => {
    const files = Array.from({ length: 20 }, (_, i) => `file-${i}`);
    const scope = await makeThread([message("a", files)]);
    await assert.rejects(
      add(scope, [message("b", ["file-X"])]),
      /Expected an array with maximum length 20, but got an array with length 21 instead/,
    );
    await add(scope, [message("c", ["file-3"])]);
    assert.deepEqual(await textsOf(scope), ["a", "c"]);
  });
});

test("two holders of a thread's lock follow one another, and the second sees what the first did", async () => {
  const scope = await makeThread();
  const seen = await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      withTransaction(db, async (tx) => {
        const locked = await lockThread(tx, scope);
        if (locked?.active_run_id !== undefined) return locked.active_run_id;
        await tx.query(
          `insert into runs (id, project_id, thread_id, assistant_id, status, expires_at, model, instructions, tools,
             tool_resources, metadata, temperature, top_p, response_format, tool_choice, parallel_tool_calls,
             truncation_strategy, check_at)
           values ($1, $2, $3, 'asst_A', 'queued', now(), 'm', '', '[]', '{}', '{}', 1, 1, '"auto"', '"auto"', true,
             '{}', now())`,
          [`run_${i}`, project_id, scope.thread_id],
        );
        return undefined;
      }),
    ),
  );
  assert.equal(seen.filter((run) => run === undefined).length, 1);
  assert.equal(new Set(seen.filter((run) => run !== undefined)).size, 1);
});

test("messages, their removal and the removal of their thread at once never wait for each other", async () => {
  for (let round = 0; round < 10; round += 1) {
    const messages = Array.from({ length: 10 }, (_, i) => message(`${i}`));
    const scope = await makeThread(messages);
    const attempts = [
      ...messages.map(({ id }) => withTransaction(db, (tx) => deleteMessage(tx, { ...scope, message_id: id }))),
      ...messages.map(({ content }) => add(scope, [{ ...message("x"), content }])),
      withTransaction(db, (tx) => deleteThread(tx, scope)),
    ];
    const errors = (await Promise.allSettled(attempts)).filter((result) => result.status === "rejected");
    for (const { reason } of errors) assert.match(String(reason), /No (thread|message) found|already holds/);
    assert.equal(await findThread(db, scope), undefined);
  }
});
