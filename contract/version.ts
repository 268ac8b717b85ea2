// The two versions of the API. One store and one set of routes serve both: a version is how requests are read and how
// answers are shown, chosen by the header of each call.
import type { z } from "zod";
import { Assistant, CreateAssistant, ModifyAssistant } from "./assistant.ts";
import { EVENT_SCHEMAS } from "./events.ts";
import { CreateMessage, Message } from "./message.ts";
import { CreateRun, CreateThreadAndRun, Run } from "./run.ts";
import { RunStep } from "./run-step.ts";
import { CreateThread, ModifyThread, Thread } from "./thread.ts";
import { V1_EVENT_SCHEMAS } from "./v1/events.ts";
import { V1Assistant, V1Message, V1Run, V1RunStep, V1Thread } from "./v1/objects.ts";
import {
  V1CreateAssistant,
  V1CreateMessage,
  V1CreateRun,
  V1CreateThread,
  V1CreateThreadAndRun,
  V1ModifyAssistant,
  V1ModifyThread,
} from "./v1/requests.ts";

/** The list of an assistant's files in version 1; null leaves it as it is. A request of version 2 has none. */
export interface V1Files {
  file_ids?: string[] | null | undefined;
}

export interface ApiVersion {
  /** As in the header `OpenAI-Beta: assistants=v2`. */
  name: "v1" | "v2";
  /** Bodies of requests. */
  CreateAssistant: z.ZodType<CreateAssistant & V1Files>;
  ModifyAssistant: z.ZodType<ModifyAssistant & V1Files>;
  CreateThread: z.ZodType<CreateThread>;
  ModifyThread: z.ZodType<ModifyThread>;
  CreateMessage: z.ZodType<CreateMessage>;
  CreateRun: z.ZodType<CreateRun>;
  CreateThreadAndRun: z.ZodType<CreateThreadAndRun>;
  /** Answers. */
  Assistant: z.ZodType;
  Thread: z.ZodType;
  Message: z.ZodType;
  Run: z.ZodType;
  RunStep: z.ZodType;
  events: ReadonlyMap<string, z.ZodType>;
}

export const V2: ApiVersion = {
  name: "v2",
  CreateAssistant,
  ModifyAssistant,
  CreateThread,
  ModifyThread,
  CreateMessage,
  CreateRun,
  CreateThreadAndRun,
  Assistant,
  Thread,
  Message,
  Run,
  RunStep,
  events: EVENT_SCHEMAS,
};

export const V1: ApiVersion = {
  name: "v1",
  CreateAssistant: V1CreateAssistant,
  ModifyAssistant: V1ModifyAssistant,
  CreateThread: V1CreateThread,
  ModifyThread: V1ModifyThread,
  CreateMessage: V1CreateMessage,
  CreateRun: V1CreateRun,
  CreateThreadAndRun: V1CreateThreadAndRun,
  Assistant: V1Assistant,
  Thread: V1Thread,
  Message: V1Message,
  Run: V1Run,
  RunStep: V1RunStep,
  events: V1_EVENT_SCHEMAS,
};
