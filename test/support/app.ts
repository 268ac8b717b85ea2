// The HTTP surface over a database of its own, without a port and without Temporal: for tests of routes.
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RouteOptions } from "fastify";
import { pino } from "pino";
import { createApp } from "../../api/app.ts";
import type { Blobs } from "../../blobs/blobs.ts";
import { DiskBlobs } from "../../blobs/disk-blobs.ts";
import { ensureApiKey } from "../../db/api-keys.ts";
import { EventReader } from "../../db/event-reader.ts";
import { createPool } from "../../db/pool.ts";
import type { Pool } from "../../db/pool.ts";
import { searchChunks } from "../../db/search.ts";
import { createPassageFinder } from "../../tools/find-passages.ts";
import { createTestDatabase } from "./database.ts";
import { FORM_TYPE, fileForm } from "./forms.ts";
import { putFiles } from "./put-files.ts";

type Method = "GET" | "POST" | "DELETE" | "OPTIONS";

export interface Call {
  /** Sent as JSON; a string and bytes are sent as they are. */
  body?: unknown;
  /** Whose key: `alice` unless said otherwise. The two share nothing. */
  as?: "alice" | "bob";
  /** On top of the key, the beta header and the content type; undefined takes one away. */
  headers?: Record<string, string | undefined>;
}

export interface Answer<Body> {
  status: number;
  headers: Record<string, unknown>;
  /** Undefined when the answer is not JSON. */
  body: Body;
  /** The body as it goes over the wire. */
  text: string;
}

export interface ErrorBody {
  error: { message: string; type: string; param: string | null; code: string | null };
}

export interface List<Item> {
  object: "list";
  data: Item[];
  first_id: string | null;
  last_id: string | null;
  has_more: boolean;
}

export interface TestApp {
  db: Pool;
  /** Makes a request. What is expected to come back is the caller's word; without one, an error. */
  call<Body = ErrorBody>(method: Method, path: string, call?: Call): Promise<Answer<Body>>;
  /** The text of a page. Fails when it is not there. */
  text(path: string): Promise<string>;
  /** Every route, with the version of the API that it is limited to. */
  readonly routes: { method: string; url: string; version: string | undefined }[];
  /** Where the contents of files are. */
  blobs: Blobs;
  /** Uploads a file for assistants and returns its id. */
  addFile(file?: { as?: "alice" | "bob"; filename?: string; content?: string; purpose?: string }): Promise<string>;
  /** Makes files of Alice's under these ids. */
  putFiles(...ids: string[]): Promise<void>;
  /** What the workflows were asked for, for example `start run_…`. */
  nudges: string[];
  /** Listens on a port of 127.0.0.1, for requests that `inject` cannot make. */
  listen(): Promise<number>;
  /** The API key of one of the two. */
  keyOf(name: "alice" | "bob"): string;
  /** Blobs that are being written, or were when their writer died. */
  unfinishedBlobs(): number;
  stop(): Promise<void>;
}

/** Starts the app. To be stopped in `after`. */
export async function startTestApp(options: { blobFolder?: string } = {}): Promise<TestApp> {
  const database = await createTestDatabase();
  const db = createPool({ url: database.url, max: 10, name: "test", onError: () => undefined });
  for (const name of ["alice", "bob"]) await ensureApiKey(db, { key: keyOf(name), name, projectName: name });
  const folder = mkdtempSync(join(tmpdir(), "durable-assistants-blobs-"));
  const blobs = new DiskBlobs(options.blobFolder ?? folder);
  let port: number | undefined;
  const nudges: string[] = [];
  const routes: RouteOptions[] = [];
  const app = createApp({
    db,
    log: pino({ level: "silent" }),
    blobs,
    files: { allowDownloads: false },
    runs: { expiresAfterSeconds: 600 },
    workflows: {
      start: (run) => void nudges.push(`start ${run.id}`),
      wake: (run) => void nudges.push(`wake ${run.id}`),
      cancel: (runId) => void nudges.push(`cancel ${runId}`),
    },
    ingests: {
      look: () => void nudges.push("look at files"),
      cancel: (files) => void nudges.push(...files.map(({ file_id }) => `cancel ${file_id}`)),
    },
    findPassages: createPassageFinder({
      search: (scope, search) => searchChunks(db, scope, search),
      embedder: undefined,
      reranker: undefined,
      onDegraded: () => undefined,
    }),
    rewriteQueries: async (queries) => [...queries],
    events: new EventReader({ url: database.url, pool: db, onError: () => undefined }),
    checkAnswers: true,
  });

  app.addHook("onRoute", (route) => void routes.push(route));

  async function call<Body>(method: Method, path: string, options: Call = {}): Promise<Answer<Body>> {
    const { body, as = "alice", headers = {} } = options;
    const sent = {
      authorization: `Bearer ${keyOf(as)}`,
      "openai-beta": "assistants=v2",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    };
    const answer = await app.inject({
      method,
      url: path,
      headers: Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== undefined)),
      ...(body === undefined
        ? {}
        : { payload: typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body) }),
    });
    const isJson = String(answer.headers["content-type"]).startsWith("application/json");
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: (isJson ? JSON.parse(answer.payload) : undefined) as Body,
      text: answer.payload,
    };
  }

  return {
    db,
    blobs,
    nudges,
    get routes() {
      return routes.map(({ method, url, constraints }) => {
        const version = constraints?.["version"] as string | undefined;
        return { method: String(method), url, version };
      });
    },
    call,
    async putFiles(...ids) {
      const { rows } = await db.query<{ id: string }>("select id from projects where name = 'alice'");
      await putFiles(db, blobs, { project_id: rows[0]?.id ?? "", ids });
    },
    async addFile({ as = "alice", filename, content = "Some words.", purpose = "assistants" } = {}) {
      const body = fileForm(content, { purpose }, filename);
      const headers = { "content-type": FORM_TYPE };
      const answer = await call<{ id: string }>("POST", "/v1/files", { as, body, headers });
      if (answer.status !== 200) throw new Error(answer.text);
      return answer.body.id;
    },
    async text(path) {
      const { statusCode, payload } = await app.inject({ method: "GET", url: path });
      if (statusCode !== 200) throw new Error(`GET ${path} answers ${statusCode}`);
      return payload;
    },
    async listen() {
      port ??= Number(new URL(await app.listen({ host: "127.0.0.1", port: 0 })).port);
      return port;
    },
    keyOf,
    unfinishedBlobs: () =>
      existsSync(join(folder, "unfinished")) ? readdirSync(join(folder, "unfinished")).length : 0,
    async stop() {
      await app.close();
      await db.end();
      await database.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function keyOf(name: string): string {
  return `sk-test-${name}-0123456789`;
}
