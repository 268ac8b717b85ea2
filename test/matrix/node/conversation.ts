// What most checks begin with.
import { lookup, scripted } from "../../support/scripts.ts";
import type { ScriptedTurn } from "../../support/scripts.ts";
import type { Sdk } from "./client.ts";

/** Makes an assistant with one function, and a thread whose message tells the model what to say. */
export async function startConversation({ client }: Pick<Sdk, "client">, turns: ScriptedTurn[]) {
  const { assistants, threads } = client.beta;
  const { id: assistant_id } = await assistants.create({ model: "gpt-4o", tools: [lookup] });
  const { id: thread_id } = await threads.create({ messages: [{ role: "user", content: scripted(turns) }] });
  return { assistant_id, thread_id };
}
