// What most tests begin with: an assistant, and a thread whose newest message tells the scripted model what to say.
import { randomUUID } from "node:crypto";
import type { AssistantCreateParams } from "openai/resources/beta/assistants";
import type { ChatCompletionCreateParams } from "openai/resources/chat/completions";
import type { z } from "zod";
import type { RecordedRequest } from "../../model/scripted/memory.ts";
import type { Turn } from "../../model/scripted/script.ts";
import type { Stack } from "../support/stack.ts";

export type ScriptedTurn = z.input<typeof Turn>;

export interface Conversation {
  assistant_id: string;
  thread_id: string;
  /** What the model was sent for this conversation, oldest first. */
  requests: () => RecordedRequest[];
  /** The body of one of those requests; the first unless told otherwise. */
  request(index?: number): ChatCompletionCreateParams;
}

/** A function that the tests' assistants can call. */
export const WEATHER = {
  type: "function" as const,
  function: {
    name: "get_weather",
    description: "The weather in a city.",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

/** A turn that calls the function once for each city. */
export function askWeather(...cities: string[]): ScriptedTurn {
  return { tool_calls: cities.map((city) => ({ name: "get_weather", arguments: { city } })) };
}

/** Makes an assistant, which can call WEATHER unless told otherwise, and a thread with one message. */
export async function startConversation(
  { openai, model }: Pick<Stack, "openai" | "model">,
  turns: ScriptedTurn[],
  assistant: Partial<AssistantCreateParams> = { tools: [WEATHER] },
): Promise<Conversation> {
  const key = randomUUID();
  const [{ id: assistant_id }, { id: thread_id }] = await Promise.all([
    openai.beta.assistants.create({ model: "gpt-4o", ...assistant }),
    openai.beta.threads.create({ messages: [{ role: "user", content: script(turns, key) }] }),
  ]);
  const requests = () => model.requests.filter((request) => request.key === key);
  const request = (index = 0) => {
    const found = requests()[index];
    if (found === undefined) throw new Error(`the model was not asked ${index + 1} times`);
    return found.body as ChatCompletionCreateParams;
  };
  return { assistant_id, thread_id, requests, request };
}

/** The content of a user message that makes the scripted model say these turns. */
export function script(turns: ScriptedTurn[], key: string = randomUUID()): string {
  return `Hello!\n#script ${JSON.stringify({ key, turns })}`;
}
