// Every request about files and stores breaks between every two of its statements, once by the death of the process and
// once by the loss of its connection to Postgres. Then the client sends it again, and looks at what has become of it.
import { waitUntil } from "../../support/wait-until.ts";
import { BREAK_HEADER, COUNT_HEADER } from "../failpoints/failpoint.ts";
import type { Deed, StatementPoint } from "../failpoints/failpoint.ts";
import type { Talk } from "../faults/conversations.ts";
import { plantFile } from "../faults/planted-files.ts";
import type { PlantedFile } from "../faults/planted-files.ts";
import { talkOf } from "../faults/scenario.ts";
import type { Scenario, Stage } from "../faults/scenario.ts";
import {
  addFile,
  bodyOf,
  createStore,
  expectContent,
  expectCounts,
  expectGone,
  formOf,
  uploadFile,
} from "../faults/stored-files.ts";
import { choosePoints } from "./breaking-workers.ts";

/** They take turns in dying, so that one can be started while another one is broken. */
const APIS = 3;
/** Everything that was added waits for workers until the end. */
const END_MS = 600_000;

type Body = Record<string, unknown> & { id: string };

interface Request {
  method: "POST" | "DELETE";
  path: string;
  body?: unknown;
  /** Looks at what a request has left that was answered with 200 in the end. */
  check(body: Body): Promise<void>;
}

type Prepare = (talk: Talk, planted: PlantedFile) => Promise<Request>;

const REQUESTS: Readonly<Record<string, Prepare>> = {
  "upload a file": async (talk, planted) => ({
    method: "POST",
    path: "/files",
    body: formOf(planted),
    async check({ id }) {
      talk.client.told.files.set(id, planted.content);
      await expectContent(talk, id, planted);
    },
  }),
  "complete an upload": async (talk, { content, filename }) => {
    const body = { filename, purpose: "assistants", bytes: content.length, mime_type: "text/plain" };
    const upload = bodyOf("an upload", await talk.client.post<Body>("/uploads", body));
    const form = new FormData();
    form.set("data", new Blob([new Uint8Array(content)]), "part");
    const part = bodyOf("a part", await talk.client.upload<Body>(`/uploads/${upload.id}/parts`, form));
    return {
      method: "POST",
      path: `/uploads/${upload.id}/complete`,
      body: { part_ids: [part.id] },
      check: async (done) => void talk.client.told.files.set((done["file"] as Body).id, content),
    };
  },
  "make a store with a file": async (talk, planted) => ({
    method: "POST",
    path: "/vector_stores",
    body: { file_ids: [await uploadFile(talk, planted)] },
    check: ({ id }) => expectCounts(talk, id, { in_progress: 1 }),
  }),
  "add a file": async (talk, planted) => {
    const [file_id, store] = [await uploadFile(talk, planted), await createStore(talk)];
    return {
      method: "POST",
      path: `/vector_stores/${store}/files`,
      body: { file_id },
      check: () => expectCounts(talk, store, { in_progress: 1 }),
    };
  },
  "cancel a batch": async (talk, planted) => {
    const [file_id, store] = [await uploadFile(talk, planted), await createStore(talk)];
    const path = `/vector_stores/${store}/file_batches`;
    const batch = bodyOf("a batch", await talk.client.post<Body>(path, { file_ids: [file_id] }));
    return {
      method: "POST",
      path: `${path}/${batch.id}/cancel`,
      body: {},
      check: () => expectCounts(talk, store, { cancelled: 1 }),
    };
  },
  "attach a file": async (talk, planted) => {
    const file_id = await uploadFile(talk, planted);
    const thread = bodyOf("a thread", await talk.client.post<Body>("/threads", {}));
    return {
      method: "POST",
      path: `/threads/${thread.id}/messages`,
      body: { role: "user", content: "Look.", attachments: [{ file_id, tools: [{ type: "file_search" }] }] },
      async check() {
        const { body } = await talk.client.get<{
          tool_resources: { file_search?: { vector_store_ids: string[] } };
        }>(`/threads/${thread.id}`);
        const [store = ""] = body.tool_resources.file_search?.vector_store_ids ?? [];
        await expectCounts(talk, store, { in_progress: 1 });
      },
    };
  },
  "delete a file": async (talk, planted) => {
    const [id, store] = [await uploadFile(talk, planted), await createStore(talk)];
    await addFile(talk, store, id);
    talk.client.told.deletedFiles.add(id);
    return {
      method: "DELETE",
      path: `/files/${id}`,
      async check() {
        await expectGone(talk, `/files/${id}`);
        await expectCounts(talk, store, {});
      },
    };
  },
  "delete a store": async (talk, planted) => {
    const [id, store] = [await uploadFile(talk, planted), await createStore(talk)];
    await addFile(talk, store, id);
    const path = `/vector_stores/${store}`;
    return { method: "DELETE", path, check: () => expectGone(talk, path) };
  },
};

