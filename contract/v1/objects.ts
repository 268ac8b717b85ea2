// What clients of version 1 read: the same objects in the words of 2023. What that version has no word for is left out.
import { z } from "zod";
import { Assistant } from "../assistant.ts";
import { Message } from "../message.ts";
import type { ContentPart } from "../message.ts";
import { Run, Usage } from "../run.ts";
import { RunStep } from "../run-step.ts";
import type { StepDetails } from "../run-step.ts";
import { RunStatus } from "../run-state.ts";
import { Thread } from "../thread.ts";
import { toV1ResponseFormat, toV1Tool, toV1ToolChoice, V1ResponseFormat, V1Tool, V1ToolChoice } from "./tools.ts";

const FileIds = z.array(z.string());

export const V1Assistant = z
  .strictObject({
    ...Assistant.omit({
      tool_resources: true,
      temperature: true,
      top_p: true,
      response_format: true,
      reasoning_effort: true,
    }).shape,
    tools: z.array(V1Tool),
    file_ids: FileIds,
  })
  .meta({ id: "V1Assistant" });
export type V1Assistant = z.infer<typeof V1Assistant>;

export function toV1Assistant(assistant: Assistant, file_ids: string[]): V1Assistant {
  return {
    ...without(assistant, "tool_resources", "temperature", "top_p", "response_format", "reasoning_effort"),
    tools: assistant.tools.map(toV1Tool),
    file_ids,
  };
}

export const V1Thread = Thread.omit({ tool_resources: true }).meta({ id: "V1Thread" });
export type V1Thread = z.infer<typeof V1Thread>;

export function toV1Thread(thread: Thread): V1Thread {
  return without(thread, "tool_resources");
}

const V1Annotation = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("file_citation"),
    text: z.string(),
    start_index: z.int(),
    end_index: z.int(),
    file_citation: z.strictObject({ file_id: z.string(), quote: z.string() }),
  }),
  z.strictObject({
    type: z.literal("file_path"),
    text: z.string(),
    start_index: z.int(),
    end_index: z.int(),
    file_path: z.strictObject({ file_id: z.string() }),
  }),
]);
const V1Content = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("text"),
    text: z.strictObject({ value: z.string(), annotations: z.array(V1Annotation) }),
  }),
  z.strictObject({ type: z.literal("image_file"), image_file: z.strictObject({ file_id: z.string() }) }),
]);
type V1Content = z.infer<typeof V1Content>;

export const V1Message = z
  .strictObject({
    ...Message.omit({ attachments: true }).shape,
    content: z.array(V1Content),
    file_ids: FileIds,
  })
  .meta({ id: "V1Message" });
export type V1Message = z.infer<typeof V1Message>;

/** Tells what the marker of a citation quotes. */
export type QuoteOf = (marker: string) => string;

export function toV1Message(message: Message, file_ids: string[], quoteOf: QuoteOf): V1Message {
  const content = message.content.map((part) => toV1Content(part, quoteOf));
  return { ...without(message, "attachments"), content, file_ids };
}

/** Images by address, and refusals, came later: they are shown as text. */
function toV1Content(part: ContentPart, quoteOf: QuoteOf): V1Content {
  switch (part.type) {
    case "text": {
      const annotations = part.text.annotations.map((annotation) =>
        annotation.type === "file_citation"
          ? { ...annotation, file_citation: { ...annotation.file_citation, quote: quoteOf(annotation.text) } }
          : annotation,
      );
      return { type: "text", text: { value: part.text.value, annotations } };
    }
    case "image_file":
      return { type: "image_file", image_file: { file_id: part.image_file.file_id } };
    case "image_url":
      return { type: "text", text: { value: part.image_url.url, annotations: [] } };
    case "refusal":
      return { type: "text", text: { value: part.refusal, annotations: [] } };
  }
}

const V1Usage = Usage.pick({ prompt_tokens: true, completion_tokens: true, total_tokens: true });

export const V1Run = z
  .strictObject({
    ...Run.omit({
      tool_resources: true,
      top_p: true,
      reasoning_effort: true,
      parallel_tool_calls: true,
    }).shape,
    status: RunStatus.exclude(["incomplete"]),
    tools: z.array(V1Tool),
    tool_choice: V1ToolChoice,
    response_format: V1ResponseFormat,
    usage: V1Usage.nullable(),
    file_ids: FileIds,
  })
  .meta({ id: "V1Run" });
export type V1Run = z.infer<typeof V1Run>;

/** `incomplete` would make the pollers of that time wait for ever: it is shown as `completed`, with its details. */
export function toV1Run(run: Run, file_ids: string[]): V1Run {
  return {
    ...without(run, "tool_resources", "top_p", "reasoning_effort", "parallel_tool_calls"),
    status: run.status === "incomplete" ? "completed" : run.status,
    tools: run.tools.map(toV1Tool),
    tool_choice: toV1ToolChoice(run.tool_choice),
    response_format: toV1ResponseFormat(run.response_format),
    usage: toV1Usage(run.usage),
    file_ids,
  };
}

function toV1Usage(usage: Usage | null): V1Run["usage"] {
  if (usage === null) return null;
  const { prompt_tokens, completion_tokens, total_tokens } = usage;
  return { prompt_tokens, completion_tokens, total_tokens };
}

const calls = RunStep.shape.step_details.options[1].shape.tool_calls.element.options;
const V1StepDetails = z.discriminatedUnion("type", [
  RunStep.shape.step_details.options[0],
  z.strictObject({
    type: z.literal("tool_calls"),
    tool_calls: z.array(
      z.discriminatedUnion("type", [
        calls[0],
        calls[1],
        z.strictObject({ id: z.string(), type: z.literal("retrieval"), retrieval: z.strictObject({}) }),
      ]),
    ),
  }),
]);
type V1StepDetails = z.infer<typeof V1StepDetails>;

export const V1RunStep = z
  .strictObject({
    ...RunStep.omit({ expires_at: true }).shape,
    step_details: V1StepDetails,
    usage: V1Usage.nullable(),
  })
  .meta({ id: "V1RunStep" });
export type V1RunStep = z.infer<typeof V1RunStep>;

export function toV1RunStep(step: RunStep): V1RunStep {
  return {
    ...without(step, "expires_at"),
    step_details: toV1StepDetails(step.step_details),
    usage: toV1Usage(step.usage),
  };
}

function toV1StepDetails(details: StepDetails): V1StepDetails {
  if (details.type === "message_creation") return details;
  const tool_calls = details.tool_calls.map((call) =>
    call.type === "file_search" ? { id: call.id, type: "retrieval" as const, retrieval: {} } : call,
  );
  return { type: "tool_calls", tool_calls };
}

/** A copy that lacks some fields. */
function without<Item extends object, Field extends keyof Item>(item: Item, ...fields: Field[]): Omit<Item, Field> {
  const copy = { ...item };
  for (const field of fields) delete copy[field];
  return copy;
}
