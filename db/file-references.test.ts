// What is left of a file in the rest of the database once it is deleted: nothing, and nothing else is touched.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startTestApp } from "../test/support/app.ts";
import type { TestApp } from "../test/support/app.ts";
import { makeNamed } from "../test/support/named-objects.ts";

let app: TestApp;
before(async () => {
  app = await startTestApp();
  await makeNamed(app.db, { project: "alice", vector_store_ids: ["vs_A"] });
});
after(() => app.stop());

async function post<Body = { id: string }>(path: string, body: object, version = "v2"): Promise<Body> {
  const headers = { "openai-beta": `assistants=${version}` };
  const answer = await app.call<Body>("POST", `/v1${path}`, { body, headers });
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}
const read = async <Body>(path: string, version = "v2") =>
  (await app.call<Body>("GET", `/v1${path}`, { headers: { "openai-beta": `assistants=${version}` } })).body;
const remove = async (file: string) => assert.equal((await app.call("DELETE", `/v1/files/${file}`)).status, 200);

const tools = [{ type: "code_interpreter" }, { type: "file_search" }];
const resourcesOf = (file_ids: string[]) => ({
  code_interpreter: { file_ids },
  file_search: { vector_store_ids: ["vs_A"] },
});

describe("a file that is deleted", () => {
  test("is taken out of the tools of every assistant and thread, and the rest stays in its order", async () => {
    const [a, b, c] = [await app.addFile(), await app.addFile(), await app.addFile()];
    const paths: string[] = [];
    for (const kind of ["assistants", "threads"]) {
      for (const _ of [1, 2]) {
        const { id } = await post(`/${kind}`, {
          ...(kind === "assistants" ? { model: "gpt-4o" } : {}),
          tool_resources: resourcesOf([a, b, c]),
        });
        paths.push(`/${kind}/${id}`);
      }
    }
    await remove(b);
    for (const path of paths) {
      assert.deepEqual((await read<{ tool_resources: unknown }>(path)).tool_resources, resourcesOf([a, c]), path);
    }
    await remove(c);
    await remove(a);
    for (const path of paths) {
      assert.deepEqual((await read<{ tool_resources: unknown }>(path)).tool_resources, resourcesOf([]), path);
    }
  });

  test("is taken out of every vector store, and what is under way there is cancelled", async () => {
    const [a, b] = [await app.addFile({ filename: "a.txt" }), await app.addFile({ filename: "b.txt" })];
    const stores = [
      await post("/vector_stores", { file_ids: [a, b] }),
      await post("/vector_stores", { file_ids: [a] }),
    ];
    await remove(a);
    assert.deepEqual(
      app.nudges.filter((nudge) => nudge === `cancel ${a}`),
      [`cancel ${a}`, `cancel ${a}`],
    );
    for (const [index, { id }] of stores.entries()) {
      const { data } = await read<{ data: { id: string }[] }>(`/vector_stores/${id}/files`);
      assert.deepEqual(
        data.map((file) => file.id),
        index === 0 ? [b] : [],
      );
    }
  });

  test("is taken out of the lists of version 1", async () => {
    const [a, b] = [await app.addFile(), await app.addFile()];
    const assistant = await post("/assistants", { model: "gpt-4", tools: tools.slice(0, 1), file_ids: [a, b] }, "v1");
    const thread = await post("/threads", {});
    const message = await post(
      `/threads/${thread.id}/messages`,
      { role: "user", content: "x", file_ids: [a, b] },
      "v1",
    );
    const path = `/threads/${thread.id}/messages/${message.id}`;
    const lists = async () => {
      const ids = async (at: string) => (await read<{ file_ids: string[] }>(at, "v1")).file_ids;
      return [await ids(`/assistants/${assistant.id}`), await ids(path)];
    };
    await remove(a);
    assert.deepEqual(await lists(), [[b], [b]]);
    assert.equal((await app.call("GET", `/v1/assistants/${assistant.id}/files/${a}`, v1)).status, 404);
    assert.equal((await app.call("GET", `/v1${path}/files/${a}`, v1)).status, 404);
    await remove(b);
    assert.deepEqual(await lists(), [[], []]);
    const { rows } = await app.db.query("select v1_files from messages where id = $1", [message.id]);
    assert.deepEqual(rows, [{ v1_files: null }], "as if it never had any");
  });

  test("is found there by index, and not by reading all threads and messages", async () => {
    const { rows } = await app.db.query<{ indexdef: string }>(
      "select indexdef from pg_indexes where indexname in ('threads_by_file', 'messages_by_v1_file')",
    );
    assert.equal(rows.length, 2);
    const client = await app.db.connect();
    try {
      await client.query("begin");
      await client.query("set local enable_seqscan = off");
      for (const [table, condition] of [
        [
          "threads",
          "(tool_resources -> 'code_interpreter' -> 'file_ids')::jsonb @> to_jsonb('file-A'::text) and (tool_resources -> 'code_interpreter' -> 'file_ids' ->> 0) is not null",
        ],
        [
          "messages",
          `v1_files::jsonb @> jsonb_build_array(jsonb_build_object('id', 'file-A'::text)) and v1_files is not null`,
        ],
      ]) {
        const plan = await client.query<{ "QUERY PLAN": string }>(`explain select id from ${table} where ${condition}`);
        assert.match(plan.rows.map((row) => row["QUERY PLAN"]).join("\n"), /Bitmap Index Scan/);
      }
      await client.query("rollback");
    } finally {
      client.release();
    }
  });
});

