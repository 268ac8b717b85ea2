// Assistants: what a client sends, and what follows from it.
import assert from "node:assert/strict";
import { assertRefused, badRequest, notFound, unknownParameter } from "./refusals.ts";
import { requestRows } from "./request-rows.ts";
import type { Endpoint } from "./request-rows.ts";
import { deletion, rule } from "./row.ts";
import type { Row } from "./row.ts";
import {
  isMadeStore,
  reasoningEffort,
  responseFormat,
  toolResources,
  toolResourcesWithStores,
  tools,
} from "./tool-fields.ts";
import { decimal, metadata, required, text } from "./values.ts";
import type { Fields } from "./values.ts";
import { fileIds, newAssistant, newRun, newThread, quietAssistant, storeIds } from "./world.ts";
import type { World } from "./world.ts";

const model = text({ sample: "gpt-4o" });

const settings: Fields = {
  name: text({ max: 256 }),
  description: text({ max: 512 }),
  instructions: text({ max: 256_000 }),
  reasoning_effort: reasoningEffort,
  tools,
  metadata: metadata(),
  temperature: decimal({ min: 0, max: 2, fallback: 1 }),
  top_p: decimal({ min: 0, max: 1, fallback: 1 }),
  response_format: responseFormat,
};

const create: Endpoint = {
  id: "assistants.create",
  source: "1.1",
  schema: "CreateAssistant",
  base: async () => ({ model: "gpt-4o" }),
  target: async () => "/assistants",
  refusedAt: async () => "/assistants",
};

/** Every field set to something that is not its default, as it is sent and as it is shown. */
const FULL = {
  model: "gpt-4o-mini",
  name: "Ada",
  description: "Helps.",
  instructions: "Be brief.",
  reasoning_effort: "high",
  tools: [
    { type: "function", function: { name: "f", description: "d", parameters: { type: "object" }, strict: true } },
  ],
  tool_resources: {
    code_interpreter: { file_ids: fileIds(2) },
    file_search: { vector_store_ids: storeIds(1) },
  },
  metadata: { team: "blue", floor: "3" },
  temperature: 0.2,
  top_p: 0.4,
  response_format: { type: "text" },
};

const modify: Endpoint = {
  id: "assistants.modify",
  source: "1.1",
  schema: "ModifyAssistant",
  base: async () => ({}),
  target: async (world) => `/assistants/${(await newAssistant(world, FULL)).id}`,
  refusedAt: async (world) => `/assistants/${(await quietAssistant(world)).id}`,
  before: FULL,
};

const ONLY_FUNCTIONS = (format: string) =>
  badRequest(
    `Invalid tools: all tools must be of type \`function\` when \`response_format\` is of type \`${format}\`.`,
  );

