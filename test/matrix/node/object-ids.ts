// Calls of generations 5, 6 and 7: the object's own id first, the ids of its parents in an object.
import type OpenAI from "openai";
import { collect, QUICK } from "./client.ts";
import type { Calls } from "./client.ts";

export function openObjectIds(client: OpenAI): Calls {
  const { runs, messages } = client.beta.threads;
  return {
    client,
    stores: client.vectorStores,
    retrieve: ({ id, thread_id }) => runs.retrieve(id, { thread_id }),
    cancel: ({ id, thread_id }) => runs.cancel(id, { thread_id }),
    submit: ({ id, thread_id }, tool_outputs) => runs.submitToolOutputs(id, { thread_id, tool_outputs }),
    submitAndPoll: ({ id, thread_id }, tool_outputs) =>
      runs.submitToolOutputsAndPoll(id, { thread_id, tool_outputs }, QUICK),
    submitStream: ({ id, thread_id }, tool_outputs) => runs.submitToolOutputsStream(id, { thread_id, tool_outputs }),
    steps: ({ id, thread_id }, query) => collect(runs.steps.list(id, { thread_id, order: "asc", ...query })),
    deleteStoreFile: (store, file) => client.vectorStores.files.delete(file, { vector_store_id: store }),
    message: (thread_id, id, options) => messages.retrieve(id, { thread_id }, options),
    requestIdOf: (refusal) => (refusal as { requestID?: unknown }).requestID,
  };
}
