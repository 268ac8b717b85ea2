// The server-sent events of version 1: those of version 2 with its objects.
import { z } from "zod";
import { ContentDelta, EVENT_SCHEMAS, MessageDelta, RunStepDelta, ToolCallDelta } from "../events.ts";
import { Message } from "../message.ts";
import { Run } from "../run.ts";
import { RunStep } from "../run-step.ts";
import { Thread } from "../thread.ts";
import { V1Message, V1Run, V1RunStep, V1Thread } from "./objects.ts";
import type { QuoteOf } from "./objects.ts";

const V1ContentDelta = z.discriminatedUnion("type", [ContentDelta.options[0], ContentDelta.options[2]]);
const V1MessageDelta = z
  .strictObject({
    ...MessageDelta.shape,
    delta: z.strictObject({ content: z.array(V1ContentDelta) }),
  })
  .meta({ id: "V1MessageDelta" });
type V1MessageDelta = z.infer<typeof V1MessageDelta>;

/** As in the message that they add up to, a refusal is text. Clients want the list of annotations with its first piece. */
export function toV1MessageDelta({ delta, ...message }: MessageDelta, quoteOf: QuoteOf): V1MessageDelta {
  const content = delta.content.map((part) => toV1ContentDelta(part, quoteOf));
  return { ...message, delta: { content } };
}

function toV1ContentDelta(part: ContentDelta, quoteOf: QuoteOf): z.infer<typeof V1ContentDelta> {
  if (part.type === "refusal") {
    return { index: part.index, type: "text", text: { value: part.refusal, annotations: [] } };
  }
  if (part.type === "image_file" || part.text.annotations === undefined) return part;
  const annotations = part.text.annotations.map((annotation) =>
    annotation.type === "file_citation"
      ? { ...annotation, file_citation: { ...annotation.file_citation, quote: quoteOf(annotation.text) } }
      : annotation,
  );
  return { ...part, text: { ...part.text, annotations } };
}

const V1RunStepDelta = z
  .strictObject({
    ...RunStepDelta.shape,
    delta: z.strictObject({
      step_details: z.strictObject({
        type: z.literal("tool_calls"),
        tool_calls: z.array(
          z.discriminatedUnion("type", [
            ToolCallDelta.options[0],
            ToolCallDelta.options[2],
            z.strictObject({
              index: z.int(),
              id: z.string(),
              type: z.literal("retrieval"),
              retrieval: z.strictObject({}),
            }),
          ]),
        ),
      }),
    }),
  })
  .meta({ id: "V1RunStepDelta" });
type V1RunStepDelta = z.infer<typeof V1RunStepDelta>;

export function toV1RunStepDelta({ delta, ...step }: RunStepDelta): V1RunStepDelta {
  const tool_calls = delta.step_details.tool_calls.map((call) =>
    call.type === "file_search" ? { index: call.index, id: call.id, type: "retrieval" as const, retrieval: {} } : call,
  );
  return { ...step, delta: { step_details: { type: "tool_calls", tool_calls } } };
}

const SHOWN_AS = new Map<z.ZodType, z.ZodType>([
  [Thread, V1Thread],
  [Run, V1Run],
  [RunStep, V1RunStep],
  [Message, V1Message],
  [MessageDelta, V1MessageDelta],
  [RunStepDelta, V1RunStepDelta],
]);

/** The schema of each event's data, by the event's name. */
export const V1_EVENT_SCHEMAS: ReadonlyMap<string, z.ZodType> = new Map(
  [...EVENT_SCHEMAS]
    .filter(([event]) => event !== "thread.run.incomplete")
    .map(([event, schema]) => [event, SHOWN_AS.get(schema) ?? schema]),
);
