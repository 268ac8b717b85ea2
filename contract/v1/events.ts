// The server-sent events of version 1: those of version 2 with its objects.
import { z } from "zod";
import { ContentDelta, EVENT_SCHEMAS, MessageDelta } from "../events.ts";
import { Message } from "../message.ts";
import { Run } from "../run.ts";
import { RunStep } from "../run-step.ts";
import { Thread } from "../thread.ts";
import { V1Message, V1Run, V1RunStep, V1Thread } from "./objects.ts";

const V1TextDelta = ContentDelta.options[0];
const V1MessageDelta = z
  .strictObject({
    ...MessageDelta.shape,
    delta: z.strictObject({ content: z.array(V1TextDelta) }),
  })
  .meta({ id: "V1MessageDelta" });
type V1MessageDelta = z.infer<typeof V1MessageDelta>;

/** As in the message that they add up to, a refusal is text. Clients want the list of annotations with its first piece. */
export function toV1MessageDelta({ delta, ...message }: MessageDelta): V1MessageDelta {
  const content = delta.content.map((part): z.infer<typeof V1TextDelta> =>
    part.type === "text" ? part : { index: part.index, type: "text", text: { value: part.refusal, annotations: [] } },
  );
  return { ...message, delta: { content } };
}

const SHOWN_AS = new Map<z.ZodType, z.ZodType>([
  [Thread, V1Thread],
  [Run, V1Run],
  [RunStep, V1RunStep],
  [Message, V1Message],
  [MessageDelta, V1MessageDelta],
]);

/** The schema of each event's data, by the event's name. */
export const V1_EVENT_SCHEMAS: ReadonlyMap<string, z.ZodType> = new Map(
  [...EVENT_SCHEMAS]
    .filter(([event]) => event !== "thread.run.incomplete")
    .map(([event, schema]) => [event, SHOWN_AS.get(schema) ?? schema]),
);
