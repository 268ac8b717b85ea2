// The official Node SDK in two generations behind one face: since version 5 the ids of parents go into an object.
import OpenAI from "openai";
import type { AssistantStream } from "openai/lib/AssistantStream";
import type { AssistantStreamEvent } from "openai/resources/beta/assistants";
import type { Message } from "openai/resources/beta/threads/messages";
import type { Run, RunSubmitToolOutputsParams } from "openai/resources/beta/threads/runs/runs";
import type { RunStep } from "openai/resources/beta/threads/runs/steps";
import OpenAIv4 from "openai-v4";
import type { Stack } from "../support/stack.ts";

export const GENERATIONS = ["openai 7", "openai 4"] as const;
export type Generation = (typeof GENERATIONS)[number];

/** How often the SDK's pollers look, so that tests do not wait as long as the server asks them to. */
export const QUICK = { pollIntervalMs: 50 };

export type RunRef = Pick<Run, "id" | "thread_id">;
export type ToolOutput = RunSubmitToolOutputsParams.ToolOutput;

export interface Sdk {
  /** For everything that both generations call alike: whatever takes at most a thread's id in front of its body. */
  client: OpenAI;
  retrieve(run: RunRef): Promise<Run>;
  update(run: RunRef, body: { metadata: Record<string, string> | null }): Promise<Run>;
  cancel(run: RunRef): Promise<Run>;
  poll(run: RunRef): Promise<Run>;
  submit(run: RunRef, tool_outputs: ToolOutput[]): Promise<Run>;
  submitAndPoll(run: RunRef, tool_outputs: ToolOutput[]): Promise<Run>;
  /** Submits with `stream: true`, without the helper around it. */
  submitRaw(run: RunRef, tool_outputs: ToolOutput[]): Promise<AsyncIterable<AssistantStreamEvent>>;
  submitStream(run: RunRef, tool_outputs: ToolOutput[]): AssistantStream;
  steps(run: RunRef, query?: { limit?: number; order?: "asc" | "desc" }): Promise<RunStep[]>;
  step(run: RunRef, id: string): Promise<RunStep>;
  message(thread_id: string, id: string): Promise<Message>;
}

/** Opens the SDK of a generation on a stack, without retries of its own. */
export function openSdk(
  stack: Pick<Stack, "baseURL" | "apiKey">,
  generation: Generation,
  { fetch: send, ...options }: { maxRetries?: number; fetch?: typeof fetch } = {},
): Sdk {
  const settings = { baseURL: stack.baseURL, apiKey: stack.apiKey, maxRetries: 0, ...options };
  if (generation === "openai 7") return openNewest(new OpenAI({ ...settings, fetch: send }));
  // Version 4 names the types of another `fetch`.
  return openV4(new OpenAIv4({ ...settings, fetch: send as never }));
}

function openNewest(client: OpenAI): Sdk {
  const { runs, messages } = client.beta.threads;
  return {
    client,
    retrieve: ({ id, thread_id }) => runs.retrieve(id, { thread_id }),
    update: ({ id, thread_id }, body) => runs.update(id, { thread_id, ...body }),
    cancel: ({ id, thread_id }) => runs.cancel(id, { thread_id }),
    poll: ({ id, thread_id }) => runs.poll(id, { thread_id }, QUICK),
    submit: ({ id, thread_id }, tool_outputs) => runs.submitToolOutputs(id, { thread_id, tool_outputs }),
    submitAndPoll: ({ id, thread_id }, tool_outputs) =>
      runs.submitToolOutputsAndPoll(id, { thread_id, tool_outputs }, QUICK),
    submitRaw: ({ id, thread_id }, tool_outputs) =>
      runs.submitToolOutputs(id, { thread_id, tool_outputs, stream: true }),
    submitStream: ({ id, thread_id }, tool_outputs) => runs.submitToolOutputsStream(id, { thread_id, tool_outputs }),
    steps: async ({ id, thread_id }, query = {}) => collect(runs.steps.list(id, { thread_id, order: "asc", ...query })),
    step: ({ id, thread_id }, step) => runs.steps.retrieve(step, { thread_id, run_id: id }),
    message: (thread_id, id) => messages.retrieve(id, { thread_id }),
  };
}

/** All items of an iteration, pages included. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** What comes back has the same shape in both generations; only the names of the types differ. */
function openV4(client: OpenAIv4): Sdk {
  const { runs, messages } = client.beta.threads;
  const asked = {
    client,
    retrieve: ({ id, thread_id }: RunRef) => runs.retrieve(thread_id, id),
    update: ({ id, thread_id }: RunRef, body: { metadata: Record<string, string> | null }) =>
      runs.update(thread_id, id, body),
    cancel: ({ id, thread_id }: RunRef) => runs.cancel(thread_id, id),
    poll: ({ id, thread_id }: RunRef) => runs.poll(thread_id, id, QUICK),
    submit: ({ id, thread_id }: RunRef, tool_outputs: ToolOutput[]) =>
      runs.submitToolOutputs(thread_id, id, { tool_outputs }),
    submitAndPoll: ({ id, thread_id }: RunRef, tool_outputs: ToolOutput[]) =>
      runs.submitToolOutputsAndPoll(thread_id, id, { tool_outputs }, QUICK),
    submitRaw: ({ id, thread_id }: RunRef, tool_outputs: ToolOutput[]) =>
      runs.submitToolOutputs(thread_id, id, { tool_outputs, stream: true }),
    submitStream: ({ id, thread_id }: RunRef, tool_outputs: ToolOutput[]) =>
      runs.submitToolOutputsStream(thread_id, id, { tool_outputs }),
    steps: async ({ id, thread_id }: RunRef, query: { limit?: number; order?: "asc" | "desc" } = {}) =>
      collect(runs.steps.list(thread_id, id, { order: "asc", ...query })),
    step: ({ id, thread_id }: RunRef, step: string) => runs.steps.retrieve(thread_id, id, step),
    message: (thread_id: string, id: string) => messages.retrieve(thread_id, id),
  };
  return asked as unknown as Sdk;
}
