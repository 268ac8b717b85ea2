// Checks 9, 10 and 11: errors, request ids, and what is tried again.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { calls } from "../../support/scripts.ts";
import {
  NO_BETA_HEADER,
  NO_KEY,
  RATE_LIMITED,
  REQUEST_ID,
  runsLocked,
  UNKNOWN_ASSISTANT,
  UNKNOWN_PARAMETER,
  WRONG_KEY,
} from "../expected.ts";
import { countRequests } from "../program.ts";
import { collect, QUICK } from "./client.ts";
import type { Sdk } from "./client.ts";
import { startConversation } from "./conversation.ts";
import { errorOf, refusalOf } from "./refusal.ts";

export async function checkErrors({ client, OpenAI, server }: Sdk): Promise<void> {
  const { assistants } = client.beta;
  const { baseURL, apiKey } = server;
  const nobody = new OpenAI({ baseURL, apiKey, maxRetries: 0, defaultHeaders: { Authorization: null } });
  const stranger = new OpenAI({ baseURL, apiKey: "sk-wrong", maxRetries: 0 });
  const { AuthenticationError, BadRequestError, NotFoundError } = OpenAI;
  assert.partialDeepStrictEqual(await refusalOf(nobody.beta.assistants.list(), AuthenticationError), NO_KEY);
  assert.partialDeepStrictEqual(await refusalOf(stranger.beta.assistants.list(), AuthenticationError), WRONG_KEY);
  const headerless = assistants.list({}, { headers: { "OpenAI-Beta": null } });
  assert.deepEqual(await refusalOf(headerless, BadRequestError), NO_BETA_HEADER);
  assert.deepEqual(await refusalOf(assistants.retrieve("asst_unknown"), NotFoundError), UNKNOWN_ASSISTANT);
  const seeded = { model: "gpt-4o", seed: 3 };
  assert.deepEqual(await refusalOf(assistants.create(seeded), BadRequestError), UNKNOWN_PARAMETER);
}

export async function checkRequestIds(sdk: Sdk): Promise<void> {
  const { assistants, threads } = sdk.client.beta;
  const created = assistants.create({ model: "gpt-4o" });
  const { headers } = await created.asResponse();
  assert.match(String(headers.get("x-request-id")), REQUEST_ID);
  if (sdk.marksObjects) assert.equal((await created)._request_id, headers.get("x-request-id"));

  const refusal = await errorOf(assistants.retrieve("asst_unknown"), sdk.OpenAI.NotFoundError);
  assert.match(String(sdk.requestIdOf(refusal)), REQUEST_ID);

  const { assistant_id, thread_id } = await startConversation(sdk, [{ text: "Hello." }]);
  const { data, response } = await threads.runs.create(thread_id, { assistant_id, stream: true }).withResponse();
  assert.match(String(response.headers.get("x-request-id")), REQUEST_ID);
  assert.equal((await collect(data)).at(-1)?.event, "thread.run.completed");
}

export async function checkRetries(sdk: Sdk): Promise<void> {
  const { OpenAI, server } = sdk;
  const { flakyURL: baseURL, apiKey } = server;
  const countOf = (key: string) => countRequests(server, key);

  const patient = randomUUID();
  const retrying = new OpenAI({ baseURL, apiKey, defaultHeaders: { "x-matrix-key": patient } });
  assert.equal((await retrying.beta.threads.create({})).object, "thread");
  assert.equal(await countOf(patient), 3);

  const hasty = randomUUID();
  const once = new OpenAI({ baseURL, apiKey, maxRetries: 1, defaultHeaders: { "x-matrix-key": hasty } });
  const limited = await refusalOf(once.beta.threads.create({}), OpenAI.RateLimitError);
  assert.partialDeepStrictEqual(limited, RATE_LIMITED);
  assert.equal(await countOf(hasty), 2);

  const { assistant_id, thread_id } = await startConversation(sdk, [calls("a")]);
  const run = await sdk.client.beta.threads.runs.createAndPoll(thread_id, { assistant_id }, QUICK);
  const locked = randomUUID();
  const headers = { "x-matrix-key": locked, "x-matrix-pass": "yes" };
  const passing = new OpenAI({ baseURL, apiKey, defaultHeaders: headers });
  const second = passing.beta.threads.runs.create(thread_id, { assistant_id });
  assert.deepEqual(await refusalOf(second, OpenAI.BadRequestError), runsLocked(run));
  assert.equal(await countOf(locked), 1);
  await sdk.cancel(run);
}
