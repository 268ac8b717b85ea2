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
  /** Answers every request like this until told otherwise. Undefined: as usual. */
  always(answer: EmbeddingAnswer | undefined): void;
  stop(): Promise<void>;
}

export type EmbeddingAnswer =
  | { status: number; headers?: Record<string, string> }
  /** Answers once the promise is settled. */
  | { after: Promise<unknown> };

/** Vectors of as many dimensions as are asked for. To be stopped. */
export async function startEmbeddingServer(): Promise<EmbeddingServer> {
  const texts: string[] = [];
  const queue: EmbeddingAnswer[] = [];
  let always: EmbeddingAnswer | undefined;
  let requests = 0;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { input, dimensions } = JSON.parse(Buffer.concat(chunks).toString()) as {
      input: string[];
      dimensions: number;
    };
    requests += 1;
    const how = queue.shift() ?? always;
    response.setHeader("content-type", "application/json");
    if (how !== undefined && "status" in how) {
      response.writeHead(how.status, how.headers).end(JSON.stringify({ error: { message: "as the test wants" } }));
      return;
    }
    if (how !== undefined) await how.after;
    texts.push(...input);
    const data = input.map((text, index) => ({ object: "embedding", index, embedding: embed(text, dimensions) }));
    response.end(
      JSON.stringify({ object: "list", model: "scripted", data, usage: { prompt_tokens: 1, total_tokens: 1 } }),
    );
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
