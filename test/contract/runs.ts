// Runs: what a client may say when it makes one or changes one, and what follows from it.
import assert from "node:assert/strict";
import { RunStatus } from "../../contract/run-state.ts";
import { messages } from "./messages.ts";
import { assertRefused, badRequest, notFound, unknownParameter } from "./refusals.ts";
import { requestRows } from "./request-rows.ts";
import type { Endpoint } from "./request-rows.ts";
import { rule } from "./row.ts";
import type { Row } from "./row.ts";
import { threadFields } from "./threads.ts";
import { reasoningEffort, responseFormat, streamFlag, toolChoice, toolResources, tools } from "./tool-fields.ts";
import {
  decimal,
  flag,
  from,
  integer,
  metadata,
  object,
  oneOf,
  reference,
  required,
  shownAs,
  text,
  without,
} from "./values.ts";
import type { Fields, Spec } from "./values.ts";
import { newRunIn, newWaitingRun, runPath } from "./waiting-run.ts";
import {
  fileIds,
  messagesOf,
  newAssistant,
  newMessage,
  newRun,
  newThread,
  quietAssistant,
  quietThread,
} from "./world.ts";
import type { Made, World } from "./world.ts";

/** What the assistant of these runs says, and a run that does not say otherwise. */
const ASSISTANT = {
  model: "gpt-4o-mini",
  instructions: "Be kind.",
  temperature: 0.6,
  top_p: 0.3,
  reasoning_effort: "low",
  tools: [
    { type: "function", function: { name: "f", description: "d", parameters: { type: "object" }, strict: false } },
  ],
  response_format: { type: "text" },
};

const assistant = (world: World): Promise<Made> =>
  world.once("assistant of runs", () => newAssistant(world, ASSISTANT));

/** Only its refusals and its absence are tried here: which id is right is known when the test runs. */
const assistantId: Spec = { ...required(reference("asst", "asst_unknown")), accepts: [] };

const overrides: Fields = {
  assistant_id: assistantId,
  model: without(ASSISTANT.model, text({ sample: "other-model" })),
  instructions: without(ASSISTANT.instructions, text()),
  tools: without(ASSISTANT.tools, tools),
  metadata: metadata(),
  temperature: decimal({ min: 0, max: 2, fallback: ASSISTANT.temperature }),
  top_p: decimal({ min: 0, max: 1, fallback: ASSISTANT.top_p }),
  stream: streamFlag,
  max_prompt_tokens: integer({ min: 256 }),
  max_completion_tokens: integer({ min: 256 }),
  truncation_strategy: from(
    "3.8",
    without(
      { type: "auto", last_messages: null },
      truncation(oneOf({ auto: {}, last_messages: { last_messages: required(integer({ min: 1 })) } })),
    ),
  ),
  tool_choice: toolChoice,
  parallel_tool_calls: flag(true),
  response_format: without(ASSISTANT.response_format, responseFormat),
  expires_after_seconds: from("docs/extensions.md", integer({ min: 1, max: 2_592_000, fallback: 600 })),
};

/** Automatic truncation is shown with a number that is null. */
function truncation(spec: Spec): Spec {
  const show = (value: unknown) => ({ last_messages: null, ...(value as object) });
  return {
    ...shownAs(show, spec),
    accepts: spec.accepts.map((accepted) => ({ ...accepted, echo: show(accepted.value) })),
  };
}

const base = async (world: World) => ({ assistant_id: (await assistant(world)).id });

const lifetime = (run: Record<string, unknown>) => Number(run["expires_at"]) - Number(run["created_at"]);

const create: Endpoint = {
  id: "runs.create",
  source: "1.4",
  schema: "CreateRun",
  base,
  target: async (world) => `/threads/${(await newThread(world)).id}/runs`,
  refusedAt: async (world) => `/threads/${(await quietThread(world)).id}/runs`,
  view: async (world, run, field) => ({
    ...run,
    expires_after_seconds: lifetime(run),
    additional_instructions: run["instructions"],
    ...(field.startsWith("additional_messages")
      ? { additional_messages: await messagesOf(world, String(run["thread_id"])) }
      : {}),
  }),
};

const createWithThread: Endpoint = {
  ...create,
  id: "runs.create-with-thread",
  schema: "CreateThreadAndRun",
  target: async () => "/threads/runs",
  refusedAt: async () => "/threads/runs",
  view: async (world, run, field) => {
    const shown = { ...run, expires_after_seconds: lifetime(run) };
    if (!field.startsWith("thread")) return shown;
    const id = String(run["thread_id"]);
    const { metadata, tool_resources } = await world.get(`/threads/${id}`);
    return { ...shown, thread: { messages: await messagesOf(world, id), metadata, tool_resources } };
  },
};

