// Errors: the texts that clients match on, word for word.
import assert from "node:assert/strict";
import { startTestApp } from "../support/app.ts";
import type { ErrorBody } from "../support/app.ts";
import { error, text } from "./error-rows.ts";
import type { Ask } from "./error-rows.ts";
import { assertRefused, badRequest, notFound, wrongPrefix } from "./refusals.ts";
import { rule } from "./row.ts";
import type { Row } from "./row.ts";
import { CALL_A, CALL_B, newWaitingRun, runPath } from "./waiting-run.ts";
import { newMessage, newRun, quietAssistant, quietThread } from "./world.ts";
import type { Made, World } from "./world.ts";

const createAssistant =
  (fields: object): Ask =>
  (world) =>
    world.call("POST", "/assistants", { body: { model: "gpt-4o", ...fields } });

const createMessage =
  (fields: object): Ask =>
  async (world) =>
    world.call("POST", `/threads/${(await quietThread(world)).id}/messages`, {
      body: { role: "user", content: "x", ...fields },
    });

const createRun =
  (fields: object): Ask =>
  async (world) =>
    world.call("POST", `/threads/${(await quietThread(world)).id}/runs`, {
      body: { assistant_id: (await quietAssistant(world)).id, ...fields },
    });

// --- 5.3: the texts of the validator, as the contract prints them --------------------------------

const validation: Row<World>[] = [
  text(
    "missing",
    "5.3",
    createRun({ assistant_id: undefined }),
    badRequest("Missing required parameter: 'assistant_id'.", "assistant_id", "missing_required_parameter"),
  ),
  text(
    "unknown-parameter",
    "5.3",
    createAssistant({ file_ids: [] }),
    badRequest("Unknown parameter: 'file_ids'.", "file_ids", "unknown_parameter"),
  ),
  text(
    "enum",
    "5.3",
    createMessage({ role: "human" }),
    badRequest("Invalid value: 'human'. Supported values are: 'user' and 'assistant'.", "role", "invalid_value"),
  ),
  text(
    "tool-type",
    "5.3",
    createAssistant({ tools: [{ type: "retrieval" }] }),
    badRequest(
      "Invalid value: 'retrieval'. Supported values are: 'code_interpreter', 'function', and 'file_search'.",
      "tools[0].type",
      "invalid_value",
    ),
  ),
  text(
    "prefix",
    "5.3",
    createRun({ assistant_id: "X" }),
    badRequest("Invalid 'assistant_id': 'X'. Expected an ID that begins with 'asst'.", "assistant_id", "invalid_value"),
  ),
  text(
    "prefix.nested",
    "5.3",
    (world) =>
      world.call("POST", "/threads", {
        body: { messages: [{ role: "user", content: "x", attachments: [{ file_id: "X", tools: [] }] }] },
      }),
    badRequest(
      "Invalid 'messages[0].attachments[0].file_id': 'X'. Expected an ID that begins with 'file'.",
      "messages[0].attachments[0].file_id",
      "invalid_value",
    ),
  ),
  text(
    "prefix.thread",
    "5.3",
    (world) => world.call("GET", "/threads/X"),
    badRequest("Invalid 'thread_id': 'X'. Expected an ID that begins with 'thread'.", "thread_id", "invalid_value"),
  ),
  text(
    "array-too-long",
    "5.3",
    createMessage({ attachments: Array(22).fill({ file_id: "file-abc", tools: [] }) }),
    badRequest(
      "Invalid 'attachments': array too long. Expected an array with maximum length 20, but got an array with length 22 instead.",
      "attachments",
      "array_above_max_length",
    ),
  ),
  text(
    "array-too-short",
    "5.3",
    createMessage({ content: [] }),
    badRequest(
      /^Invalid 'content': array too short\. Expected an array with minimum length 1, but got .* instead\.$/,
      "content",
      "array_below_min_length",
    ),
  ),
  text(
    "string-too-long",
    "5.3",
    createMessage({ content: "x".repeat(256_003) }),
    badRequest(
      "Invalid 'content': string too long. Expected a string with maximum length 256000, but got a string with length 256003 instead.",
      "content",
      "string_above_max_length",
    ),
  ),
  text(
    "integer-too-big",
    "5.3",
    (world) => world.call("GET", "/assistants?limit=101"),
    badRequest(
      "Invalid 'limit': integer above maximum value. Expected a value <= 100, but got 101 instead.",
      "limit",
      "integer_above_max_value",
    ),
  ),
  text(
    "integer-too-small",
    "5.3",
    createRun({ max_prompt_tokens: 1 }),
    badRequest(
      "Invalid 'max_prompt_tokens': integer below minimum value. Expected a value >= 256, but got 1 instead.",
      "max_prompt_tokens",
      "integer_below_min_value",
    ),
  ),
  text(
    "decimal-too-big",
    "5.3",
    createAssistant({ temperature: 2.5 }),
    badRequest(
      "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 2.5 instead.",
      "temperature",
      "decimal_above_max_value",
    ),
  ),
  text(
    "decimal-too-small",
    "5.3",
    createAssistant({ temperature: -0.5 }),
    badRequest(
      "Invalid 'temperature': decimal below minimum value. Expected a value >= 0, but got -0.5 instead.",
      "temperature",
      "decimal_below_min_value",
    ),
  ),
  text(
    "type",
    "5.3",
    createAssistant({ tools: "x" }),
    badRequest(
      "Invalid type for 'tools': expected an array of objects, but got a string instead.",
      "tools",
      "invalid_type",
    ),
  ),
  error("paths", "5.3", "the place of a mistake is named with dots and brackets", async (world) => {
    const wrong = { role: "user", content: [{ type: "text", text: 1 }] };
    const fine = { role: "user", content: "x" };
    const functionTool = { type: "function", function: { name: 1 } };
    const files = { code_interpreter: { file_ids: 1 } };
    const attachments = [{ file_id: "file-abc", tools: [{ type: "code_interpreter" }, { type: "x" }] }];
    const assistant_id = (await quietAssistant(world)).id;
    for (const [answer, param] of [
      [await createAssistant({ tool_resources: files })(world), "tool_resources.code_interpreter.file_ids"],
      [await createAssistant({ tools: [functionTool] })(world), "tools[0].function.name"],
      [await createRun({ additional_messages: [fine, wrong] })(world), "additional_messages[1].content[0].text"],
      [await createRun({ additional_messages: [fine, { role: "user" }] })(world), "additional_messages[1].content"],
      [await createMessage({ attachments })(world), "attachments[0].tools[1].type"],
      [
        await world.call("POST", "/threads/runs", {
          body: { assistant_id, thread: { messages: [fine, fine, wrong] } },
        }),
        "thread.messages[2].content[0].text",
      ],
    ] as const) {
      assert.deepEqual([answer.status, (answer.body as ErrorBody).error.param], [400, param]);
    }
  }),
  rule(
    "errors.body",
    "5.1",
    "an error is an object with message, type, param and code",
    async (world) => {
      const { body } = await world.call("GET", "/assistants/asst_X");
      assert.deepEqual(body, {
        error: {
          message: "No assistant found with id 'asst_X'.",
          type: "invalid_request_error",
          param: null,
          code: null,
        },
      });
    },
    {
      kind: "response",
      covers: ["error", "error.message", "error.type", "error.param", "error.code"].map((path) => ({
        schema: "ErrorBody",
        path,
      })),
    },
  ),
];

