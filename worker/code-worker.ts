// The part of a worker that runs code. It takes calls from two task queues: one that all workers share, for threads that
// have no session, and one of its own, for those whose session it has.
import { Worker } from "@temporalio/worker";
import { codeTaskQueue } from "../workflows/definitions.ts";
import type { PartOptions } from "./part-options.ts";

export interface CodeWorkerOptions extends PartOptions {
  /** Of this worker alone. */
  ownCodeQueue: string;
  /** Cells that run at once, from each of the two queues. */
  maxConcurrent: number;
}

export function createCodeWorkers({
  taskQueue,
  ownCodeQueue,
  maxConcurrent,
  activities: { runCode },
  ...options
}: CodeWorkerOptions): Promise<Worker[]> {
  const queues = [codeTaskQueue(taskQueue), ownCodeQueue];
  return Promise.all(
    queues.map((queue) =>
      Worker.create({
        ...options,
        taskQueue: queue,
        activities: { runCode },
        maxConcurrentActivityTaskExecutions: maxConcurrent,
      }),
    ),
  );
}