const modify: Endpoint = {
  id: "runs.modify",
  source: "1.4",
  schema: "ModifyRun",
  base: async () => ({}),
  target: async (world) => runPath(await newRun(world, { metadata: { team: "red" } })),
  refusedAt: async (world) => runPath(await world.once("quiet run", () => newRun(world))),
  before: { metadata: { team: "red" } },
};

const INCLUDE = "step_details.tool_calls[*].file_search.results[*].content";

const rules: Row<World>[] = [
  rule(
    "runs.create.additional_instructions.joined",
    "8 #55",
    "additional instructions follow those of the run or, without them, of the assistant",
    async (world) => {
      const { id } = await assistant(world);
      const made = (body: object) => newRun(world, { assistant_id: id, additional_instructions: "Always.", ...body });
      assert.equal((await made({}))["instructions"], "Be kind.\nAlways.");
      assert.equal((await made({ instructions: "Be short." }))["instructions"], "Be short.\nAlways.");
    },
  ),
  rule(
    "runs.create.overrides.kept",
    "1.4",
    "what a run overrides is not written back to its assistant",
    async (world) => {
      const before = await assistant(world);
      await newRun(world, {
        assistant_id: before.id,
        model: "other",
        instructions: "x",
        tools: [],
        temperature: 2,
        top_p: 1,
      });
      assert.deepEqual(await world.get(`/assistants/${before.id}`), before);
    },
  ),
  rule("runs.create.tools.none", "1.4", "an empty list of tools takes the place of the assistant's", async (world) => {
    assert.deepEqual((await newRun(world, { assistant_id: (await assistant(world)).id, tools: [] }))["tools"], []);
  }),
  rule(
    "runs.create.additional_messages.order",
    "1.4",
    "additional messages stand behind those of the thread, in their order",
    async (world) => {
      const thread = await newThread(world, { messages: [{ role: "user", content: "0" }] });
      const additional_messages = ["1", "2", "3"].map((content) => ({ role: "user", content }));
      await newRun(world, { additional_messages }, thread.id);
      const shown = (await messagesOf(world, thread.id)) as { content: { text: { value: string } }[] }[];
      assert.deepEqual(
        shown.map(({ content }) => content[0]?.text.value),
        ["0", "1", "2", "3"],
      );
    },
  ),
  rule("runs.create.additional_messages.run_id", "1.3", "additional messages belong to no run", async (world) => {
    const { thread_id } = await newRun(world, { additional_messages: [{ role: "user", content: "x" }] });
    const { data } = await world.get<{ data: Made[] }>(`/threads/${thread_id}/messages`);
    assert.deepEqual(
      data.map((message) => [message["run_id"], message["assistant_id"]]),
      [[null, null]],
    );
  }),
  rule(
    "runs.create.additional_messages.refused",
    "3.5",
    "additional messages are refused together with their run",
    async (world) => {
      const { thread_id } = await newRun(world);
      const body = {
        assistant_id: (await quietAssistant(world)).id,
        additional_messages: [{ role: "user", content: "x" }],
      };
      assert.equal((await world.call("POST", `/threads/${thread_id}/runs`, { body })).status, 400);
      assert.deepEqual(await messagesOf(world, thread_id), []);
    },
  ),
  rule("runs.create.tool_resources", "8 #9", "a run on a thread shows no resources of its own", async (world) => {
    const resources = { code_interpreter: { file_ids: fileIds(1) } };
    const { id: assistant_id } = await newAssistant(world, { tool_resources: resources });
    const thread = await newThread(world, { tool_resources: resources });
    assert.deepEqual((await newRun(world, { assistant_id }, thread.id))["tool_resources"], {});
  }),
  rule("runs.create.queued", "3.2", "a run is answered at once, as queued, and locks its thread", async (world) => {
    const run = await newRun(world);
    assert.equal(run["status"], "queued");
    assert.ok(world.app.nudges.includes(`start ${run.id}`));
  }),
  rule("runs.create.empty-thread", "8 #40", "a run can be made on an empty thread", async (world) => {
    const thread = await newThread(world);
    assert.equal((await newRun(world, {}, thread.id)).thread_id, thread.id);
  }),
  rule(
    "runs.create.other-fields",
    "1.4",
    "fields of POST /threads/runs are unknown here, and there those of this request",
    async (world) => {
      const { id: assistant_id } = await quietAssistant(world);
      const here = `/threads/${(await quietThread(world)).id}/runs`;
      for (const [path, field] of [
        [here, "thread"],
        [here, "tool_resources"],
        [here, "file_ids"],
        ["/threads/runs", "additional_instructions"],
        ["/threads/runs", "additional_messages"],
        ["/threads/runs", "reasoning_effort"],
      ] as const) {
        const answer = await world.call("POST", path, { body: { assistant_id, [field]: null } });
        assertRefused(answer, unknownParameter(field));
      }
    },
  ),
  rule(
    "runs.create.include",
    "1.0",
    "include[] has one value",
    async (world) => {
      const query = (value: string) => `?include[]=${encodeURIComponent(value)}`;
      const body = { assistant_id: (await quietAssistant(world)).id };
      const path = async () => `/threads/${(await newThread(world)).id}/runs`;
      assert.equal((await world.call("POST", (await path()) + query(INCLUDE), { body })).status, 200);
      const { status, body: answer } = await world.call("POST", (await path()) + query("all"), { body });
      assert.deepEqual([status, answer.error.code], [400, "invalid_value"]);
    },
    { kind: "request" },
  ),
  rule(
    "runs.create.tools-and-format",
    "3.9",
    "an answer in JSON goes with functions only, also by an override",
    async (world) => {
      const refusal = badRequest(
        "Invalid tools: all tools must be of type `function` when `response_format` is of type `json_object`.",
      );
      const { id: assistant_id } = await newAssistant(world, { tools: [{ type: "code_interpreter" }] });
      const json = { response_format: { type: "json_object" } };
      const path = `/threads/${(await quietThread(world)).id}/runs`;
      assertRefused(await world.call("POST", path, { body: { assistant_id, ...json } }), refusal);
      assertRefused(await world.call("POST", "/threads/runs", { body: { assistant_id, ...json } }), refusal);
      const functions = { tools: [{ type: "function", function: { name: "f" } }] };
      await newRun(world, { assistant_id, ...json, ...functions });
    },
  ),
  rule("runs.create-with-thread.refused", "1.4", "a refused run leaves no thread behind", async (world) => {
    const thread = { metadata: { mark: "refused with its run" } };
    const body = { assistant_id: "asst_unknown", thread };
    assertRefused(
      await world.call("POST", "/threads/runs", { body }),
      notFound("No assistant found with id 'asst_unknown'."),
    );
    const marked = "select 1 from threads where metadata ->> 'mark' = 'refused with its run'";
    assert.equal((await world.app.db.query(marked)).rowCount, 0);
  }),
  rule("runs.retrieve", "1.0", "a run reads as it was created", async (world) => {
    const run = await newRun(world);
    assert.deepEqual(await world.get(runPath(run)), run);
  }),
  rule(
    "runs.modify.others",
    "1.4",
    "metadata is all that can be changed, in any status, and is replaced as a whole",
    async (world) => {
      for (const status of RunStatus.options) {
        const before = await newRunIn(world, status);
        assert.deepEqual(await world.post(runPath(before), {}), before);
        const after = { ...before, metadata: { order: "17" } };
        assert.deepEqual(await world.post(runPath(before), { metadata: { order: "17" } }), after);
        assert.deepEqual(await world.get(runPath(before)), after);
        assertRefused(await world.call("POST", runPath(before), { body: { status } }), unknownParameter("status"));
      }
    },
  ),
  rule(
    "runs.lock.released",
    "3.5",
    "a thread is free as soon as its run has ended, or was cancelled while it waited",
    async (world) => {
      for (const status of ["cancelled", "failed", "completed", "incomplete", "expired"] as const) {
        const { thread_id } = await newRunIn(world, status);
        await newMessage(world, {}, thread_id);
        await newRun(world, {}, thread_id);
      }
      const waiting = await newWaitingRun(world);
      assert.equal((await world.post(`${runPath(waiting)}/cancel`))["status"], "cancelling");
      await newMessage(world, {}, waiting.thread_id);
    },
  ),
  rule(
    "runs.lock.one-wins",
    "8 #47",
    "of runs that are made at once on a thread exactly one wins, the others are told its id",
    async (world) => {
      const { id: thread } = await newThread(world);
      const body = { assistant_id: (await quietAssistant(world)).id };
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => world.call<Made>("POST", `/threads/${thread}/runs`, { body })),
      );
      const [won, ...more] = answers.filter(({ status }) => status === 200);
      assert.ok(won !== undefined && more.length === 0);
      for (const answer of answers.filter((other) => other !== won)) {
        assertRefused(answer, badRequest(`Thread ${thread} already has an active run ${won.body.id}.`));
      }
    },
  ),
];

export const runRows: Row<World>[] = [
  ...requestRows(create, {
    ...overrides,
    reasoning_effort: without(ASSISTANT.reasoning_effort, reasoningEffort),
    additional_instructions: without(
      "Be kind.",
      shownAs((value) => `Be kind.\n${String(value)}`, text()),
    ),
    additional_messages: messages,
  }),
  ...requestRows(createWithThread, {
    ...overrides,
    thread: object(threadFields, { fallback: { messages: [], metadata: {}, tool_resources: {} } }),
    tool_resources: toolResources,
  }),
  ...requestRows(modify, { metadata: metadata() }),
  ...rules,
];
