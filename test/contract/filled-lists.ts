// Lists with something in them, one of each kind.
import assert from "node:assert/strict";
import { newId } from "../../contract/ids.ts";
import { ensureApiKey } from "../../db/api-keys.ts";
import type { Call, List } from "../support/app.ts";
import type { SchemaName } from "./schemas.ts";
import { newRunIn, runPath } from "./waiting-run.ts";
import { fileIds, newAssistant, newMessage, newRun, newStore, newThread, quietAssistant } from "./world.ts";
import type { Made, World } from "./world.ts";

/** A list of 25 items, and ids that are in other lists. */
export interface Filled {
  path: string;
  /** Oldest first. */
  ids: string[];
  emptyPath: string;
  /** In another list of the same kind, or of another kind where there is only one. */
  elsewhere: string;
  foreign: string;
}

export interface Kind {
  name: string;
  schemas: readonly SchemaName[];
  fill(world: World): Promise<Filled>;
  /** Makes one more item and returns its id with the path of its list. */
  add(world: World): Promise<{ path: string; id: string }>;
  /** Whose key the list is read with, when it is not that of the usual project. */
  call?: Call;
  emptyCall?: Call;
}

const SIZE = 25;
export const ALL = Array.from({ length: SIZE }, (_, index) => index);

/** Projects of which nothing else is known. */
const asProject = (name: string): Call => ({ headers: { authorization: `Bearer ${keyOf(name)}` } });
const keyOf = (name: string) => `sk-test-${name}-9876543210`;

const LISTS = asProject("lists");
const NOTHING = asProject("nothing");

async function inOrder(make: () => Promise<{ id: string }>): Promise<string[]> {
  const ids: string[] = [];
  for (let count = 0; count < SIZE; count++) ids.push((await make()).id);
  return ids;
}

export const KINDS: readonly Kind[] = [
  {
    name: "assistants",
    schemas: ["PageQuery"],
    call: LISTS,
    emptyCall: NOTHING,
    fill: async (world) => {
      for (const name of ["lists", "nothing"]) {
        await ensureApiKey(world.app.db, { key: keyOf(name), name, projectName: name });
      }
      const ids = await inOrder(() => world.post("/assistants", { model: "gpt-4o" }, LISTS));
      const path = "/assistants";
      const elsewhere = (await newThread(world)).id;
      return { path, ids, emptyPath: path, elsewhere, foreign: (await quietAssistant(world)).id };
    },
    add: async (world) => ({ path: "/assistants", id: (await newAssistant(world)).id }),
  },
  {
    name: "messages",
    schemas: ["ListMessagesQuery"],
    fill: async (world) => {
      // All at once: they share a second, and keep their order all the same.
      const messages = ALL.map((index) => ({ role: "user", content: `${index}` }));
      const path = `/threads/${(await newThread(world, { messages })).id}/messages`;
      const { data } = await world.get<List<Made>>(`${path}?limit=100&order=asc`);
      const texts = data.map((message) => (message["content"] as { text: { value: string } }[])[0]?.text.value);
      assert.deepEqual(texts, ALL.map(String), "messages of one request keep their order");
      const emptyPath = `/threads/${(await newThread(world)).id}/messages`;
      const elsewhere = (await newMessage(world)).id;
      const thread = await world.post("/threads", {}, { as: "bob" });
      const body = { role: "user", content: "x" };
      const foreign = (await world.post(`/threads/${thread.id}/messages`, body, { as: "bob" })).id;
      return { path, ids: data.map(({ id }) => id), emptyPath, elsewhere, foreign };
    },
    add: async (world) => {
      const message = await newMessage(world);
      return { path: `/threads/${message.thread_id}/messages`, id: message.id };
    },
  },
  {
    name: "runs",
    schemas: ["PageQuery"],
    fill: async (world) => {
      const thread = await newThread(world);
      const ids = await inOrder(async () => {
        const run = await newRun(world, {}, thread.id);
        await world.app.db.query("update runs set status = 'completed' where id = $1", [run.id]);
        return run;
      });
      const emptyPath = `/threads/${(await newThread(world)).id}/runs`;
      const assistant = await world.post("/assistants", { model: "m" }, { as: "bob" });
      const foreign = await world.post("/threads/runs", { assistant_id: assistant.id }, { as: "bob" });
      return {
        path: `/threads/${thread.id}/runs`,
        ids,
        emptyPath,
        elsewhere: (await newRun(world)).id,
        foreign: foreign.id,
      };
    },
    add: async (world) => {
      const run = await newRun(world);
      return { path: `/threads/${run.thread_id}/runs`, id: run.id };
    },
  },
  {
    name: "run-steps",
    schemas: ["PageQuery"],
    fill: async (world) => {
      const run = await newRunIn(world, "completed");
      const ids = await inOrder(() => insertStep(world, run));
      const other = await insertStep(world, await newRunIn(world, "completed"));
      const assistant = await world.post("/assistants", { model: "m" }, { as: "bob" });
      const foreign = await insertStep(
        world,
        await world.post("/threads/runs", { assistant_id: assistant.id }, { as: "bob" }),
      );
      const emptyPath = `${runPath(await newRun(world))}/steps`;
      return { path: `${runPath(run)}/steps`, ids, emptyPath, elsewhere: other.id, foreign: foreign.id };
    },
    add: async (world) => {
      const run = await newRunIn(world, "completed");
      return { path: `${runPath(run)}/steps`, id: (await insertStep(world, run)).id };
    },
  },
  {
    name: "vector-stores",
    schemas: [],
    call: LISTS,
    emptyCall: NOTHING,
    fill: async (world) => {
      for (const name of ["lists", "nothing"]) {
        await ensureApiKey(world.app.db, { key: keyOf(name), name, projectName: name });
      }
      const ids = await inOrder(() => world.post("/vector_stores", {}, LISTS));
      const path = "/vector_stores";
      return {
        path,
        ids,
        emptyPath: path,
        elsewhere: (await newThread(world)).id,
        foreign: (await newStore(world)).id,
      };
    },
    add: async (world) => ({ path: "/vector_stores", id: (await newStore(world)).id }),
  },
  {
    name: "vector-store-files",
    schemas: ["ListStoreFilesQuery"],
    fill: async (world) => {
      const file_ids = fileIds(SIZE);
      const { id } = await newStore(world, { file_ids });
      const path = `/vector_stores/${id}/files`;
      const other = await newStore(world, { file_ids: fileIds(SIZE + 1).slice(SIZE) });
      const { data } = await world.get<List<Made>>(`/vector_stores/${other.id}/files`);
      const elsewhere = String(data[0]?.id);
      const emptyPath = `/vector_stores/${(await newStore(world)).id}/files`;
      return { path, ids: file_ids, emptyPath, elsewhere, foreign: "file-ofBob" };
    },
    add: async (world) => {
      const { id } = await newStore(world, { file_ids: fileIds(1) });
      return { path: `/vector_stores/${id}/files`, id: fileIds(1)[0] as string };
    },
  },
];

/** Steps are made by workers only. */
export async function insertStep(world: World, run: Made): Promise<{ id: string }> {
  const id = newId("step_");
  await world.app.db.query(
    `insert into run_steps (id, project_id, run_id, thread_id, assistant_id, turn, type, status, completed_at, step_details)
     select $1, project_id, id, thread_id, assistant_id, 1, 'message_creation', 'completed', now(), $3
     from runs where id = $2`,
    [id, run.id, JSON.stringify({ type: "message_creation", message_creation: { message_id: newId("msg_") } })],
  );
  return { id };
}
