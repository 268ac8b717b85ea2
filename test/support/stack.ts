// The whole server for one test file: a database and a task queue of its own, and as many API and worker processes as
// wanted, over the Postgres and the Temporal server that all tests share. The model is the scripted one, over HTTP.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import pg from "pg";
import { DiskBlobs } from "../../blobs/disk-blobs.ts";
import { openLogFile } from "../../embedded/log-file.ts";
import { startNodeChild } from "../../embedded/node-child.ts";
import type { NodeChild } from "../../embedded/node-child.ts";
import { startScriptedModel } from "../../model/scripted/server.ts";
import type { ScriptedModel } from "../../model/scripted/server.ts";
import { createTestDatabase } from "./database.ts";
import { putFiles } from "./put-files.ts";

export interface StackOptions {
  /** API processes to start with; 1 unless said otherwise. */
  apis?: number;
  /** Worker processes to start with; 1 unless said otherwise. */
  workers?: number;
  /** Settings on top of those of the test. */
  settings?: Record<string, string>;
  /** Connection string of the Postgres server to make the database on; that of all tests unless said otherwise. */
  server?: string;
  /** Is given the settings of the processes and returns others, with which something is put in between. */
  reroute?: (settings: Record<string, string>) => Promise<Record<string, string>>;
}

export interface Stack {
  /** Holds the logs of all processes until the stack is stopped. */
  folder: string;
  databaseUrl: string;
  taskQueue: string;
  /** The key of the stack's first project. */
  apiKey: string;
  /** For looking at rows; the product is used through `openai`. */
  db: pg.Pool;
  model: ScriptedModel;
  apis: NodeChild[];
  workers: NodeChild[];
  /** Base URL, with /v1, of the first API process that was not killed. */
  readonly baseURL: string;
  /** The official client. Its retries are off, so that each failure is seen. */
  readonly openai: OpenAI;
  /** Makes files of the stack's project under these ids. */
  putFiles(...ids: string[]): Promise<void>;
  /** Starts one more API process; with `port`, where another one was before. */
  startApi(port?: number, settings?: Record<string, string>): Promise<NodeChild>;
  startWorker(settings?: Record<string, string>): Promise<NodeChild>;
  /** Ends everything and removes the database. */
  stop(): Promise<void>;
}

const STOP_TIMEOUT_MS = 30_000;

/** For `reroute`: the scripted model makes the vectors of texts, too. */
export async function embedByModel(settings: Record<string, string>): Promise<Record<string, string>> {
  return { ...settings, EMBEDDINGS_BASE_URL: settings["OPENAI_BASE_URL"] ?? "" };
}

/** Starts a stack. To be stopped in `after`. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const { apis = 1, workers = 1, settings = {}, server, reroute = async (given) => given } = options;
  const folder = mkdtempSync(join(tmpdir(), "durable-assistants-stack-"));
  const database = await createTestDatabase(server);
  const model = await startScriptedModel({ host: "127.0.0.1", port: 0 });
  const taskQueue = `test-${randomBytes(6).toString("hex")}`;
  const apiKey = `sk-test-${randomBytes(16).toString("hex")}`;
  const environment = await reroute({
    DATABASE_URL: database.url,
    TEMPORAL_TASK_QUEUE: taskQueue,
    OPENAI_BASE_URL: model.url,
    OPENAI_API_KEY: "scripted",
    BOOTSTRAP_API_KEY: apiKey,
    HOST: "127.0.0.1",
    LOG_LEVEL: "warn",
    CHECK_ANSWERS: "true",
    BLOB_DIR: join(folder, "blobs"),
    CODE_INTERPRETER: "none", // codeSettings() has it work
    ...settings,
  });
  const db = new pg.Pool({ connectionString: database.url, max: 4 });
  db.on("error", () => undefined);
  let logs = 0;

  async function start(part: "api" | "worker", extra: Record<string, string>): Promise<NodeChild> {
    logs += 1;
    return startNodeChild({
      part,
      script: `${part}/main.ts`,
      settings: { ...environment, ...extra },
      dataDir: folder,
      log: openLogFile(join(folder, `${part}-${logs}.log`)),
      stopTimeoutMs: STOP_TIMEOUT_MS,
    });
  }

  const stack: Stack = {
    folder,
    databaseUrl: database.url,
    taskQueue,
    apiKey,
    db,
    model,
    apis: [],
    workers: [],
    get baseURL() {
      const url = stack.apis[0]?.url;
      if (url === undefined) throw new Error("no API process is running");
      return `${url}/v1`;
    },
    get openai() {
      return new OpenAI({ baseURL: stack.baseURL, apiKey, maxRetries: 0 });
    },
    async putFiles(...ids) {
      const { rows } = await db.query<{ id: string }>("select id from projects where name = 'default'");
      await putFiles(db, new DiskBlobs(environment["BLOB_DIR"] ?? ""), { project_id: rows[0]?.id ?? "", ids });
    },
    async startApi(port = 0, settings = {}) {
      const api = await start("api", { ...settings, PORT: String(port) });
      stack.apis.push(api);
      void api.exited.then(() => remove(stack.apis, api));
      return api;
    },
    async startWorker(settings = {}) {
      const worker = await start("worker", settings);
      stack.workers.push(worker);
      void worker.exited.then(() => remove(stack.workers, worker));
      return worker;
    },
    async stop() {
      await Promise.all([...stack.apis, ...stack.workers].map((child) => child.stop()));
      await model.stop();
      await db.end();
      await database.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await Promise.all([
    ...Array.from({ length: apis }, () => stack.startApi()),
    ...Array.from({ length: workers }, () => stack.startWorker()),
  ]);
  return stack;
}

function remove<T>(items: T[], item: T): void {
  const index = items.indexOf(item);
  if (index !== -1) items.splice(index, 1);
}