// --- 5.4: what is not there -----------------------------------------------------------------------

const unknownObjects: Row<World>[] = [
  error("unknown.assistant", "5.4", "No assistant found with id 'asst_X'.", async (world) => {
    const unknown = notFound("No assistant found with id 'asst_X'.");
    for (const [method, body] of [["GET"], ["POST", {}], ["DELETE"]] as const) {
      assertRefused(await world.call(method, "/assistants/asst_X", { body }), unknown);
    }
    assertRefused(await createRun({ assistant_id: "asst_X" })(world), unknown);
    assertRefused(await world.call("POST", "/threads/runs", { body: { assistant_id: "asst_X" } }), unknown);
  }),
  error("unknown.thread", "5.4", "No thread found with id 'thread_X'.", async (world) => {
    const { id: assistant_id } = await quietAssistant(world);
    for (const [method, path, body] of threadRoutes("thread_X", { run: "run_X", assistant_id })) {
      assertRefused(await world.call(method, path, { body }), notFound("No thread found with id 'thread_X'."));
    }
  }),
  error("unknown.message", "8 #1", "No message found with id 'msg_X'.", async (world) => {
    const other = await newMessage(world);
    const path = `/threads/${(await quietThread(world)).id}/messages`;
    for (const id of ["msg_X", "nonsense", other.id]) {
      for (const [method, body] of [["GET"], ["POST", {}], ["POST", { metadata: {} }], ["DELETE"]] as const) {
        assertRefused(
          await world.call(method, `${path}/${id}`, { body }),
          notFound(`No message found with id '${id}'.`),
        );
      }
    }
  }),
  error("unknown.run", "8 #2", "No run found with id 'run_X'., also when it is on another thread", async (world) => {
    const other = await newRun(world);
    const { id: thread } = await quietThread(world);
    for (const run of ["run_X", other.id]) {
      for (const [method, path, body] of runRoutes(thread, run)) {
        assertRefused(await world.call(method, path, { body }), notFound(`No run found with id '${run}'.`));
      }
    }
  }),
  error(
    "unknown.step",
    "8 #1",
    "No run step found with id 'step_X'., also when it belongs to another run",
    async (world) => {
      const other = await newWaitingRun(world);
      const { data } = await world.get<{ data: Made[] }>(`${runPath(other)}/steps`);
      const run = await newRun(world);
      for (const id of ["step_X", data[0]?.id]) {
        const answer = await world.call("GET", `${runPath(run)}/steps/${id}`);
        assertRefused(answer, notFound(`No run step found with id '${id}'.`));
      }
    },
  ),
  error(
    "prefix.paths",
    "2",
    "an assistant's or thread's id with another prefix is refused before it is looked for",
    async (world) => {
      for (const id of ["X", "asst-abc", "run_abc"]) {
        for (const [method, body] of [["GET"], ["POST", {}], ["DELETE"]] as const) {
          const answer = await world.call(method, `/assistants/${id}`, { body });
          if (!id.startsWith("asst")) assertRefused(answer, wrongPrefix("assistant_id", id, "asst"));
        }
        const { id: assistant_id } = await quietAssistant(world);
        for (const [method, path, body] of threadRoutes(id, { run: "run_X", assistant_id })) {
          assertRefused(await world.call(method, path, { body }), wrongPrefix("thread_id", id, "thread"));
        }
      }
    },
  ),
  error("isolation", "7.6", "what belongs to another project answers like what never existed", async (world) => {
    const run = await newWaitingRun(world);
    const message = await newMessage(world);
    const { data } = await world.get<{ data: Made[] }>(`${runPath(run)}/steps`);
    const assistant = (await quietAssistant(world)).id;
    const theirs = await world.post("/threads", {}, { as: "bob" });
    const asBob = { as: "bob" } as const;
    const gone = notFound(`No assistant found with id '${assistant}'.`);
    for (const [method, body] of [["GET"], ["POST", {}], ["DELETE"]] as const) {
      assertRefused(await world.call(method, `/assistants/${assistant}`, { body, ...asBob }), gone);
    }
    const made = { body: { assistant_id: assistant }, ...asBob };
    assertRefused(await world.call("POST", `/threads/${theirs.id}/runs`, made), gone);
    assertRefused(await world.call("POST", "/threads/runs", made), gone);
    const thread = run.thread_id;
    const more = { run: run.id, assistant_id: assistant, step: data[0]?.id };
    for (const [method, path, body] of threadRoutes(thread, more)) {
      assertRefused(
        await world.call(method, path, { body, ...asBob }),
        notFound(`No thread found with id '${thread}'.`),
      );
    }
    for (const [method, path, body] of runRoutes(theirs.id, run.id)) {
      assertRefused(await world.call(method, path, { body, ...asBob }), notFound(`No run found with id '${run.id}'.`));
    }
    const path = `/threads/${theirs.id}/messages/${message.id}`;
    assertRefused(await world.call("GET", path, asBob), notFound(`No message found with id '${message.id}'.`));
    assert.deepEqual(await world.get(runPath(run)), run, "nothing has changed");
  }),
];

