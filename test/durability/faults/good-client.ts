// A client as the docs ask for: it sends every POST with an Idempotency-Key and sends it again until it is answered, by
// whichever API process there is, and it joins a stream that broke off again from where it was.
import { setTimeout as sleep } from "node:timers/promises";
import OpenAI from "openai";
import type { ReceivedEvent } from "../../../audit/received-stream.ts";
import { readEvents } from "../../support/sse.ts";
import type { SentEvent } from "../../support/sse.ts";
import type { Random } from "./random.ts";
import type { Told } from "./told.ts";

/** An answer that takes longer is not waited for: the connection hangs. */
const ANSWER_MS = 10_000;
/** A stream that lasts longer is left and joined again. */
const STREAM_MS = 30_000;
const PAUSE_MS = 150;

export interface Answer<Body> {
  status: number;
  body: Body;
}

export interface ErrorBody {
  error: { message: string; code: string | null };
}

/** Nobody answered for as long as this client was willing to ask. */
export class Unanswered extends Error {
  override name = "Unanswered";
}

export interface GoodClientOptions {
  /** Base URLs, with /v1, of the API processes, some of which may be down. */
  apis: () => readonly string[];
  apiKey: string;
  told: Told;
  random: Random;
  /** How long one request is tried. */
  patienceMs: number;
}

interface Ask {
  method: "GET" | "POST" | "DELETE";
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
}

export class GoodClient {
  readonly #options: GoodClientOptions;

  constructor(options: GoodClientOptions) {
    this.#options = options;
  }

  get told(): Told {
    return this.#options.told;
  }

