// What the rows that need no worker are tried on: the routes over a database of their own, and things to try them with.
import assert from "node:assert/strict";
import { MAX_STORE_FILES } from "../../contract/limits.ts";
import { startTestApp } from "../support/app.ts";
import { makeNamed } from "../support/named-objects.ts";
import type { Answer, Call, ErrorBody, TestApp } from "../support/app.ts";

export interface Made {
  id: string;
  [field: string]: unknown;
}

/** A message or a run. */
export interface InThread extends Made {
  thread_id: string;
}

export interface World {
  app: TestApp;
  /** Makes a request to a path under /v1. */
  call<Body = ErrorBody>(method: "GET" | "POST" | "DELETE", path: string, call?: Call): Promise<Answer<Body>>;
  /** Makes a request that has to be answered with 200, and returns the answer's body. */
  get<Body = Made>(path: string, call?: Call): Promise<Body>;
  post<Body = Made>(path: string, body?: unknown, call?: Call): Promise<Body>;
  remove<Body = Made>(path: string, call?: Call): Promise<Body>;
  /** What `make` makes the first time; the same ever after. */
  once<Value>(name: string, make: () => Promise<Value>): Promise<Value>;
}

/** Starts one. To be stopped by `app.stop()`. */
export async function startWorld(): Promise<World> {
  const app = await startTestApp();
  await app.putFiles(...fileIds(FILES_WITH_CONTENT));
  await makeNamed(app.db, { project: "alice", file_ids: fileIds(MAX_STORE_FILES), vector_store_ids: storeIds(1) });
  const kept = new Map<string, Promise<unknown>>();

  const call: World["call"] = (method, path, options) => app.call(method, `/v1${path}`, options);
  async function succeed<Body>(method: "GET" | "POST" | "DELETE", path: string, options?: Call): Promise<Body> {
    const { status, body } = await call<Body>(method, path, options);
    assert.equal(status, 200, `${method} ${path}: ${JSON.stringify(body)}`);
    return body;
  }

  return {
    app,
    call,
    get: (path, options) => succeed("GET", path, options),
    post: (path, body, options) => succeed("POST", path, { ...options, body }),
    remove: (path, options) => succeed("DELETE", path, options),
    once<Value>(name: string, make: () => Promise<Value>): Promise<Value> {
      const made = kept.get(name) ?? make();
      kept.set(name, made);
      return made as Promise<Value>;
    },
  };
}

/** A new assistant; with a model only unless told. */
export function newAssistant(world: World, body: object = {}): Promise<Made> {
  return world.post("/assistants", { model: "gpt-4o", ...body });
}

export function newThread(world: World, body: object = {}): Promise<Made> {
  return world.post("/threads", body);
}

/** A new message on a thread of its own, unless a thread is named. */
export async function newMessage(world: World, body: object = {}, thread?: string): Promise<InThread> {
  const thread_id = thread ?? (await newThread(world)).id;
  return world.post(`/threads/${thread_id}/messages`, { role: "user", content: "Hello!", ...body });
}

/** A thread that no row changes. */
export const quietThread = (world: World): Promise<Made> => world.once("quiet thread", () => newThread(world));

/** An assistant that no row changes. */
export const quietAssistant = (world: World): Promise<Made> => world.once("quiet assistant", () => newAssistant(world));

/** A queued run on a thread of its own, unless a thread is named. No worker takes it. */
export async function newRun(world: World, body: object = {}, thread?: string): Promise<InThread> {
  const thread_id = thread ?? (await newThread(world)).id;
  return world.post(`/threads/${thread_id}/runs`, { assistant_id: (await quietAssistant(world)).id, ...body });
}

/** A new vector store, empty unless told. */
export function newStore(world: World, body: object = {}): Promise<Made> {
  return world.post("/vector_stores", body);
}

/** A store that no row changes. */
export const quietStore = (world: World): Promise<Made> => world.once("quiet store", () => newStore(world));

/** What a client wrote, of the messages of a thread, oldest first. */
export async function messagesOf(world: World, threadId: string): Promise<object[]> {
  const { data } = await world.get<{ data: Made[] }>(`/threads/${threadId}/messages?order=asc&limit=100`);
  return data.map(({ role, content, attachments, metadata }) => ({ role, content, attachments, metadata }));
}

/** Files of a world whose content can be read; it has as many as a vector store holds. */
const FILES_WITH_CONTENT = 25;

/** Ids of files that a client may name: they are there. */
export function fileIds(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `file-${String(index).padStart(24, "A")}`);
}

/** The same for vector stores; there is one. */
export function storeIds(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `vs_${String(index).padStart(24, "A")}`);
}
