// Server-sent events of a run: their names and what each carries.
import type { Message } from "./message.ts";
import type { Run } from "./run.ts";
import type { RunStep } from "./run-step.ts";
import { isTerminal, RunStatus } from "./run-state.ts";
import type { Thread } from "./thread.ts";

/** One piece of a message's content, as it goes over the wire. */
export interface MessageDelta {
  id: string;
  object: "thread.message.delta";
  delta: { content: ContentDelta[] };
}
export type ContentDelta =
  | { index: number; type: "text"; text: { value: string; annotations?: [] } }
  | { index: number; type: "refusal"; refusal: string };

/** One piece of a step's tool calls. The first of a call carries id, name and empty arguments. */
export interface RunStepDelta {
  id: string;
  object: "thread.run.step.delta";
  delta: { step_details: { type: "tool_calls"; tool_calls: ToolCallDelta[] } };
}
export type ToolCallDelta = {
  index: number;
  id?: string;
  type: "function";
  function: { name?: string; arguments: string; output?: null };
};

/** What each event carries. */
export type RunEvent =
  | { event: "thread.created"; data: Thread }
  | { event: `thread.run.${"created" | RunStatus}`; data: Run }
  | { event: `thread.run.step.${"created" | RunStep["status"]}`; data: RunStep }
  | { event: "thread.run.step.delta"; data: RunStepDelta }
  | { event: `thread.message.${"created" | Message["status"]}`; data: Message }
  | { event: "thread.message.delta"; data: MessageDelta };

const RUN_EVENT = /^thread\.run\.([a-z_]+)$/;

/** Whether an event carries the run itself, and not a step, a message or a piece of one. */
export function isRunStateEvent(event: string): boolean {
  return RUN_EVENT.test(event);
}

/** Whether a stream that was asked for by a request ends with this event. */
export function endsStream(event: string): boolean {
  const status = RunStatus.safeParse(RUN_EVENT.exec(event)?.[1]);
  return status.success && (status.data === "requires_action" || isTerminal(status.data));
}
