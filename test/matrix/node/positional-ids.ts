// Calls of generation 4: ids as positional arguments, parents first.
import type OpenAI from "openai";
import type OpenAIv4 from "openai-v4";
import type { RunStepInclude } from "openai/resources/beta/threads/runs/steps";
import { collect, QUICK } from "./client.ts";
import type { Calls, RunRef, ToolOutput } from "./client.ts";

/** The objects that come back have the shape of the newer generations; only the names of their types differ. */
export function openPositionalIds(client: OpenAI): Calls {
  const { vectorStores, beta } = client as unknown as OpenAIv4;
  const { runs, messages } = beta.threads;
  const stores = vectorStores ?? (beta as unknown as Pick<OpenAIv4, "vectorStores">).vectorStores;
  const calls = {
    client,
    stores,
    retrieve: ({ id, thread_id }: RunRef) => runs.retrieve(thread_id, id),
    cancel: ({ id, thread_id }: RunRef) => runs.cancel(thread_id, id),
    submit: ({ id, thread_id }: RunRef, tool_outputs: ToolOutput[]) =>
      runs.submitToolOutputs(thread_id, id, { tool_outputs }),
    submitAndPoll: ({ id, thread_id }: RunRef, tool_outputs: ToolOutput[]) =>
      runs.submitToolOutputsAndPoll(thread_id, id, { tool_outputs }, QUICK),
    submitStream: ({ id, thread_id }: RunRef, tool_outputs: ToolOutput[]) =>
      runs.submitToolOutputsStream(thread_id, id, { tool_outputs }),
    steps: ({ id, thread_id }: RunRef, query?: { include?: RunStepInclude[] }) =>
      collect(runs.steps.list(thread_id, id, { order: "asc", ...query })),
    deleteStoreFile: (store: string, file: string) => stores.files.del(store, file),
    message: (thread_id: string, id: string, options?: { headers: Record<string, string> }) =>
      messages.retrieve(thread_id, id, options),
    requestIdOf: (refusal: unknown) => (refusal as { request_id?: unknown }).request_id,
  };
  return calls as unknown as Calls;
}
