// Requests without an SDK: for what the SDKs would never send, and for what they hide of an answer.
import type { Stack } from "../support/stack.ts";

export interface RawRequest {
  method?: string;
  /** Sent as JSON; a string is sent as it is. */
  body?: unknown;
  /** On top of the key and the beta header; null takes one away. */
  headers?: Record<string, string | null>;
}

export interface RawAnswer {
  status: number;
  headers: Headers;
  /** The body as JSON. */
  body: unknown;
}

/** Sends one request to a path under /v1 and reads the answer as JSON. Throws when it is none. */
export async function send(
  { baseURL, apiKey }: Pick<Stack, "baseURL" | "apiKey">,
  path: string,
  { method = "GET", body, headers = {} }: RawRequest = {},
): Promise<RawAnswer> {
  const all = {
    authorization: `Bearer ${apiKey}`,
    "openai-beta": "assistants=v2",
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...headers,
  };
  const kept = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null);
  const response = await fetch(`${baseURL}${path}`, {
    method,
    headers: Object.fromEntries(kept),
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}
