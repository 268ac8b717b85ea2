// The Node SDK of the first months: it speaks version 1 of the API and has no helpers, so polling is done here.
import OpenAI from "openai-v4-20";
import type { Run } from "openai-v4-20/resources/beta/threads/runs/runs";
import type { ThreadMessage } from "openai-v4-20/resources/beta/threads/messages/messages";
import { calls, lookup, scripted } from "../../../support/scripts.ts";
import type { ScriptedTurn } from "../../../support/scripts.ts";
import { waitUntil } from "../../../support/wait-until.ts";
import { PATIENCE_MS } from "../../program.ts";
import type { Server } from "../../program.ts";
import { V1_MODEL } from "../../versions.ts";

export interface Sdk {
  client: OpenAI;
  server: Server;
}

export function openSdk(server: Server): Sdk {
  const { baseURL, apiKey } = server;
  return { client: new OpenAI({ baseURL, apiKey, maxRetries: 0 }), server };
}

/** Makes an assistant with one function, and a thread whose message tells the model what to say. */
export async function startConversation({ client }: Sdk, turns: ScriptedTurn[]) {
  const { assistants, threads } = client.beta;
  const { id: assistant_id } = await assistants.create({ model: V1_MODEL, tools: [lookup] });
  const { id: thread_id } = await threads.create({ messages: [{ role: "user", content: scripted(turns) }] });
  return { assistant_id, thread_id };
}

/** Starts a run and waits until it rests. Fields that these types do not know yet go in the body as well. */
export async function createAndPoll(sdk: Sdk, thread_id: string, body: { assistant_id: string }): Promise<Run> {
  return poll(sdk, await sdk.client.beta.threads.runs.create(thread_id, body));
}

const MOVING: readonly Run["status"][] = ["queued", "in_progress", "cancelling"];

/** Waits until a run rests: until it has ended, or needs outputs. */
export async function poll({ client }: Sdk, { thread_id, id }: Run): Promise<Run> {
  const look = async () => {
    const run = await client.beta.threads.runs.retrieve(thread_id, id);
    return !MOVING.includes(run.status) && run;
  };
  return waitUntil("the run rests", look, PATIENCE_MS);
}

/** A run that waits for one call. */
export async function park(sdk: Sdk) {
  const { assistant_id, thread_id } = await startConversation(sdk, [calls("a")]);
  return { assistant_id, run: await createAndPoll(sdk, thread_id, { assistant_id }) };
}

export function textOf(message: ThreadMessage | undefined): string {
  return message?.content.map((part) => (part.type === "text" ? part.text.value : `(${part.type})`)).join("") ?? "";
}
