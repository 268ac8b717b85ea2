// The part of a worker that makes files searchable. It has a task queue and places of its own: however many files wait,
// every place for turns of runs is there for runs. The workflows of files go along with those of runs, for they take
// milliseconds.
import { Worker } from "@temporalio/worker";
import { ingestTaskQueue } from "../workflows/definitions.ts";
import type { PartOptions } from "./part-options.ts";

export interface IngestWorkerOptions extends PartOptions {
  /** Files in hand at once. */
  maxConcurrent: number;
}

/** Undefined when this worker is to leave files to others. */
export async function createIngestWorker({
  taskQueue,
  maxConcurrent,
  activities: { extractChunks, embedChunks, cancelIngest },
  ...options
}: IngestWorkerOptions): Promise<Worker | undefined> {
  if (maxConcurrent === 0) return undefined;
  return Worker.create({
    ...options,
    taskQueue: ingestTaskQueue(taskQueue),
    activities: { extractChunks, embedChunks, cancelIngest },
    maxConcurrentActivityTaskExecutions: maxConcurrent,
  });
}
