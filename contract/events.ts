// Server-sent events of a run: their names and what each carries.
import { z } from "zod";
import { FileCitation, FilePath, Message } from "./message.ts";
import { Run } from "./run.ts";
import { CodeInterpreterCallDelta, FileSearchCallDelta, RunStep, StepStatus } from "./run-step.ts";
import { isTerminal, RunStatus } from "./run-state.ts";
import { Thread } from "./thread.ts";

/** An annotation comes in one piece with its text. Other than in the message it has its place, and a citation a quote. */
const AnnotationDelta = z.discriminatedUnion("type", [
  z.strictObject({
    index: z.int(),
    ...FileCitation.shape,
    file_citation: z.strictObject({ file_id: z.string(), quote: z.string() }),
  }),
  z.strictObject({ index: z.int(), ...FilePath.shape }),
]);
export type AnnotationDelta = z.infer<typeof AnnotationDelta>;

/** The first piece of a text comes with an empty list of annotations. */
export const ContentDelta = z.discriminatedUnion("type", [
  z.strictObject({
    index: z.int(),
    type: z.literal("text"),
    text: z.strictObject({ value: z.string(), annotations: z.array(AnnotationDelta).optional() }),
  }),
  z.strictObject({ index: z.int(), type: z.literal("refusal"), refusal: z.string() }),
  z.strictObject({
    index: z.int(),
    type: z.literal("image_file"),
    image_file: z.strictObject({ file_id: z.string() }),
  }),
]);
export type ContentDelta = z.infer<typeof ContentDelta>;

/** One piece of a message's content. */
export const MessageDelta = z
  .strictObject({
    id: z.string(),
    object: z.literal("thread.message.delta"),
    delta: z.strictObject({ content: z.array(ContentDelta) }),
  })
  .meta({ id: "MessageDelta" });
export type MessageDelta = z.infer<typeof MessageDelta>;

/** The first piece of a call carries its id, its name and empty arguments. */
const FunctionCallDelta = z.strictObject({
  index: z.int(),
  id: z.string().optional(),
  type: z.literal("function"),
  function: z.strictObject({ name: z.string().optional(), arguments: z.string(), output: z.null().optional() }),
});
export const ToolCallDelta = z.discriminatedUnion("type", [
  FunctionCallDelta,
  FileSearchCallDelta,
  CodeInterpreterCallDelta,
]);
export type ToolCallDelta = z.infer<typeof ToolCallDelta>;

/** One piece of a step's tool calls. */
export const RunStepDelta = z
  .strictObject({
    id: z.string(),
    object: z.literal("thread.run.step.delta"),
    delta: z.strictObject({
      step_details: z.strictObject({ type: z.literal("tool_calls"), tool_calls: z.array(ToolCallDelta) }),
    }),
  })
  .meta({ id: "RunStepDelta" });
export type RunStepDelta = z.infer<typeof RunStepDelta>;

/** What each event carries. */
export type RunEvent =
  | { event: "thread.created"; data: Thread }
  | { event: `thread.run.${"created" | RunStatus}`; data: Run }
  | { event: `thread.run.step.${"created" | StepStatus}`; data: RunStep }
  | { event: "thread.run.step.delta"; data: RunStepDelta }
  | { event: `thread.message.${"created" | Message["status"]}`; data: Message }
  | { event: "thread.message.delta"; data: MessageDelta };

/** The schema of each event's data, by the event's name. */
export const EVENT_SCHEMAS: ReadonlyMap<string, z.ZodType> = new Map<RunEvent["event"], z.ZodType>([
  ["thread.created", Thread],
  ...(["created", ...RunStatus.options] as const).map((name) => [`thread.run.${name}`, Run] as const),
  ...(["created", ...StepStatus.options] as const).map((name) => [`thread.run.step.${name}`, RunStep] as const),
  ["thread.run.step.delta", RunStepDelta],
  ...(["created", ...Message.shape.status.options] as const).map(
    (name) => [`thread.message.${name}`, Message] as const,
  ),
  ["thread.message.delta", MessageDelta],
]);

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
