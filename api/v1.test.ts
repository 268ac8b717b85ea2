// Version 1 of the API: the same rows, in the words of 2023.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startTestApp } from "../test/support/app.ts";
import type { Answer, ErrorBody, List, TestApp } from "../test/support/app.ts";
import { assertV1 } from "../test/support/v1-objects.ts";

type Version = "v1" | "v2";
interface Assistant {
  id: string;
  tools: { type: string }[];
  file_ids: string[];
  tool_resources: { code_interpreter?: { file_ids: string[] }; file_search?: { vector_store_ids: string[] } };
}
interface File {
  id: string;
  object: string;
  created_at: number;
  assistant_id?: string;
  message_id?: string;
}

let app: TestApp;
before(async () => {
  app = await startTestApp();
  await app.putFiles("file-A", "file-B", "file-C", "file-D");
  for (const batch of ["", "A", "B", "C"]) {
    await app.putFiles(...Array.from({ length: 21 }, (_, index) => `file-${index}${batch}`));
  }
});
after(() => app.stop());

function call<Body = ErrorBody>(
  version: Version,
  method: "GET" | "POST" | "DELETE",
  path: string,
  body?: unknown,
): Promise<Answer<Body>> {
  return app.call<Body>(method, `/v1${path}`, { body, headers: { "openai-beta": `assistants=${version}` } });
}