  /** The same client with choices of its own, which do not depend on what others do meanwhile. */
  with(random: Random): GoodClient {
    return new GoodClient({ ...this.#options, random });
  }

  get<Body>(path: string): Promise<Answer<Body>> {
    return this.#untilAnswered({ method: "GET", path });
  }

  /** A key of the caller's own makes two calls the same request. */
  post<Body>(path: string, body: unknown, key: string = this.#options.random.key()): Promise<Answer<Body>> {
    return this.#untilAnswered({ method: "POST", path, body, headers: { "idempotency-key": key } });
  }

  /** Posts a multipart form. */
  upload<Body>(path: string, form: FormData, key: string = this.#options.random.key()): Promise<Answer<Body>> {
    return this.#untilAnswered({ method: "POST", path, body: form, headers: { "idempotency-key": key } });
  }

  /** The bytes of an answer; undefined when there is none such. */
  async download(path: string): Promise<Buffer | undefined> {
    const endsAt = Date.now() + this.#options.patienceMs;
    for (;;) {
      const response = await this.#untilResponse({ method: "GET", path }, endsAt, ANSWER_MS);
      if (response.status !== 200) return undefined;
      try {
        return Buffer.from(await response.arrayBuffer());
      } catch {
        this.told.trouble("answer broke off");
      }
    }
  }

  delete(path: string): Promise<Answer<unknown>> {
    return this.#untilAnswered({ method: "DELETE", path });
  }

  /**
   * Posts with `stream` and reads to where the run rests, over as many connections as it takes.
   * Returns every event in its order, each once; undefined with the answer when the request was refused.
   */
  async stream(path: string, body: object): Promise<{ events: SentEvent[] } | { refused: Answer<ErrorBody> }> {
    const ask: Ask = {
      method: "POST",
      path,
      body: { ...body, stream: true },
      headers: { "idempotency-key": this.#options.random.key() },
    };
    const endsAt = Date.now() + this.#options.patienceMs;
    for (;;) {
      const response = await this.#untilResponse(ask, endsAt, STREAM_MS);
      if (response.status !== 200) return { refused: await toAnswer(response) };
      const { events, isDone } = await this.#read(response);
      if (isDone) return { events };
      const run = events.find(({ event }) => /^thread\.run\.[a-z_]+$/.test(event))?.data as Rejoinable | undefined;
      // Positions come with rejoined streams only, so the first one begins at the beginning again.
      if (run !== undefined) return { events: await this.rejoin(run, 0) };
    }
  }

  /** Reads the events of a run behind a position, to where it rests. */
  async rejoin(run: Rejoinable, after: number): Promise<SentEvent[]> {
    const events: SentEvent[] = [];
    const endsAt = Date.now() + this.#options.patienceMs;
    let position = after;
    for (;;) {
      const path = `/threads/${run.thread_id}/runs/${run.id}/events`;
      const headers: Record<string, string> = position === 0 ? {} : { "last-event-id": String(position) };
      const response = await this.#untilResponse({ method: "GET", path, headers }, endsAt, STREAM_MS);
      if (response.status !== 200) {
        this.told.complain(`${run.id} cannot be joined again: ${response.status} ${await response.text()}`);
        return events;
      }
      const read = await this.#read(response);
      for (const event of read.events) {
        if (event.id === undefined) continue;
        if (event.id <= position) this.told.complain(`${run.id}: position ${event.id} came behind ${position}`);
        position = event.id;
        events.push(event);
      }
      if (read.isDone) return events;
    }
  }

  /** The official SDK, which goes through the same processes and makes its own retries, with keys. */
  sdk(): OpenAI {
    const client = new OpenAI({
      apiKey: this.#options.apiKey,
      baseURL: "http://durable-assistants.invalid/v1",
      maxRetries: 30,
      timeout: ANSWER_MS,
      fetch: async (url, init) => {
        const path = String(url instanceof Request ? url.url : url).replace("http://durable-assistants.invalid/v1", "");
        return fetch(`${this.#options.random.pick(this.#options.apis())}${path}`, init as RequestInit);
      },
    });
    return Object.assign(client, { idempotencyHeader: "Idempotency-Key" });
  }

  async #untilAnswered<Body>(ask: Ask): Promise<Answer<Body>> {
    const endsAt = Date.now() + this.#options.patienceMs;
    for (;;) {
      const response = await this.#untilResponse(ask, endsAt, ANSWER_MS);
      try {
        return await toAnswer<Body>(response);
      } catch {
        this.told.trouble("answer broke off");
      }
    }
  }

  /** Asks until something other than a 5xx comes. Throws `Unanswered`. */
  async #untilResponse(ask: Ask, endsAt: number, longestMs: number): Promise<Response> {
    for (;;) {
      const response = await this.#ask(ask, longestMs);
      if (response !== undefined && response.status < 500) return response;
      await response?.body?.cancel().catch(() => undefined);
      this.told.trouble(response === undefined ? "no answer" : String(response.status));
      if (ask.method !== "GET" && /^\/(files|uploads)/.test(ask.path)) this.told.brokenUploads += 1;
      if (Date.now() > endsAt) throw new Unanswered(`${ask.method} ${ask.path} was not answered`);
      await sleep(PAUSE_MS + this.#options.random.int(0, PAUSE_MS));
    }
  }

  /** Undefined when no answer came. */
  async #ask({ method, path, body, headers }: Ask, longestMs: number): Promise<Response | undefined> {
    try {
      const response = await fetch(`${this.#options.random.pick(this.#options.apis())}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${this.#options.apiKey}`,
          "openai-beta": "assistants=v2",
          ...(body === undefined || body instanceof FormData ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }),
        signal: AbortSignal.timeout(longestMs),
      });
      return response;
    } catch {
      return undefined;
    }
  }

  /** Reads one connection to its end, however it ends, and keeps the record of it. */
  async #read(response: Response): Promise<{ events: SentEvent[]; isDone: boolean }> {
    const events: SentEvent[] = [];
    const record: ReceivedEvent[] = [];
    let isDone = false;
    try {
      for await (const event of readEvents(response)) {
        record.push(event);
        if (event.event === "done") isDone = true;
        else if (event.event !== "error") events.push(event);
      }
    } catch {
      this.told.trouble("stream broke off");
    }
    const runId = events.map(runIdOf).find((id) => id !== undefined);
    if (runId !== undefined) this.told.stream(runId, record);
    return { events, isDone };
  }
}

export interface Rejoinable {
  id: string;
  thread_id: string;
}

function runIdOf({ event, data }: SentEvent): string | undefined {
  const { id, run_id } = data as { id?: string; run_id?: string };
  return event.startsWith("thread.run.") && !event.startsWith("thread.run.step") ? id : (run_id ?? undefined);
}

async function toAnswer<Body>(response: Response): Promise<Answer<Body>> {
  return { status: response.status, body: (await response.json()) as Body };
}
