// What the parts of a worker have in common that take activities from task queues of their own.
import type { NativeConnection, WorkerOptions } from "@temporalio/worker";
import type { Activities } from "../activities/index.ts";

export interface PartOptions extends Pick<
  WorkerOptions,
  "maxHeartbeatThrottleInterval" | "shutdownGraceTime" | "shutdownForceTime"
> {
  connection: NativeConnection;
  namespace: string;
  /** Of the runs. */
  taskQueue: string;
  activities: Activities;
}
