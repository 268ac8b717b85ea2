// The HTTP surface over a database of its own, without a port and without Temporal: for tests of routes.
import type { RouteOptions } from "fastify";
import { pino } from "pino";
import { createApp } from "../../api/app.ts";
import { ensureApiKey } from "../../db/api-keys.ts";
import { EventReader } from "../../db/event-reader.ts";
import { createPool } from "../../db/pool.ts";
import type { Pool } from "../../db/pool.ts";
import { createTestDatabase } from "./database.ts";

type Method = "GET" | "POST" | "DELETE" | "OPTIONS";

export interface Call {
  /** Sent as JSON; a string is sent as it is. */
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
  /** What the workflows were asked for, for example `start run_…`. */
  nudges: string[];
  stop(): Promise<void>;
}

/** Starts the app. To be stopped in `after`. */
export async function startTestApp(): Promise<TestApp> {
  const database = await createTestDatabase();
  const db = createPool({ url: database.url, max: 10, name: "test", onError: () => undefined });
  for (const name of ["alice", "bob"]) await ensureApiKey(db, { key: keyOf(name), name, projectName: name });
  const nudges: string[] = [];
  const routes: RouteOptions[] = [];
  const app = createApp({
    db,
    log: pino({ level: "silent" }),
    runs: { expiresAfterSeconds: 600 },
    workflows: {
      start: (run) => void nudges.push(`start ${run.id}`),
      wake: (run) => void nudges.push(`wake ${run.id}`),
      cancel: (runId) => void nudges.push(`cancel ${runId}`),
    },
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
      ...(body === undefined ? {} : { payload: typeof body === "string" ? body : JSON.stringify(body) }),
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
    nudges,
    get routes() {
      return routes.map(({ method, url, constraints }) => {
        const version = constraints?.["version"] as string | undefined;
        return { method: String(method), url, version };
      });
    },
    call,
    async text(path) {
      const { statusCode, payload } = await app.inject({ method: "GET", url: path });
      if (statusCode !== 200) throw new Error(`GET ${path} answers ${statusCode}`);
      return payload;
    },
    async stop() {
      await app.close();
      await db.end();
      await database.drop();
    },
  };
}

function keyOf(name: string): string {
  return `sk-test-${name}-0123456789`;
}
