// Checks 9, 10 and 11: errors, request ids, and what is tried again.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { calls, scripted } from "../../support/scripts.ts";
import { readEvents } from "../../support/sse.ts";
import { NO_BETA_HEADER, NO_KEY, REQUEST_ID, UNKNOWN_ASSISTANT, UNKNOWN_PARAMETER, WRONG_KEY } from "../expected.ts";
import { countRequests } from "../program.ts";
import type { Server } from "../program.ts";
import { curl, curlJson, curlWithRetries } from "./curl.ts";
import { createAndPoll, post, startConversation } from "./objects.ts";
import { refusalOf } from "./refusal.ts";

export async function checkErrors(server: Server): Promise<void> {
  const path = "/assistants";
  const refuse = (headers: Record<string, string | null>) => refusalOf(server, path, { headers });
  assert.partialDeepStrictEqual(await refuse({ Authorization: null }), NO_KEY);
  assert.partialDeepStrictEqual(await refuse({ Authorization: "Bearer sk-wrong" }), WRONG_KEY);
  assert.deepEqual(await refuse({ "OpenAI-Beta": null }), NO_BETA_HEADER);
  assert.deepEqual(await refusalOf(server, `${path}/asst_unknown`), UNKNOWN_ASSISTANT);
  assert.deepEqual(await refusalOf(server, path, post({ model: "gpt-4o", seed: 3 })), UNKNOWN_PARAMETER);
}

export async function checkRequestIds(server: Server): Promise<void> {
  const assistant = await curl(server, "/assistants", post({ model: "gpt-4o" }));
  const refused = await curl(server, "/assistants/asst_unknown");
  const { id: assistant_id } = (await assistant.json()) as { id: string };
  const thread = { messages: [{ role: "user", content: scripted([{ text: "Hello." }]) }] };
  const stream = await curl(server, "/threads/runs", post({ assistant_id, thread, stream: true }));
  const ids = [assistant, refused, stream].map(({ headers }) => headers.get("x-request-id") ?? "");
  for (const id of ids) assert.match(id, REQUEST_ID);
  assert.equal(new Set(ids).size, ids.length);
  let last = "";
  for await (const { event } of readEvents(stream)) last = event;
  assert.equal(last, "done");
}

/** curl does not know retry-after-ms, and waits as long as it thinks best. */
export async function checkRetries(server: Server): Promise<void> {
  const patient = randomUUID();
  assert.ok(await curlWithRetries(server, "/threads", { ...post({}), headers: { "x-matrix-key": patient } }));
  assert.equal(await countRequests(server, patient), 3);

  const { assistant_id, thread_id } = await startConversation(server, [calls("a")]);
  const run = await createAndPoll(server, thread_id, { assistant_id });
  const locked = randomUUID();
  const headers = { "x-matrix-key": locked, "x-matrix-pass": "yes" };
  const path = `/threads/${thread_id}/runs`;
  assert.ok(!(await curlWithRetries(server, path, { ...post({ assistant_id }), headers })));
  assert.equal(await countRequests(server, locked), 1);
  await curlJson(server, `${path}/${run.id}/cancel`, { method: "POST" });
}