describe("a file that is not there", () => {
  const MISSING = (id: string) => [
    404,
    { error: { message: `Files ['${id}'] were not found`, type: "invalid_request_error", param: null, code: null } },
  ];
  const content = [{ type: "image_file", image_file: { file_id: "F" } }];
  const attachments = [{ file_id: "F", tools: tools.slice(0, 1) }];
  const message = { role: "user", content: "x" };
  const tool_resources = { code_interpreter: { file_ids: ["F"] } };
  const CASES: [what: string, version: "v1" | "v2", path: string, body: object][] = [
    ["an assistant's tools", "v2", "/assistants", { model: "gpt-4o", tool_resources }],
    ["an assistant's tools, modified", "v2", "/assistants/ASSISTANT", { tool_resources }],
    ["a thread's tools", "v2", "/threads", { tool_resources }],
    ["a thread's tools, modified", "v2", "/threads/THREAD", { tool_resources }],
    ["an attachment", "v2", "/threads/THREAD/messages", { ...message, attachments }],
    ["an image", "v2", "/threads/THREAD/messages", { ...message, content }],
    ["an attachment of a new thread", "v2", "/threads", { messages: [message, { ...message, attachments }] }],
    [
      "an additional message",
      "v2",
      "/threads/THREAD/runs",
      { assistant_id: "ASSISTANT", additional_messages: [{ ...message, attachments }] },
    ],
    ["a run's tools", "v2", "/threads/runs", { assistant_id: "ASSISTANT", tool_resources }],
    ["the thread of a run", "v2", "/threads/runs", { assistant_id: "ASSISTANT", thread: { tool_resources } }],
    [
      "a message of the thread of a run",
      "v2",
      "/threads/runs",
      { assistant_id: "ASSISTANT", thread: { messages: [{ ...message, content }] } },
    ],
    ["an assistant of version 1", "v1", "/assistants", { model: "gpt-4", file_ids: ["F"] }],
    ["an assistant of version 1, modified", "v1", "/assistants/ASSISTANT", { file_ids: ["F"] }],
    ["a file of an assistant", "v1", "/assistants/ASSISTANT/files", { file_id: "F" }],
    ["a message of version 1", "v1", "/threads/THREAD/messages", { ...message, file_ids: ["F"] }],
  ];

  for (const [what, version, path, body] of CASES) {
    test(`cannot be named: ${what}`, async () => {
      const assistant = await post("/assistants", { model: "gpt-4o" });
      const thread = await post("/threads", {});
      const bobs = await app.addFile({ as: "bob" });
      const gone = await app.addFile();
      await remove(gone);
      const expired = await app.addFile();
      await app.db.query("update files set expires_at = now() where id = $1", [expired]);
      const fill = (text: string, file: string) =>
        text.replaceAll("ASSISTANT", assistant.id).replaceAll("THREAD", thread.id).replaceAll('"F"', `"${file}"`);
      const rows =
        "select (select count(*) from assistants) + (select count(*) from threads) + (select count(*) from messages) + (select count(*) from runs) as count";
      const before = (await app.db.query(rows)).rows;
      for (const file of ["file-never", bobs, gone, expired]) {
        const answer = await app.call("POST", `/v1${fill(path, file)}`, {
          body: fill(JSON.stringify(body), file),
          headers: { "openai-beta": `assistants=${version}`, "content-type": "application/json" },
        });
        assert.deepEqual([answer.status, answer.body], MISSING(file));
      }
      assert.deepEqual((await app.db.query(rows)).rows, before, "nothing was half done");
    });
  }

  test("is less important than a thread or an assistant that is not there", async () => {
    const body = { ...message, attachments: [{ file_id: "file-never", tools: [] }] };
    const { body: answer } = await app.call("POST", "/v1/threads/thread_never/messages", { body });
    assert.equal(answer.error.message, "No thread found with id 'thread_never'.");
  });
});

