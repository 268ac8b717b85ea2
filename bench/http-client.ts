// A client that costs next to nothing, so that on a small machine the load does not compete with what it measures.
import { Agent, request } from "node:http";
import type { IncomingMessage } from "node:http";

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

export interface Target {
  /** Base URL, including /v1. */
  url: string;
  key: string;
}

/** Sends JSON and reads JSON. Throws when the answer is not a 2xx. */
export async function call<T>(target: Target, method: "GET" | "POST", path: string, body?: unknown): Promise<T> {
  const response = await send(target, method, path, body);
  return JSON.parse(await readText(response)) as T;
}

/**
 * Posts and reads server-sent events until the server ends the answer. `onEvent` gets name and data as they were sent.
 * Returns the moment (of `performance.now()`) at which the 2xx was here.
 */
export async function stream(
  target: Target,
  path: string,
  body: unknown,
  onEvent: (event: string, data: string) => void,
): Promise<number> {
  const response = await send(target, "POST", path, body);
  const acceptedAt = performance.now();
  response.setEncoding("utf8");
  let rest = "";
  response.on("data", (chunk: string) => {
    rest += chunk;
    for (let end = rest.indexOf("\n\n"); end !== -1; end = rest.indexOf("\n\n")) {
      const frame = rest.slice(0, end);
      rest = rest.slice(end + 2);
      const data = frame.indexOf("data: ");
      if (data !== -1) onEvent(frame.startsWith("event: ") ? frame.slice(7, data - 1) : "", frame.slice(data + 6));
    }
  });
  await new Promise<void>((resolve, reject) => {
    response.once("end", resolve);
    response.once("error", reject);
  });
  return acceptedAt;
}

async function send({ url, key }: Target, method: string, path: string, body: unknown): Promise<IncomingMessage> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${key}`,
      "openai-beta": "assistants=v2",
      ...(text === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
    };
    request(`${url}${path}`, { agent, method, headers }, resolve).once("error", reject).end(text);
  });
  const { statusCode = 0 } = response;
  if (statusCode < 200 || statusCode > 299) {
    throw new Error(`${method} ${path} answered ${statusCode}: ${await readText(response)}`);
  }
  return response;
}

async function readText(response: IncomingMessage): Promise<string> {
  response.setEncoding("utf8");
  let text = "";
  for await (const chunk of response) text += chunk;
  return text;
}