async function ok<Body>(version: Version, method: "GET" | "POST" | "DELETE", path: string, body?: unknown) {
  const answer = await call<Body>(version, method, path, body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

function makeAssistant(fields: object = {}): Promise<Assistant> {
  return ok<Assistant>("v1", "POST", "/assistants", { model: "gpt-4", ...fields });
}

/** The stores of an assistant, as version 2 sees them. */
async function storesOf(assistantId: string): Promise<string[]> {
  const { tool_resources } = await ok<Assistant>("v2", "GET", `/assistants/${assistantId}`);
  return tool_resources.file_search?.vector_store_ids ?? [];
}

/** The files that an assistant's store has, in the order of their ids. */
async function storedFiles(assistantId: string): Promise<string[]> {
  const [store] = await storesOf(assistantId);
  const { data } = await ok<List<File>>("v2", "GET", `/vector_stores/${store}/files`);
  return data.map(({ id }) => id).toSorted();
}

const RETRIEVAL = { type: "retrieval" };
const INTERPRETER = { type: "code_interpreter" };

describe("an assistant of version 1", () => {
  test("is shown with exactly the fields of that version", async () => {
    const assistant = await makeAssistant({ tools: [RETRIEVAL, INTERPRETER], file_ids: ["file-A"] });
    const { id: _, created_at: __, ...rest } = assistant as Assistant & { created_at: number };
    assert.deepEqual(rest, {
      object: "assistant",
      name: null,
      description: null,
      model: "gpt-4",
      instructions: null,
      tools: [RETRIEVAL, INTERPRETER],
      metadata: {},
      file_ids: ["file-A"],
    });
  });

  test("has file search and resources for the tools when version 2 looks at it", async () => {
    const { id } = await makeAssistant({ tools: [RETRIEVAL, INTERPRETER], file_ids: ["file-A", "file-B"] });
    const seen = await ok<Assistant>("v2", "GET", `/assistants/${id}`);
    assert.deepEqual(
      seen.tools.map((tool) => tool.type),
      ["file_search", "code_interpreter"],
    );
    assert.deepEqual(seen.tool_resources.code_interpreter, { file_ids: ["file-A", "file-B"] });
    assert.deepEqual(await storedFiles(id), ["file-A", "file-B"]);
    assert.equal("file_ids" in seen, false);
  });

  test("has one store for its files, which follows its list and keeps what version 2 put there", async () => {
    const { id } = await makeAssistant({ tools: [RETRIEVAL], file_ids: ["file-A", "file-B"] });
    const [store] = await storesOf(id);
    await ok("v2", "POST", `/vector_stores/${store}/files`, { file_id: "file-C" });
    await ok("v1", "POST", `/assistants/${id}`, { file_ids: ["file-B", "file-D"] });
    assert.deepEqual(await storedFiles(id), ["file-B", "file-C", "file-D"]);
    await ok("v1", "POST", `/assistants/${id}/files`, { file_id: "file-A" });
    await ok("v1", "DELETE", `/assistants/${id}/files/file-B`);
    assert.deepEqual(await storedFiles(id), ["file-A", "file-C", "file-D"]);
    assert.deepEqual(await storesOf(id), [store]);
  });

  test("has its files searched when retrieval comes later, and no store before", async () => {
    const { id } = await makeAssistant({ tools: [INTERPRETER], file_ids: ["file-A"] });
    assert.deepEqual(await storesOf(id), []);
    await ok("v1", "POST", `/assistants/${id}/files`, { file_id: "file-B" });
    assert.deepEqual(await storesOf(id), []);
    await ok("v1", "POST", `/assistants/${id}`, { tools: [INTERPRETER, RETRIEVAL] });
    assert.deepEqual(await storedFiles(id), ["file-A", "file-B"]);
  });

  test("gets nothing back that version 2 took out of its store, and a new store when that was deleted", async () => {
    const { id } = await makeAssistant({ tools: [RETRIEVAL], file_ids: ["file-A", "file-B"] });
    const [store] = await storesOf(id);
    await ok("v2", "DELETE", `/vector_stores/${store}/files/file-A`);
    await ok("v1", "POST", `/assistants/${id}`, { name: "another" });
    assert.deepEqual(await storedFiles(id), ["file-B"]);
    await ok("v2", "DELETE", `/vector_stores/${store}`);
    await ok("v1", "POST", `/assistants/${id}/files`, { file_id: "file-C" });
    assert.deepEqual(await storedFiles(id), ["file-C"]);
    assert.deepEqual((await ok<Assistant>("v1", "GET", `/assistants/${id}`)).file_ids, ["file-A", "file-B", "file-C"]);
  });

  test("has a file listed, and not searched, that is of a type which cannot be searched", async () => {
    const image = await app.addFile({ filename: "chart.png" });
    const { id, file_ids } = await makeAssistant({ tools: [RETRIEVAL], file_ids: [image, "file-A"] });
    assert.deepEqual(file_ids, [image, "file-A"]);
    assert.deepEqual(await storedFiles(id), ["file-A"]);
    const other = await makeAssistant({ tools: [RETRIEVAL], file_ids: [image] });
    assert.deepEqual(await storesOf(other.id), []);
  });

  test("has its files looked for by those who make them searchable", async () => {
    const looks = () => app.nudges.filter((nudge) => nudge === "look at files").length;
    const before = looks();
    const { id } = await makeAssistant({ tools: [RETRIEVAL], file_ids: ["file-A"] });
    assert.equal(looks(), before + 1);
    await ok("v1", "POST", `/assistants/${id}/files`, { file_id: "file-B" });
    await ok("v1", "POST", `/assistants/${id}`, { file_ids: ["file-C"] });
    assert.equal(looks(), before + 3);
  });

  test("loses the files that a modification leaves out, in both versions, and keeps what version 2 added", async () => {
    const { id } = await makeAssistant({ tools: [INTERPRETER], file_ids: ["file-A", "file-B"] });
    const file_ids = ["file-A", "file-B", "file-C"];
    await ok("v2", "POST", `/assistants/${id}`, { tool_resources: { code_interpreter: { file_ids } } });
    const changed = await ok<Assistant>("v1", "POST", `/assistants/${id}`, { file_ids: ["file-B", "file-D"] });
    assert.deepEqual(changed.file_ids, ["file-B", "file-D"]);
    const { tool_resources } = await ok<Assistant>("v2", "GET", `/assistants/${id}`);
    assert.deepEqual(tool_resources.code_interpreter?.file_ids, ["file-B", "file-C", "file-D"]);
  });

  test("keeps its files when a modification says nothing of them, and gives them to a tool that comes later", async () => {
    const { id } = await makeAssistant({ file_ids: ["file-A"] });
    assert.deepEqual((await ok<Assistant>("v2", "GET", `/assistants/${id}`)).tool_resources, {});
    const changed = await ok<Assistant>("v1", "POST", `/assistants/${id}`, { tools: [INTERPRETER], file_ids: null });
    assert.deepEqual(changed.file_ids, ["file-A"]);
    const { tool_resources } = await ok<Assistant>("v2", "GET", `/assistants/${id}`);
    assert.deepEqual(tool_resources, { code_interpreter: { file_ids: ["file-A"] } });
  });

  test("gets no file back that version 2 took from its tools, whatever version 1 changes", async () => {
    const { id } = await makeAssistant({ tools: [INTERPRETER], file_ids: ["file-A", "file-B"] });
    const tool_resources = { code_interpreter: { file_ids: ["file-A"] } };
    await ok("v2", "POST", `/assistants/${id}`, { tool_resources });
    await ok("v1", "POST", `/assistants/${id}`, { name: "another" });
    assert.deepEqual((await ok<Assistant>("v2", "GET", `/assistants/${id}`)).tool_resources, tool_resources);
    await ok("v1", "POST", `/assistants/${id}/files`, { file_id: "file-C" });
    const seen = await ok<Assistant>("v2", "GET", `/assistants/${id}`);
    assert.deepEqual(seen.tool_resources.code_interpreter?.file_ids, ["file-A", "file-C"]);
    const { file_ids } = await ok<Assistant>("v1", "GET", `/assistants/${id}`);
    assert.deepEqual(file_ids, ["file-A", "file-B", "file-C"]);
  });

  test("has a file once, though it was named twice", async () => {
    const { id, file_ids } = await makeAssistant({ tools: [INTERPRETER], file_ids: ["file-A", "file-A"] });
    assert.deepEqual(file_ids, ["file-A"]);
    const { tool_resources } = await ok<Assistant>("v2", "GET", `/assistants/${id}`);
    assert.deepEqual(tool_resources.code_interpreter?.file_ids, ["file-A"]);
  });

  test("of version 2 is shown in a list among others, in the words of version 1", async () => {
    const strict = { name: "f", strict: true };
    const made = await ok<Assistant>("v2", "POST", "/assistants", {
      model: "gpt-4o",
      temperature: 0.2,
      reasoning_effort: "low",
      tools: [
        { type: "function", function: strict },
        { type: "file_search", file_search: { max_num_results: 3 } },
      ],
    });
    const { data } = await ok<List<Assistant>>("v1", "GET", "/assistants?limit=100");
    const seen = data.find(({ id }) => id === made.id);
    assert.deepEqual(seen?.tools, [
      { type: "function", function: { name: "f", parameters: { type: "object", properties: {} } } },
      RETRIEVAL,
    ]);
    const words = ["created_at", "description", "file_ids", "id", "instructions", "metadata", "model", "name"];
    for (const item of data) assert.deepEqual(Object.keys(item).toSorted(), [...words, "object", "tools"]);
  });

  test("shows no file that version 2 gave it", async () => {
    const tool_resources = { code_interpreter: { file_ids: ["file-A"] } };
    const made = await ok<Assistant>("v2", "POST", "/assistants", { model: "gpt-4o", tool_resources });
    assert.deepEqual((await ok<Assistant>("v1", "GET", `/assistants/${made.id}`)).file_ids, []);
  });

  const refused: [string, object, string, string][] = [
    [
      "file search",
      { tools: [{ type: "file_search" }] },
      "Invalid value: 'file_search'. Supported values are: 'code_interpreter', 'function', and 'retrieval'.",
      "tools[0].type",
    ],
    ["resources", { tool_resources: {} }, "Unknown parameter: 'tool_resources'.", "tool_resources"],
    ["a temperature", { temperature: 1 }, "Unknown parameter: 'temperature'.", "temperature"],
    [
      "more than 20 files",
      { file_ids: Array.from({ length: 21 }, (_, index) => `file-${index}`) },
      "Invalid 'file_ids': array too long. Expected an array with maximum length 20, but got an array with length 21 instead.",
      "file_ids",
    ],
  ];
  for (const [what, fields, message, param] of refused) {
    test(`cannot be given ${what}`, async () => {
      const { status, body } = await call("v1", "POST", "/assistants", { model: "gpt-4", ...fields });
      assert.deepEqual([status, body.error.message, body.error.param], [400, message, param]);
    });
  }
});

describe("the files of an assistant", () => {
  test("are attached, read, listed in pages and detached", async () => {
    const { id } = await makeAssistant({ tools: [INTERPRETER], file_ids: ["file-A"] });
    const files = `/assistants/${id}/files`;
    const made = await ok<File>("v1", "POST", files, { file_id: "file-B" });
    assert.deepEqual(
      { ...made, created_at: 0 },
      { id: "file-B", object: "assistant.file", created_at: 0, assistant_id: id },
    );
    assert.ok(Math.abs(made.created_at - Date.now() / 1000) < 60);
    await ok("v1", "POST", files, { file_id: "file-C" });
    const list = await ok<List<File>>("v1", "GET", `${files}?limit=2`);
    assert.deepEqual([list.data.map((file) => file.id), list.has_more], [["file-C", "file-B"], true]);
    const rest = await ok<List<File>>("v1", "GET", `${files}?limit=2&after=file-B`);
    assert.deepEqual([rest.data.map((file) => file.id), rest.has_more], [["file-A"], false]);
    assert.deepEqual(await ok("v1", "GET", `${files}/file-B`), made);

    const detached = { id: "file-B", object: "assistant.file.deleted", deleted: true };
    assert.deepEqual(await ok("v1", "DELETE", `${files}/file-B`), detached);
    assert.equal((await call("v1", "GET", `${files}/file-B`)).status, 404);
    assert.deepEqual((await ok<Assistant>("v1", "GET", `/assistants/${id}`)).file_ids, ["file-A", "file-C"]);
    const { tool_resources } = await ok<Assistant>("v2", "GET", `/assistants/${id}`);
    assert.deepEqual(tool_resources.code_interpreter?.file_ids, ["file-A", "file-C"]);
  });

  test("are attached once, however often it is asked for", async () => {
    const { id } = await makeAssistant();
    const attach = () => ok<File>("v1", "POST", `/assistants/${id}/files`, { file_id: "file-A" });
    const made = await Promise.all([attach(), attach(), attach()]);
    assert.equal(new Set(made.map((file) => file.created_at)).size, 1);
    assert.deepEqual((await ok<Assistant>("v1", "GET", `/assistants/${id}`)).file_ids, ["file-A"]);
  });

  test("are at most 20", async () => {
    const { id } = await makeAssistant({ file_ids: Array.from({ length: 20 }, (_, index) => `file-${index}`) });
    const { status, body } = await call("v1", "POST", `/assistants/${id}/files`, { file_id: "file-A" });
    assert.deepEqual([status, body.error.code], [400, "array_above_max_length"]);
  });

  test("are not found where there is no such file or no such assistant", async () => {
    const { id } = await makeAssistant();
    const file = await call("v1", "GET", `/assistants/${id}/files/file-A`);
    assert.deepEqual(
      [file.status, file.body.error.message],
      [404, `No file found with id 'file-A' in assistant '${id}'.`],
    );
    for (const [method, path] of [
      ["GET", ""],
      ["GET", "/file-A"],
      ["DELETE", "/file-A"],
      ["POST", ""],
    ] as const) {
      const body = method === "POST" ? { file_id: "file-A" } : undefined;
      const answer = await call("v1", method, `/assistants/asst_A/files${path}`, body);
      assert.deepEqual([answer.status, answer.body.error.message], [404, "No assistant found with id 'asst_A'."]);
    }
  });
});

describe("a message of version 1", () => {
  const content = [{ type: "text", text: { value: "Hello", annotations: [] } }];
  interface Message {
    id: string;
    attachments: unknown;
    file_ids: string[];
  }

  async function makeMessage(fields: object = {}): Promise<[thread: string, message: Message]> {
    const thread = await ok<{ id: string }>("v1", "POST", "/threads", {});
    assertV1(thread);
    const body = { role: "user", content: "Hello", ...fields };
    return [thread.id, await ok<Message>("v1", "POST", `/threads/${thread.id}/messages`, body)];
  }

  test("lists its files, and has them attached for both tools in version 2", async () => {
    const [thread, made] = await makeMessage({ file_ids: ["file-A"] });
    const { id, created_at, completed_at, ...rest } = made as Message & { created_at: number; completed_at: number };
    assert.equal(created_at, completed_at);
    assert.deepEqual(rest, {
      object: "thread.message",
      assistant_id: null,
      thread_id: thread,
      run_id: null,
      status: "completed",
      incomplete_details: null,
      incomplete_at: null,
      role: "user",
      content,
      metadata: {},
      file_ids: ["file-A"],
    });
    const seen = await ok<Message>("v2", "GET", `/threads/${thread}/messages/${id}`);
    assert.deepEqual(seen.attachments, [
      { file_id: "file-A", tools: [{ type: "code_interpreter" }, { type: "file_search" }] },
    ]);
    const { tool_resources } = await ok<{ tool_resources: object }>("v2", "GET", `/threads/${thread}`);
    assert.partialDeepStrictEqual(tool_resources, { code_interpreter: { file_ids: ["file-A"] } });
    assert.match(JSON.stringify(tool_resources), /"file_search":\{"vector_store_ids":\["vs_/);
  });

  test("has its files as objects of their own", async () => {
    const [thread, { id }] = await makeMessage({ file_ids: ["file-A", "file-B"] });
    const files = `/threads/${thread}/messages/${id}/files`;
    const list = await ok<List<File>>("v1", "GET", `${files}?order=asc`);
    assert.deepEqual(
      list.data.map((file) => [file.id, file.object, file.message_id]),
      [
        ["file-A", "thread.message.file", id],
        ["file-B", "thread.message.file", id],
      ],
    );
    assert.deepEqual(await ok("v1", "GET", `${files}/file-B`), list.data[1]);
    const missing = await call("v1", "GET", `${files}/file-C`);
    assert.deepEqual(
      [missing.status, missing.body.error.message],
      [404, `No file found with id 'file-C' in message '${id}'.`],
    );
    assert.equal((await call("v1", "GET", `/threads/${thread}/messages/msg_A/files`)).status, 404);
  });

  test("takes text only, and some of it", async () => {
    const { id } = await ok<{ id: string }>("v1", "POST", "/threads");
    for (const [bad, param] of [
      [{ content: "" }, "content"],
      [{ content: [{ type: "text", text: "x" }] }, "content"],
    ] as const) {
      const { status, body } = await call("v1", "POST", `/threads/${id}/messages`, { role: "user", ...bad });
      assert.deepEqual([status, body.error.param], [400, param]);
    }
  });

  test("can carry files through a thread and a run that bring it along", async () => {
    const messages = [{ role: "user", content: "Hello", file_ids: ["file-A"] }];
    const thread = await ok<{ id: string }>("v1", "POST", "/threads", { messages });
    const list = await ok<List<Message>>("v1", "GET", `/threads/${thread.id}/messages`);
    assert.deepEqual(list.data[0]?.file_ids, ["file-A"]);
    const { id: assistant_id } = await makeAssistant();
    await ok("v1", "POST", `/threads/${thread.id}/runs`, { assistant_id, additional_messages: messages });
    const longer = await ok<List<Message>>("v1", "GET", `/threads/${thread.id}/messages`);
    assert.deepEqual(
      longer.data.map((message) => message.file_ids),
      [["file-A"], ["file-A"]],
    );
  });

  test("of version 2 is shown in the words of version 1, whatever is in it", async () => {
    const url = "https://example.com/cat.png";
    const parts = [
      { type: "text", text: "Look" },
      { type: "image_url", image_url: { url } },
      { type: "image_file", image_file: { file_id: "file-A", detail: "low" } },
    ];
    const messages = [{ role: "user", content: parts, attachments: [{ file_id: "file-B", tools: [INTERPRETER] }] }];
    const { id } = await ok<{ id: string }>("v2", "POST", "/threads", { messages });
    const { data } = await ok<List<Message & { content: unknown }>>("v1", "GET", `/threads/${id}/messages`);
    assert.deepEqual(data[0]?.content, [
      { type: "text", text: { value: "Look", annotations: [] } },
      { type: "text", text: { value: url, annotations: [] } },
      { type: "image_file", image_file: { file_id: "file-A" } },
    ]);
    assert.deepEqual(data[0].file_ids, []);
  });

  test("takes files for as many messages as one likes: the newest 20 are there for the code interpreter", async () => {
    const file_ids = Array.from({ length: 10 }, (_, index) => `file-${index}`);
    const messages = ["A", "B", "C"].map((batch) => ({
      role: "user",
      content: "Hello",
      file_ids: file_ids.map((id) => id + batch),
    }));
    const { id } = await ok<{ id: string }>("v1", "POST", "/threads", { messages });
    const { tool_resources } = await ok<Assistant>("v2", "GET", `/threads/${id}`);
    assert.deepEqual(tool_resources.code_interpreter?.file_ids, [
      ...file_ids.map((file) => `${file}B`),
      ...file_ids.map((file) => `${file}C`),
    ]);
  });
});

describe("a run of version 1", () => {
  interface Run {
    id: string;
    thread_id: string;
    status: string;
    incomplete_details: unknown;
    file_ids: string[];
    tool_choice: unknown;
    response_format: unknown;
  }

  async function makeRun(fields: object = {}): Promise<Run> {
    const assistant = await makeAssistant({ tools: [RETRIEVAL], file_ids: ["file-A"] });
    return ok<Run>("v1", "POST", "/threads/runs", { assistant_id: assistant.id, ...fields });
  }

  test("is shown with exactly the fields of that version", async () => {
    const run = await makeRun({ tool_choice: RETRIEVAL, response_format: "none", temperature: 0.5 });
    assertV1(run);
    assert.deepEqual([run.tool_choice, run.response_format, run.file_ids], [RETRIEVAL, "auto", ["file-A"]]);
    const seen = await ok<Run>("v2", "GET", `/threads/${run.thread_id}/runs/${run.id}`);
    assert.deepEqual(seen.tool_choice, { type: "file_search" });
  });

  test("keeps the files that its assistant had when it was made", async () => {
    const run = await makeRun();
    const { assistant_id } = run as Run & { assistant_id: string };
    await ok("v1", "POST", `/assistants/${assistant_id}`, { file_ids: [] });
    assert.deepEqual((await ok<Run>("v1", "GET", `/threads/${run.thread_id}/runs/${run.id}`)).file_ids, ["file-A"]);
  });

  test("shows the files of its assistant though version 2 made it", async () => {
    const { id: assistant_id } = await makeAssistant({ file_ids: ["file-A", "file-B"] });
    const { thread_id, id } = await ok<Run>("v2", "POST", "/threads/runs", { assistant_id });
    const { file_ids } = await ok<Run>("v1", "GET", `/threads/${thread_id}/runs/${id}`);
    assert.deepEqual(file_ids, ["file-A", "file-B"]);
  });

  test("that is incomplete is shown as completed, with its details", async () => {
    const run = await makeRun();
    await app.db.query(
      "update runs set status = 'incomplete', incomplete_reason = 'max_completion_tokens' where id = $1",
      [run.id],
    );
    for (const path of [`/threads/${run.thread_id}/runs/${run.id}`, `/threads/${run.thread_id}/runs`]) {
      const body = await ok<Run | List<Run>>("v1", "GET", path);
      const shown = "data" in body ? (body.data[0] as Run) : body;
      assert.equal(shown.status, "completed");
      assert.deepEqual(shown.incomplete_details, { reason: "max_completion_tokens" });
    }
  });

  test("shows a step of file search as retrieval", async () => {
    const run = await makeRun();
    const search = { ranking_options: { ranker: "auto", score_threshold: 0 }, results: [] };
    const details = { type: "tool_calls", tool_calls: [{ id: "call_A", type: "file_search", file_search: search }] };
    await app.db.query(
      `insert into run_steps (id, project_id, run_id, thread_id, assistant_id, turn, type, status, step_details)
       select 'step_v1', project_id, id, thread_id, assistant_id, 1, 'tool_calls', 'completed', $2 from runs where id = $1`,
      [run.id, JSON.stringify(details)],
    );
    const { data } = await ok<List<{ step_details: unknown; expires_at?: number }>>(
      "v1",
      "GET",
      `/threads/${run.thread_id}/runs/${run.id}/steps`,
    );
    assert.deepEqual(data[0]?.step_details, {
      type: "tool_calls",
      tool_calls: [{ id: "call_A", type: "retrieval", retrieval: {} }],
    });
    assert.equal("expires_at" in (data[0] ?? {}), false);
  });
});

test("a client of version 1 without a key, or with a wrong one, is told so", async () => {
  for (const [authorization, message] of [
    [undefined, /^You didn't provide an API key\./],
    ["Bearer sk-wrong", /^Incorrect API key provided: \*\*\*\./],
  ] as const) {
    const headers = { "openai-beta": "assistants=v1", authorization };
    const { status, body } = await app.call("GET", "/v1/assistants", { headers });
    assert.equal(status, 401);
    assert.match(body.error.message, message);
  }
});

test("a client of version 1 is told what else is wrong in the words of version 2", async () => {
  const broken = await app.call("POST", "/v1/assistants", { headers: { "openai-beta": "assistants=v1" }, body: "{" });
  assert.match(broken.body.error.message, /^We could not parse the JSON body of your request\./);
  const missing = await call("v1", "GET", "/threads/thread_A/runs/run_A");
  assert.deepEqual([missing.status, missing.body.error.message], [404, "No thread found with id 'thread_A'."]);
  const address = await call("v1", "POST", "/threads/thread_A/nothing");
  assert.equal(address.body.error.message, "Invalid URL (POST /v1/threads/thread_A/nothing)");
});
