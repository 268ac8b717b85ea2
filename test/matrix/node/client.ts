// The Node SDK of any generation that speaks version 2 of the API, behind one face. Most calls are the same in all of
// them and go to `client` as they are. The rest differs in the place of the ids, and in names.
import type OpenAI from "openai";
import type { AssistantStream } from "openai/lib/AssistantStream";
import type { Message } from "openai/resources/beta/threads/messages";
import type { Run, RunSubmitToolOutputsParams } from "openai/resources/beta/threads/runs/runs";
import type { RunStep, RunStepInclude } from "openai/resources/beta/threads/runs/steps";
import type { VectorStoreFileDeleted } from "openai/resources/vector-stores/files";
import type { Server } from "../program.ts";

export type ToolOutput = RunSubmitToolOutputsParams.ToolOutput;
export type RunRef = Pick<Run, "id" | "thread_id">;

/** How often pollers look, where the check is not about polling. */
export const QUICK = { pollIntervalMs: 50 };

export interface Calls {
  client: OpenAI;
  /** The vector stores, which were in another place at first. */
  stores: OpenAI["vectorStores"];
  retrieve(run: RunRef): Promise<Run>;
  cancel(run: RunRef): Promise<Run>;
  submit(run: RunRef, tool_outputs: ToolOutput[]): Promise<Run>;
  submitAndPoll(run: RunRef, tool_outputs: ToolOutput[]): Promise<Run>;
  submitStream(run: RunRef, tool_outputs: ToolOutput[]): AssistantStream;
  steps(run: RunRef, query?: { include?: RunStepInclude[] }): Promise<RunStep[]>;
  message(thread_id: string, id: string, options?: { headers: Record<string, string> }): Promise<Message>;
  /** Takes a file out of a vector store. */
  deleteStoreFile(store: string, file: string): Promise<VectorStoreFileDeleted>;
  /** Where the generation keeps the request id of a refusal. */
  requestIdOf(refusal: unknown): unknown;
}

export interface Generation {
  /** The client's class, which also holds the classes of errors. */
  OpenAI: typeof OpenAI;
  open(client: OpenAI): Calls;
  /** Whether the stream helper takes an incomplete run for an end. Older ones wait for another event. */
  streamsIncomplete: boolean;
  /** Whether objects bear the id of their request. */
  marksObjects: boolean;
  /** Whether the stream helper tells of every call of a step. Older ones tell of the first. */
  tellsEveryCall: boolean;
  /** Whether it can search vector stores, and ask for the content of what runs have found there. */
  searchesStores: boolean;
}

/** What the checks work with. */
export interface Sdk extends Calls, Omit<Generation, "open"> {
  server: Server;
}

export function openSdk({ open, ...generation }: Generation, server: Server): Sdk {
  const { baseURL, apiKey } = server;
  return { ...open(new generation.OpenAI({ baseURL, apiKey, maxRetries: 0 })), ...generation, server };
}

/** All items of a list, page after page. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
