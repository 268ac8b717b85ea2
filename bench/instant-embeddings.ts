// An embedding endpoint that costs next to nothing: every text gets the same vector, which was written out beforehand.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface InstantEmbeddings {
  /** With /v1. */
  url: string;
  stop(): Promise<void>;
}

/** Vectors of 256 dimensions, as numbers or in base64, as asked for. */
export async function startInstantEmbeddings(): Promise<InstantEmbeddings> {
  const numbers = Float32Array.from({ length: 256 }, (_, place) => Math.sin(place + 1) / 12);
  const vectors = {
    float: JSON.stringify([...numbers]),
    base64: `"${Buffer.from(numbers.buffer).toString("base64")}"`,
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { input, encoding_format: format = "float" } = JSON.parse(Buffer.concat(chunks).toString()) as {
      input: string[];
      encoding_format?: "float" | "base64";
    };
    const data = input.map((_, index) => `{"object":"embedding","index":${index},"embedding":${vectors[format]}}`);
    response.setHeader("content-type", "application/json");
    response.end(
      `{"object":"list","model":"m","data":[${data.join(",")}],"usage":{"prompt_tokens":1,"total_tokens":1}}`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
