// The schemas that the rows have to cover, under the names that the rows use. The only file of the table that knows what
// the implementation calls them.
import { z } from "zod";
import * as assistant from "../../contract/assistant.ts";
import * as deleted from "../../contract/deleted.ts";
import * as errorBody from "../../contract/error-body.ts";
import * as events from "../../contract/events.ts";
import * as file from "../../contract/file.ts";
import * as list from "../../contract/list.ts";
import * as message from "../../contract/message.ts";
import * as model from "../../contract/model.ts";
import * as responseFormat from "../../contract/response-format.ts";
import * as run from "../../contract/run.ts";
import * as runStep from "../../contract/run-step.ts";
import * as thread from "../../contract/thread.ts";
import * as upload from "../../contract/upload.ts";
import * as tool from "../../contract/tool.ts";
import * as toolResources from "../../contract/tool-resources.ts";
import * as vectorStoreFile from "../../contract/vector-store-file.ts";
import * as vectorStoreSearch from "../../contract/vector-store-search.ts";
import * as vectorStore from "../../contract/vector-store.ts";

/** What clients send: bodies and queries. */
export const REQUESTS = {
  CreateAssistant: assistant.CreateAssistant,
  ModifyAssistant: assistant.ModifyAssistant,
  CreateThread: thread.CreateThread,
  ModifyThread: thread.ModifyThread,
  CreateMessage: message.CreateMessage,
  ModifyMessage: message.ModifyMessage,
  CreateRun: run.CreateRun,
  CreateThreadAndRun: run.CreateThreadAndRun,
  ModifyRun: run.ModifyRun,
  SubmitToolOutputs: run.SubmitToolOutputs,
  CreateFile: file.CreateFile,
  ListFilesQuery: file.ListFilesQuery,
  CreateUpload: upload.CreateUpload,
  AddUploadPart: upload.AddUploadPart,
  CompleteUpload: upload.CompleteUpload,
  CreateVectorStore: vectorStore.CreateVectorStore,
  ModifyVectorStore: vectorStore.ModifyVectorStore,
  SearchVectorStore: vectorStoreSearch.SearchVectorStore,
  CreateVectorStoreFile: vectorStoreFile.CreateVectorStoreFile,
  ModifyVectorStoreFile: vectorStoreFile.ModifyVectorStoreFile,
  CreateFileBatch: vectorStoreFile.CreateFileBatch,
  ListStoreFilesQuery: vectorStoreFile.ListStoreFilesQuery,
  PageQuery: list.PageQuery,
  ListMessagesQuery: message.ListMessagesQuery,
  StepsQuery: runStep.IncludeQuery,
  EventsQuery: run.EventsQuery,
} as const satisfies Record<string, z.ZodType>;

/** What clients read. */
export const RESPONSES = {
  Assistant: assistant.Assistant,
  Thread: thread.Thread,
  Message: message.Message,
  Run: run.Run,
  RunStep: runStep.RunStep,
  Model: model.Model,
  File: file.FileObject,
  Upload: upload.Upload,
  UploadPart: upload.UploadPart,
  VectorStore: vectorStore.VectorStore,
  SearchResultsPage: vectorStoreSearch.SearchResultsPage,
  VectorStoreFile: vectorStoreFile.VectorStoreFile,
  FileContentPage: vectorStoreFile.FileContentPage,
  FileBatch: vectorStoreFile.FileBatch,
  MessageDelta: events.MessageDelta,
  RunStepDelta: events.RunStepDelta,
  List: list.listOf(z.unknown()),
  Deleted: deleted.deletedOf("deleted"),
  ErrorBody: errorBody.ErrorBody,
} as const satisfies Record<string, z.ZodType>;

export type SchemaName = keyof typeof REQUESTS | keyof typeof RESPONSES;

/** Everything that these modules export. A schema that is neither above nor a part of one that is needs rows of its own. */
export const MODULES: Readonly<Record<string, object>> = {
  assistant,
  errorBody,
  events,
  file,
  list,
  message,
  model,
  responseFormat,
  run,
  runStep,
  thread,
  tool,
  toolResources,
  upload,
  vectorStore,
  vectorStoreFile,
  vectorStoreSearch,
};
