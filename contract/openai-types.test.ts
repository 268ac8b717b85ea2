// Holds the contract to the types of the official client: it can read all that we answer, we take all that it sends.
// The compiler does the work: a mismatch is a type error in this file.
import { test } from "node:test";
import type OpenAI from "openai";
import type { z } from "zod";
import type { Assistant, CreateAssistant, ModifyAssistant } from "./assistant.ts";
import type { RunEvent } from "./events.ts";
import type { toList } from "./list.ts";
import type { CreateMessage, Message, ModifyMessage } from "./message.ts";
import type { FileObject } from "./file.ts";
import type { Model } from "./model.ts";
import type { Upload, UploadPart } from "./upload.ts";
import type { CreateRun, CreateThreadAndRun, ModifyRun, Run, SubmitToolOutputs } from "./run.ts";
import type { RunStep } from "./run-step.ts";
import type { CreateThread, ModifyThread, Thread } from "./thread.ts";

/** What JSON leaves of a value: a field that is undefined is not there. */
type Json<T> = T extends (infer Item)[]
  ? Json<Item>[]
  : T extends object
    ? { [K in keyof T as undefined extends T[K] ? never : K]: Json<T[K]> } & {
        [K in keyof T as undefined extends T[K] ? K : never]?: Json<Exclude<T[K], undefined>>;
      }
    : T;

/** What a client may send for a schema. */
type Input<Schema extends z.ZodType> = z.input<Schema>;

/** Their types are wider than what they document: a file's id, a function's name, a number of messages may be missing. */
type Without<T, Key extends string> = T extends unknown ? Omit<T, Key> : never;

/** Compiles only when a value of the one type can be used as the other. */
function isUsableAs<Expected>(_value: Expected): void {}

test("the official client can read every object that the server answers", () => {
  isUsableAs<OpenAI.Beta.Assistant>({} as Json<Assistant>);
  isUsableAs<OpenAI.Beta.Thread>({} as Json<Thread>);
  isUsableAs<OpenAI.Beta.Threads.Message>({} as Json<Message>);
  isUsableAs<OpenAI.Beta.Threads.Run>({} as Json<Run>);
  isUsableAs<OpenAI.Beta.Threads.Runs.RunStep>({} as Json<RunStep>);
  isUsableAs<OpenAI.Model>({} as Json<Model>);
  // Their types leave out null, which their service sent, and the purpose evals.
  isUsableAs<Without<OpenAI.FileObject, "expires_at" | "status_details" | "purpose">>({} as Json<FileObject>);
  isUsableAs<Without<OpenAI.Upload, "file">>({} as Json<Upload>);
  isUsableAs<OpenAI.Uploads.UploadPart>({} as Json<UploadPart>);
  isUsableAs<Pick<OpenAI.CursorPage<Json<Message>>, "data" | "has_more">>(
    {} as ReturnType<typeof toList<Json<Message>>>,
  );
});

test("the official client can read every event that the server streams", () => {
  isUsableAs<OpenAI.Beta.AssistantStreamEvent>({} as Json<RunEvent>);
});

test("the server takes everything that the official client can send", () => {
  isUsableAs<Input<typeof CreateAssistant>>({} as OpenAI.Beta.AssistantCreateParams);
  isUsableAs<Input<typeof ModifyAssistant>>({} as OpenAI.Beta.AssistantUpdateParams);
  isUsableAs<Input<typeof CreateThread>>({} as Without<OpenAI.Beta.ThreadCreateParams, "messages">);
  isUsableAs<Input<typeof ModifyThread>>({} as OpenAI.Beta.ThreadUpdateParams);
  isUsableAs<Input<typeof CreateMessage>>({} as Without<OpenAI.Beta.Threads.MessageCreateParams, "attachments">);
  isUsableAs<Input<typeof ModifyMessage>>({} as OpenAI.Beta.Threads.MessageUpdateParams);
  isUsableAs<Input<typeof CreateRun>>(
    {} as Without<OpenAI.Beta.Threads.RunCreateParams, "additional_messages" | "tool_choice" | "truncation_strategy">,
  );
  isUsableAs<Input<typeof ModifyRun>>({} as OpenAI.Beta.Threads.RunUpdateParams);
  isUsableAs<Input<typeof SubmitToolOutputs>>({} as OpenAI.Beta.Threads.RunSubmitToolOutputsParams);
  isUsableAs<Input<typeof CreateThreadAndRun>>(
    {} as Without<OpenAI.Beta.ThreadCreateAndRunParams, "thread" | "tool_choice" | "truncation_strategy">,
  );
});