const rules: Row<World>[] = [
  rule("assistants.modify.others", "1.1", "a modification changes what it names and nothing else", async (world) => {
    const before = await newAssistant(world, FULL);
    assert.deepEqual(await world.post(`/assistants/${before.id}`, {}), before);
    const changed = { ...before, name: "Bob" };
    assert.deepEqual(await world.post(`/assistants/${before.id}`, { name: "Bob" }), changed);
    assert.deepEqual(await world.get(`/assistants/${before.id}`), changed);
  }),
  rule("assistants.retrieve", "1.0", "an assistant reads as it was created", async (world) => {
    const created = await newAssistant(world, FULL);
    assert.partialDeepStrictEqual(created, FULL);
    assert.deepEqual(await world.get(`/assistants/${created.id}`), created);
  }),
  deletion("assistants.delete", "deleting says what was deleted, and then it is gone", async (world) => {
    const { id } = await newAssistant(world);
    assert.deepEqual(await world.remove(`/assistants/${id}`), { id, object: "assistant.deleted", deleted: true });
    const gone = notFound(`No assistant found with id '${id}'.`);
    assertRefused(await world.call("GET", `/assistants/${id}`), gone);
    assertRefused(await world.call("POST", `/assistants/${id}`, { body: {} }), gone);
    assertRefused(await world.call("DELETE", `/assistants/${id}`), gone);
  }),
  rule(
    "assistants.delete.runs",
    "1.1",
    "old runs keep the id of a deleted assistant, new ones are refused",
    async (world) => {
      const { id } = await newAssistant(world);
      const run = await newRun(world, { assistant_id: id });
      await world.remove(`/assistants/${id}`);
      assert.deepEqual(await world.get(`/threads/${run.thread_id}/runs/${run.id}`), run);
      const thread = await newThread(world);
      const answer = await world.call("POST", `/threads/${thread.id}/runs`, { body: { assistant_id: id } });
      assertRefused(answer, notFound(`No assistant found with id '${id}'.`));
    },
  ),
  rule("assistants.modify.runs", "3.5", "a run keeps what its assistant was when it was made", async (world) => {
    const { id } = await newAssistant(world, FULL);
    const run = await newRun(world, { assistant_id: id });
    await world.post(`/assistants/${id}`, { model: "other", instructions: "Else.", tools: [], temperature: 2 });
    assert.deepEqual(await world.get(`/threads/${run.thread_id}/runs/${run.id}`), run);
  }),
  rule(
    "assistants.tool_resources.interpreter",
    "1.1",
    "with a code interpreter there is a list of files",
    async (world) => {
      const interpreter = { tools: [{ type: "code_interpreter" }] };
      const made = await newAssistant(world, interpreter);
      assert.deepEqual(made["tool_resources"], { code_interpreter: { file_ids: [] } });
      const plain = await newAssistant(world);
      assert.deepEqual((await world.post(`/assistants/${plain.id}`, interpreter))["tool_resources"], {
        code_interpreter: { file_ids: [] },
      });
    },
  ),
  rule("assistants.tool_resources.replaced", "1.1", "each list of resources is replaced by itself", async (world) => {
    const { id } = await newAssistant(world, FULL);
    const change = async (tool_resources: object) =>
      (await world.post(`/assistants/${id}`, { tool_resources }))["tool_resources"];
    const files = { code_interpreter: { file_ids: fileIds(5).slice(3) } };
    assert.deepEqual(await change(files), { ...FULL.tool_resources, ...files });
    assert.deepEqual(await change({ code_interpreter: { file_ids: [] }, file_search: null }), {
      ...FULL.tool_resources,
      code_interpreter: { file_ids: [] },
    });
    assert.deepEqual(await change({ file_search: { vector_store_ids: [] } }), {
      code_interpreter: { file_ids: [] },
      file_search: { vector_store_ids: [] },
    });
  }),
  rule(
    "assistants.tool_resources.made-store",
    "1.1",
    "a described vector store is made, and shown by its id",
    async (world) => {
      const body = { tool_resources: { file_search: { vector_stores: [{ file_ids: [], metadata: { a: "b" } }] } } };
      const { tool_resources } = await newAssistant(world, body);
      assert.ok(isMadeStore(tool_resources), JSON.stringify(tool_resources));
    },
  ),
  rule(
    "assistants.tool_resources.exclusive",
    "1.1",
    "store ids and a described store exclude each other",
    async (world) => {
      const file_search = { vector_store_ids: storeIds(1), vector_stores: [{ file_ids: fileIds(1) }] };
      const { status } = await world.call("POST", "/assistants", {
        body: { model: "m", tool_resources: { file_search } },
      });
      assert.equal(status, 400);
    },
  ),
  rule("assistants.modify.vector_stores", "1.1", "a vector store is described on creation only", async (world) => {
    const { id } = await quietAssistant(world);
    const body = { tool_resources: { file_search: { vector_stores: [] } } };
    const answer = await world.call("POST", `/assistants/${id}`, { body });
    assertRefused(answer, unknownParameter("tool_resources.file_search.vector_stores"));
  }),
  rule(
    "assistants.response_format.tools",
    "3.9",
    "an answer in JSON goes with functions only",
    async (world) => {
      for (const type of ["code_interpreter", "file_search"]) {
        const tools = [{ type: "function", function: { name: "f" } }, { type }];
        const plain = await newAssistant(world, { tools });
        const json = { type: "json_schema", json_schema: { name: "answer", schema: {} } };
        for (const response_format of [{ type: "json_object" }, json]) {
          const body = { model: "m", tools, response_format };
          const refusal = ONLY_FUNCTIONS(response_format.type);
          assertRefused(await world.call("POST", "/assistants", { body }), refusal);
          assertRefused(await world.call("POST", `/assistants/${plain.id}`, { body: { response_format } }), refusal);
        }
        assert.deepEqual(await world.get(`/assistants/${plain.id}`), plain);
      }
    },
    { kind: "error" },
  ),
];

export const assistantRows: Row<World>[] = [
  ...requestRows(create, { model: required(model), ...settings, tool_resources: toolResourcesWithStores }),
  ...requestRows(modify, { model: { ...model, merges: true }, ...settings, tool_resources: toolResources }),
  ...rules,
];
