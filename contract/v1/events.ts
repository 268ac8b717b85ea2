// The server-sent events of version 1: those of version 2 with its objects.
import type { z } from "zod";
import { EVENT_SCHEMAS } from "../events.ts";
import { Message } from "../message.ts";
import { Run } from "../run.ts";
import { RunStep } from "../run-step.ts";
import { Thread } from "../thread.ts";
import { V1Message, V1Run, V1RunStep, V1Thread } from "./objects.ts";

const SHOWN_AS = new Map<z.ZodType, z.ZodType>([
  [Thread, V1Thread],
  [Run, V1Run],
  [RunStep, V1RunStep],
  [Message, V1Message],
]);

/** The schema of each event's data, by the event's name. */
export const V1_EVENT_SCHEMAS: ReadonlyMap<string, z.ZodType> = new Map(
  [...EVENT_SCHEMAS]
    .filter(([event]) => event !== "thread.run.incomplete")
    .map(([event, schema]) => [event, SHOWN_AS.get(schema) ?? schema]),
);
