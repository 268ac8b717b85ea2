// A worker with the same options as ours, and next to nothing to do.
import { fileURLToPath } from "node:url";
import { loadClientConnectConfig } from "@temporalio/envconfig";
import { NativeConnection, Worker } from "@temporalio/worker";
import { loadConfig } from "../../config.ts";

/** The moment at which it begins, in milliseconds of Unix time. */
export async function tellTime(): Promise<number> {
  return performance.timeOrigin + performance.now();
}

const config = loadConfig();
const temporal = loadClientConnectConfig();
const connection = await NativeConnection.connect(temporal.connectionOptions);
const worker = await Worker.create({
  connection,
  namespace: temporal.namespace ?? "default",
  taskQueue: config.TEMPORAL_TASK_QUEUE,
  workflowsPath: fileURLToPath(new URL("workflows.ts", import.meta.url)),
  activities: { tellTime },
  maxConcurrentActivityTaskExecutions: config.WORKER_MAX_CONCURRENT_TURNS,
  maxHeartbeatThrottleInterval: 2000,
  stickyQueueScheduleToStartTimeout: 2000,
});
const running = worker.run();
process.once("disconnect", () => worker.shutdown());
process.send?.({ type: "ready" });
await running;
await connection.close();
