// What can be said to a run's workflow and asked of it. Imported by clients too, so it holds definitions and nothing else.
import { defineQuery, defineSignal } from "@temporalio/workflow";
import { defineSearchAttributeKey, SearchAttributeType } from "@temporalio/common";
import type { RunStatus } from "../contract/run-state.ts";

/** "Look at the run again": sent after tool outputs are committed. A nudge without content; repeating it does no harm. */
export const wake = defineSignal("wake");

/** The run's status as its workflow knows it. The database has the last word. */
export const statusQuery = defineQuery<RunStatus | "deleted">("status");

export interface RunProgress {
  /** Model turns that were made so far. */
  turns: number;
  /** Names of the functions whose outputs the run waits for. */
  waitingFor: string[];
  /** When the run expires while it waits, in milliseconds of Unix time. */
  expiresAtMs: number | null;
}
export const progressQuery = defineQuery<RunProgress>("progress");

/** How far a file is on its way into a vector store. */
export interface IngestProgress {
  /** Chunks of its text; null while it is being read. */
  chunks: number | null;
  /** Those that are embedded. */
  done: number;
}
export const ingestProgressQuery = defineQuery<IngestProgress>("progress");

/** The id of the workflow that makes a file searchable in a store. A file that is added again is another entry. */
export function ingestWorkflowId(file: { id: number; vector_store_id: string; file_id: string }): string {
  return `ingest_${file.vector_store_id}_${file.file_id}_${file.id}`;
}

/** The activities of ingestion have a task queue of their own, so that however many files there are, no run waits. */
export const ingestTaskQueue = (taskQueue: string): string => `${taskQueue}-ingest`;

/** Code has a task queue of its own, too: workers take as many calls as they have room for sessions. */
export const codeTaskQueue = (taskQueue: string): string => `${taskQueue}-code`;

/** Search attributes of workflows; a Temporal namespace must know them all as Keyword. */
export const searchAttributes = {
  thread: defineSearchAttributeKey("ThreadId", SearchAttributeType.KEYWORD),
  assistant: defineSearchAttributeKey("AssistantId", SearchAttributeType.KEYWORD),
  project: defineSearchAttributeKey("ProjectId", SearchAttributeType.KEYWORD),
  model: defineSearchAttributeKey("Model", SearchAttributeType.KEYWORD),
  /** Set when a run parks in `requires_action`, when it leaves it, and when it ends in any way but plainly completed. */
  status: defineSearchAttributeKey("RunStatus", SearchAttributeType.KEYWORD),
  /** Of files on their way into vector stores. */
  vectorStore: defineSearchAttributeKey("VectorStoreId", SearchAttributeType.KEYWORD),
  file: defineSearchAttributeKey("FileId", SearchAttributeType.KEYWORD),
  /** Set when such a file ends in any other way than completed. */
  fileStatus: defineSearchAttributeKey("FileStatus", SearchAttributeType.KEYWORD),
};