export const fileCrashPoints: Scenario = {
  name: "files: crash points of taking files",
  fault:
    "an API loses its connection between every two statements of eight kinds of requests; or it dies there: at a third of these points, which the seed chooses",
  world: { apis: APIS, workers: 0, fromWithin: true },
  async play(stage) {
    const replacing: Promise<void>[] = [];
    let turn = 0;
    for (const [name, prepare] of Object.entries(REQUESTS)) {
      await Promise.all(replacing);
      const points = await pointsOf(stage, prepare);
      const chosen = choosePoints(stage, points, { tasted: 1, isDeath: ({ deed }) => deed === "kill" });
      for (const point of chosen) {
        const index = turn++ % APIS;
        await replacing[index];
        const isDead = await breakOnce(stage, { name, prepare, point, index });
        if (isDead) replacing[index] = stage.world.replaceApi(index);
      }
    }
    await Promise.all(replacing);
    // For what was added: all of it is made searchable in the end.
    const { stack } = stage.world;
    await Promise.all([0, 1].map(() => stack.startWorker()));
    const onTheirWay = "select 1 from vector_store_files where status = 'in_progress' limit 1";
    await waitUntil("all files have ended", async () => (await stack.db.query(onTheirWay)).rowCount === 0, END_MS);
  },
};

/** Before each statement, during and after the last one. */
async function pointsOf(stage: Stage, prepare: Prepare): Promise<StatementPoint[]> {
  const request = await prepare(talkOf(stage, 0), plantFile(stage.random));
  const answer = await send(stage, request, { index: 0, key: stage.random.key(), breaking: "count" });
  const count = Number(answer?.headers.get(COUNT_HEADER));
  if (!(count > 0) || answer?.status !== 200) throw new Error(`${request.path}: no statement was counted`);
  await request.check((await answer.json()) as Body);
  const all = Array.from({ length: count }, (_, index) => ({ nth: index + 1, moment: "before" as const }));
  const last = (["during", "after"] as const).map((moment) => ({ nth: count, moment }));
  return (["kill", "cut"] satisfies Deed[]).flatMap((deed) => [...all, ...last].map((point) => ({ ...point, deed })));
}

interface Broken {
  name: string;
  prepare: Prepare;
  point: StatementPoint;
  index: number;
}

/** Returns whether the API is dead now. */
async function breakOnce(stage: Stage, { name, prepare, point, index }: Broken): Promise<boolean> {
  const { world, client, told } = stage;
  const request = await prepare(talkOf(stage, 0), plantFile(stage.random));
  const key = stage.random.key();
  const victim = world.stack.apis.find(({ url }) => `${url}/v1` === world.apiUrls()[index]);
  const answer = await send(stage, request, { index, key, breaking: JSON.stringify(point) });
  const where = `${name}, ${point.deed} ${point.moment} statement ${point.nth}`;
  if (answer !== undefined && answer.status < 500) {
    told.complain(`${where}: it was answered all the same`);
    return false;
  }
  told.trouble("broken on purpose");
  told.brokenUploads += 1;
  stage.struck();
  if (point.deed === "kill") await victim?.exited;
  const { path, body, method } = request;
  const repeated =
    method === "DELETE"
      ? await client.delete(path)
      : await (body instanceof FormData ? client.upload(path, body, key) : client.post(path, body, key));
  const isGone = method === "DELETE" && repeated.status === 404;
  if (repeated.status === 200 || isGone) await request.check(repeated.body as Body);
  else told.complain(`${where}: the repeat was answered ${JSON.stringify(repeated)}`);
  return point.deed === "kill";
}

/** Goes to one API: its process is the victim. Undefined when no answer came. */
async function send(
  { world }: Stage,
  { method, path, body }: Request,
  { index, key, breaking }: { index: number; key: string; breaking: string },
): Promise<Response | undefined> {
  const api = world.apiUrls()[index];
  const common = { authorization: `Bearer ${world.stack.apiKey}`, "openai-beta": "assistants=v2" };
  // A process looks a key up once in a while: now, so that the request takes as many statements each time.
  await fetch(`${api}/assistants?limit=1`, { headers: common });
  const isForm = body instanceof FormData;
  return fetch(`${api}${path}`, {
    method,
    headers: {
      ...common,
      ...(body === undefined || isForm ? {} : { "content-type": "application/json" }),
      "idempotency-key": key,
      [BREAK_HEADER]: breaking,
    },
    ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
  }).catch(() => undefined);
}
