// An embedding endpoint that does what a test wants: vectors made from the words of each text, at once, or an error.
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface EmbeddingServer {
  /** With /v1. */
  url: string;
  /** Texts of the requests that were answered with vectors. */
  readonly texts: string[];
  /** Requests that came, whatever they were answered with. */
  readonly requests: number;
  /** Answers the next requests in these ways, one after the other; then as usual. */
  next(...answers: EmbeddingAnswer[]): void;
  /** Answers every request like this until told otherwise; a function is asked for each of them. Undefined: as usual. */
  always(answer: EmbeddingAnswer | (() => EmbeddingAnswer | undefined) | undefined): void;
  /** Refuses (400) whatever has this word in it, before all else. */
  refuse(word: string): void;
  stop(): Promise<void>;
}

export type EmbeddingAnswer =
  | { status: number; headers?: Record<string, string> }
  /** Answers once the promise is settled. */
  | { after: Promise<unknown> }
  /** Answers 200 with this body. */
  | { body: string }
  /** Answers with so many vectors more than texts came; fewer, when it is negative. */
  | { surplus: number }
  /** Closes the connection in the middle of its answer. */
  | { cut: true };

/** Vectors of as many dimensions as are asked for. To be stopped. */
export async function startEmbeddingServer(): Promise<EmbeddingServer> {
  const texts: string[] = [];
  const queue: EmbeddingAnswer[] = [];
  const refused: string[] = [];
  let always: Parameters<EmbeddingServer["always"]>[0];
  let requests = 0;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { input, dimensions } = JSON.parse(Buffer.concat(chunks).toString()) as {
      input: string[];
      dimensions: number;
    };
    requests += 1;
    const isRefused = refused.some((word) => input.some((text) => text.includes(word)));
    const how: EmbeddingAnswer = isRefused
      ? { status: 400 }
      : (queue.shift() ?? (typeof always === "function" ? always() : always) ?? { surplus: 0 });
    response.setHeader("content-type", "application/json");
    if ("status" in how) {
      response.writeHead(how.status, how.headers).end(JSON.stringify({ error: { message: "as the test wants" } }));
      return;
    }
    if ("body" in how) return void response.end(how.body);
    if ("after" in how) await how.after;
    const surplus = "surplus" in how ? how.surplus : 0;
    const answered = surplus > 0 ? [...input, ...input.slice(0, surplus)] : input.slice(0, input.length + surplus);
    const data = answered.map((text, index) => ({ object: "embedding", index, embedding: embed(text, dimensions) }));
    const body = JSON.stringify({
      object: "list",
      model: "scripted",
      data,
      usage: { prompt_tokens: 1, total_tokens: 1 },
    });
    if ("cut" in how) return void response.write(body.slice(0, body.length / 2), () => response.destroy());
    if (surplus === 0) texts.push(...input);
    response.end(body);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    texts,
    get requests() {
      return requests;
    },
    next: (...answers) => void queue.push(...answers),
    always: (how) => {
      always = how;
    },
    refuse: (word) => void refused.push(word),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Each word adds to a dimension of its own: texts with words in common are near to each other. */
function embed(text: string, dimensions: number): number[] {
  const vector = Array.from({ length: dimensions }, () => 0.01);
  for (const word of text.toLowerCase().match(/\w+/g) ?? []) {
    let hash = 7;
    for (const letter of word) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 1_000_003;
    vector[hash % dimensions] = (vector[hash % dimensions] ?? 0) + 1;
  }
  return vector;
}