type Route = readonly ["GET" | "POST" | "DELETE", string, unknown?];

/** Every route under a run, with a body that would be accepted. */
function runRoutes(thread: string, run: string, step = "step_X"): Route[] {
  const path = `/threads/${thread}/runs/${run}`;
  return [
    ["GET", path],
    ["POST", path, {}],
    ["POST", path, { metadata: {} }],
    ["POST", `${path}/cancel`],
    ["POST", `${path}/submit_tool_outputs`, { tool_outputs: [{ tool_call_id: CALL_A }, { tool_call_id: CALL_B }] }],
    ["GET", `${path}/steps`],
    ["GET", `${path}/steps?limit=5`],
    ["GET", `${path}/steps/${step}`],
  ];
}

/** Every route under a thread. */
function threadRoutes(thread: string, more: { run: string; assistant_id: string; step?: string | undefined }): Route[] {
  const path = `/threads/${thread}`;
  return [
    ["GET", path],
    ["POST", path, {}],
    ["POST", path, { metadata: {} }],
    ["DELETE", path],
    ["GET", `${path}/messages`],
    ["GET", `${path}/messages?limit=5`],
    ["POST", `${path}/messages`, { role: "user", content: "x" }],
    ["GET", `${path}/messages/msg_X`],
    ["POST", `${path}/messages/msg_X`, {}],
    ["DELETE", `${path}/messages/msg_X`],
    ["GET", `${path}/runs`],
    ["POST", `${path}/runs`, { assistant_id: more.assistant_id }],
    ...runRoutes(thread, more.run, more.step),
  ];
}

// --- 5.4: the server's own --------------------------------------------------------------------------

const own: Row<World>[] = [
  error("internal", "5.4", "a failure of the server names the request and nothing else", async () => {
    const broken = await startTestApp();
    try {
      await broken.db.query("alter table models rename to elsewhere");
      const answer = await broken.call("GET", "/v1/models");
      assertRefused(answer, {
        status: 500,
        message: `The server had an error processing your request. Sorry about that! You can retry your request, or contact us through our help center at help.openai.com if you keep seeing this error. (Please include the request ID ${String(answer.headers["x-request-id"])} in your email.)`,
        type: "server_error",
        param: null,
        code: null,
      });
    } finally {
      await broken.stop();
    }
  }),
];

export const errorRows: Row<World>[] = [...validation, ...unknownObjects, ...own];
