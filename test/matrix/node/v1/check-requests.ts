// Checks 9, 10 and 11 through version 1: errors, request ids, and what is tried again.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import OpenAI from "openai-v4-20";
import { scripted } from "../../../support/scripts.ts";
import {
  NO_BETA_HEADER,
  NO_KEY,
  RATE_LIMITED,
  REQUEST_ID,
  runsLocked,
  UNKNOWN_ASSISTANT,
  UNKNOWN_PARAMETER,
  WRONG_KEY,
} from "../../expected.ts";
import { countRequests } from "../../program.ts";
import { V1_HEADERS, V1_MODEL } from "../../versions.ts";
import { errorOf, refusalOf } from "../refusal.ts";
import { park, poll } from "./client.ts";
import type { Sdk } from "./client.ts";

const { AuthenticationError, BadRequestError, NotFoundError, RateLimitError } = OpenAI;

export async function checkErrors({ client, server }: Sdk): Promise<void> {
  const { assistants } = client.beta;
  const { baseURL, apiKey } = server;
  const nobody = new OpenAI({ baseURL, apiKey, maxRetries: 0, defaultHeaders: { Authorization: null } });
  const stranger = new OpenAI({ baseURL, apiKey: "sk-wrong", maxRetries: 0 });
  assert.partialDeepStrictEqual(await refusalOf(nobody.beta.assistants.list(), AuthenticationError), NO_KEY);
  assert.partialDeepStrictEqual(await refusalOf(stranger.beta.assistants.list(), AuthenticationError), WRONG_KEY);
  const headerless = assistants.list({}, { headers: { "OpenAI-Beta": null } });
  assert.deepEqual(await refusalOf(headerless, BadRequestError), NO_BETA_HEADER);
  assert.deepEqual(await refusalOf(assistants.retrieve("asst_unknown"), NotFoundError), UNKNOWN_ASSISTANT);
  const seeded = { model: V1_MODEL, seed: 3 };
  assert.deepEqual(await refusalOf(assistants.create(seeded), BadRequestError), UNKNOWN_PARAMETER);
}

export async function checkRequestIds({ client }: Sdk): Promise<void> {
  const { assistants } = client.beta;
  const { data, response } = await assistants.create({ model: V1_MODEL }).withResponse();
  assert.match(String(response.headers.get("x-request-id")), REQUEST_ID);

  const refusal = await errorOf(assistants.retrieve("asst_unknown"), NotFoundError);
  const { headers } = refusal as InstanceType<typeof NotFoundError>;
  assert.match(String(headers?.["x-request-id"]), REQUEST_ID);

  // Its methods cannot ask for a stream, but any path can be called.
  const thread = { messages: [{ role: "user", content: scripted([{ text: "Hello." }]) }] };
  const body = { assistant_id: data.id, thread, stream: true };
  const options = { body, stream: true as const, headers: V1_HEADERS };
  const streamed = await client.post<object, unknown>("/threads/runs", options).asResponse();
  assert.match(String(streamed.headers.get("x-request-id")), REQUEST_ID);
  assert.match(await streamed.text(), /^event: done\ndata: \[DONE\]$/m);
}

/** This generation does not know retry-after-ms, and waits as long as it thinks best. */
export async function checkRetries(sdk: Sdk): Promise<void> {
  const { server } = sdk;
  const { flakyURL: baseURL, apiKey } = server;

  const patient = randomUUID();
  const retrying = new OpenAI({ baseURL, apiKey, defaultHeaders: { "x-matrix-key": patient } });
  assert.equal((await retrying.beta.threads.create({})).object, "thread");
  assert.equal(await countRequests(server, patient), 3);

  const hasty = randomUUID();
  const once = new OpenAI({ baseURL, apiKey, maxRetries: 1, defaultHeaders: { "x-matrix-key": hasty } });
  assert.partialDeepStrictEqual(await refusalOf(once.beta.threads.create({}), RateLimitError), RATE_LIMITED);
  assert.equal(await countRequests(server, hasty), 2);

  const { assistant_id, run } = await park(sdk);
  const locked = randomUUID();
  const headers = { "x-matrix-key": locked, "x-matrix-pass": "yes" };
  const passing = new OpenAI({ baseURL, apiKey, defaultHeaders: headers });
  const second = passing.beta.threads.runs.create(run.thread_id, { assistant_id });
  assert.deepEqual(await refusalOf(second, BadRequestError), runsLocked(run));
  assert.equal(await countRequests(server, locked), 1);
  await poll(sdk, await sdk.client.beta.threads.runs.cancel(run.thread_id, run.id));
}