describe("a file of the wrong kind", () => {
  const send = async (message: object) => {
    const { id } = await post("/threads", {});
    const { status, body } = await app.call("POST", `/v1/threads/${id}/messages`, {
      body: { role: "user", ...message },
    });
    return status === 200 ? 200 : [status, body.error.message, body.error.param, body.error.code];
  };
  const image = (file_id: string) => send({ content: [{ type: "image_file", image_file: { file_id } }] });
  const searched = (file_id: string) =>
    send({ content: "x", attachments: [{ file_id, tools: [{ type: "file_search" }] }] });

  test("is no image", async () => {
    assert.deepEqual(await image(await app.addFile({ filename: "a.PDF" })), [
      400,
      "Invalid message content: Expected file type to be a supported format: .jpeg, .jpg, .png, .gif, .webp but got .pdf.",
      null,
      null,
    ]);
    for (const filename of ["a.PNG", "a.b.webp", "noending"])
      assert.equal(await image(await app.addFile({ filename })), 200);
  });

  test("cannot be searched", async () => {
    assert.deepEqual(await searched(await app.addFile({ filename: "a.csv" })), [
      400,
      "Files with extensions [.csv] are not supported for retrieval. See https://platform.openai.com/docs/assistants/tools/file-search/supported-files",
      "file_ids",
      "unsupported_file",
    ]);
    for (const filename of ["a.pdf", "a.MD", "noending"])
      assert.equal(await searched(await app.addFile({ filename })), 200);
  });
});

test("a file that is deleted while something that names it is written is in neither or is refused, never left dangling", async () => {
  for (let round = 0; round < 15; round += 1) {
    const file = await app.addFile();
    const thread = await post("/threads", {});
    const attachments = [{ file_id: file, tools: tools.slice(0, 1) }];
    const [message, deletion] = await Promise.all([
      app.call("POST", `/v1/threads/${thread.id}/messages`, { body: { role: "user", content: "x", attachments } }),
      app.call("DELETE", `/v1/files/${file}`),
    ]);
    assert.equal(deletion.status, 200);
    assert.ok([200, 404].includes(message.status), message.text);
    const { tool_resources } = await read<{ tool_resources: object }>(`/threads/${thread.id}`);
    assert.ok(!JSON.stringify(tool_resources).includes(file), `round ${round}`);
  }
});

const v1 = { headers: { "openai-beta": "assistants=v1" } };
