// Gives the bytes of a recorded stream to the official SDKs, cut into other chunks than they came in.
import assert from "node:assert/strict";
import type { Message } from "openai/resources/beta/threads/messages";
import type { Run } from "openai/resources/beta/threads/runs/runs";
import type { RunStep } from "openai/resources/beta/threads/runs/steps";
import { openSdk } from "../api/sdk.ts";
import type { Generation } from "../api/sdk.ts";
import type { StreamedEvent } from "../support/event-grammar.ts";
import { toResponse } from "./sse-readers.ts";
import type { Recording } from "./streamed-run.ts";

export interface Replayed {
  events: StreamedEvent[];
  /** The final objects of the SDK's `AssistantStream`. The run is the error instead, where it found none. */
  run: Run | Error;
  messages: Message[];
  steps: RunStep[];
}

/** Reads a recording as `AssistantStream` of that SDK does. */
export async function replay(
  { kind, run }: Pick<Recording, "kind" | "run">,
  chunks: readonly Uint8Array[],
  generation: Generation,
): Promise<Replayed> {
  const sdk = openSdk({ baseURL: "http://recorded/v1", apiKey: "sk-unused" }, generation, {
    fetch: async () => toResponse(chunks),
  });
  const stream =
    kind === "submit outputs"
      ? sdk.submitStream(run, [])
      : sdk.client.beta.threads.runs.stream(run.thread_id, { assistant_id: run.assistant_id });
  const events: StreamedEvent[] = [];
  // The SDKs go on to change the objects that they hand out.
  stream.on("event", (event) => events.push(structuredClone(event)));
  const [final, messages, steps] = await Promise.all([
    stream.finalRun().catch((error: Error) => error),
    stream.finalMessages().catch(() => []),
    stream.finalRunSteps().catch(() => []),
  ]);
  assert.ok(!(final instanceof assert.AssertionError));
  return { events, run: final, messages, steps };
}
