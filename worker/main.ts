// A worker process: runs the workflows of runs and their activities. Any number of them may run side by side.
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { Client } from "@temporalio/client";
import { loadClientConnectConfig } from "@temporalio/envconfig";
import { DefaultLogger, NativeConnection, Runtime, Worker } from "@temporalio/worker";
import type { WorkerOptions } from "@temporalio/worker";
import pino from "pino";
import { CodeSessions } from "../activities/code-sessions.ts";
import { createActivities } from "../activities/index.ts";
import { openBlobs } from "../blobs/open-blobs.ts";
import { loadConfig } from "../config.ts";
import { DRAIN_MS } from "../contract/limits.ts";
import { EventWriter } from "../db/event-writer.ts";
import { createPool } from "../db/pool.ts";
import { searchChunks } from "../db/search.ts";
import { ensureVectorIndex } from "../db/vector-index.ts";
import { readEndpoints } from "../model/chat-settings.ts";
import { chooseEmbeddings } from "../model/embedding-settings.ts";
import { createEmbedder } from "../model/embeddings.ts";
import { createOpenAIModel } from "../model/openai.ts";
import { createReranker } from "../model/reranker.ts";
import { chooseReranker } from "../model/rerank-settings.ts";
import { createRouter } from "../model/router.ts";
import { loadVocabulary } from "../model/tokens.ts";
import { DEFAULT_LIMITS } from "../sandbox/default-limits.ts";
import type { SandboxDriver } from "../sandbox/driver.ts";
import { openSandbox } from "../sandbox/open-sandbox.ts";
import { createPassageFinder } from "../tools/find-passages.ts";
import { codeTaskQueue } from "../workflows/definitions.ts";
import { createDocumentReader } from "./document-reader.ts";
import { createCodeWorkers } from "./code-worker.ts";
import { createIngestWorker } from "./ingest-worker.ts";
import { keepJanitorSchedule } from "./janitor-schedule.ts";
import { keepModelList } from "./model-list.ts";
import { createOpenWorkflows } from "./open-workflows.ts";
import { removeLeftFolders } from "./temporary-folders.ts";

/** Longest heartbeat silence that throttling may cause; a third of the time after which a worker counts as dead. */
const HEARTBEAT_THROTTLE_MS = 2000;
/** How long a workflow waits for the worker that has it in its cache before another one takes it. */
const STICKY_TIMEOUT_MS = 2000;
/** Workflows kept in memory, at about a third of a MiB each; one that is not costs some 10 ms when it is woken. */
const MAX_CACHED_WORKFLOWS = 500;
/** A warning of the SDK's about the part that works on files, which has none on purpose. */
const NO_WORKFLOWS = "No workflows registered, not polling for workflow tasks";

const config = loadConfig();
const { DATABASE_URL } = config;
if (DATABASE_URL === undefined) throw new Error("DATABASE_URL is not set");
const log = pino({ name: "worker", level: config.LOG_LEVEL });
Runtime.install({
  logger: new DefaultLogger("WARN", ({ level, message, meta }) => {
    if (message !== NO_WORKFLOWS) log[toPinoLevel(level)](meta ?? {}, message);
  }),
  shutdownSignals: [],
});

const pool = createPool({
  url: DATABASE_URL,
  max: config.DATABASE_POOL_SIZE,
  name: "worker",
  onError: (error) => log.warn({ err: error }, "a database connection broke"),
});
const writer = new EventWriter({
  url: DATABASE_URL,
  onError: (error) => log.warn({ err: error }, "events could not be written; trying again"),
});
const { routes, fallback } = await readEndpoints(config);
const router = createRouter({ routes, fallback, env: process.env });
const stopModelList = keepModelList({ pool, routes, fallback, log });

loadVocabulary();
const temporal = loadClientConnectConfig();
const connection = await NativeConnection.connect(temporal.connectionOptions);
const namespace = temporal.namespace ?? "default";
const taskQueue = config.TEMPORAL_TASK_QUEUE;
const client = new Client({ connection, namespace });
const openWorkflows = createOpenWorkflows(client, taskQueue);
const embeddings = chooseEmbeddings(config);
if (embeddings !== undefined) {
  ensureVectorIndex(DATABASE_URL, embeddings).catch((error: unknown) =>
    log.warn({ err: error }, "the index of vectors could not be made; searches compare them all"),
  );
}
const embedder = embeddings && createEmbedder(embeddings);
const reranking = chooseReranker(config);
const findPassages = createPassageFinder({
  search: (scope, search) => searchChunks(pool, scope, search),
  embedder,
  reranker: reranking && createReranker(reranking),
  onDegraded: (without, error) => log.warn({ err: error }, `a search was made without the ${without}`),
});
const blobs = openBlobs(config);
const sandbox = openSandbox(config);
const ownCodeQueue = `${codeTaskQueue(taskQueue)}-${randomUUID()}`;
const activities = createActivities({
  pool,
  writer,
  model: createOpenAIModel(router),
  blobs,
  openWorkflows,
  readDocument: createDocumentReader(blobs),
  embedder,
  findPassages,
  codeSessions: new CodeSessions({
    driver: sandbox,
    limits: DEFAULT_LIMITS,
    maxSessions: config.CODE_INTERPRETER_MAX_SESSIONS,
    maxPerProject: config.CODE_INTERPRETER_MAX_SESSIONS_PER_PROJECT ?? config.CODE_INTERPRETER_MAX_SESSIONS,
  }),
  mayShareKernel: config.CODE_INTERPRETER_SHARED,
  ownCodeQueue,
  searchLanguage: config.SEARCH_LANGUAGE,
});
await removeLeftFolders().catch((error: unknown) => log.warn({ err: error }, "folders of earlier workers are left"));
const shared = {
  connection,
  namespace,
  maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
  shutdownGraceTime: DRAIN_MS,
  shutdownForceTime: DRAIN_MS + 5000,
};
const runWorker = await Worker.create({
  ...shared,
  taskQueue,
  ...deploymentOf(config.WORKER_BUILD_ID),
  workflowsPath: fileURLToPath(new URL("../workflows/index.ts", import.meta.url)),
  activities,
  maxConcurrentActivityTaskExecutions: config.WORKER_MAX_CONCURRENT_TURNS,
  stickyQueueScheduleToStartTimeout: STICKY_TIMEOUT_MS,
  maxCachedWorkflows: MAX_CACHED_WORKFLOWS,
});
const ingestWorker = await createIngestWorker({
  ...shared,
  taskQueue,
  activities,
  maxConcurrent: config.WORKER_MAX_CONCURRENT_FILES,
});
const codeWorkers = await createCodeWorkers({
  ...shared,
  taskQueue,
  ownCodeQueue,
  activities,
  maxConcurrent: config.CODE_INTERPRETER_MAX_SESSIONS,
});
void tryOut(sandbox);
const workers = [runWorker, ...codeWorkers, ...(ingestWorker === undefined ? [] : [ingestWorker])];

// When one of them breaks, the process goes: whoever watches over it starts another.
const running = Promise.all(workers.map((worker) => worker.run().finally(stop)));
const stopJanitorSchedule = keepJanitorSchedule({ client, taskQueue, log });
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, stop);
process.once("disconnect", stop);
if (process.connected === false) stop(); // the parent went while this was starting
log.info({ taskQueue }, "the worker is ready");
process.send?.({ type: "ready" });

try {
  await running;
} finally {
  stopModelList();
  stopJanitorSchedule();
  await sandbox.close();
  await writer.close();
  await pool.end();
  await connection.close();
  log.info("stopped");
  // The channel to the parent process would keep this one alive.
  if (process.connected) process.disconnect();
}

/** Says what stands between code and this machine, before somebody needs to know. */
async function tryOut(driver: SandboxDriver): Promise<void> {
  try {
    const probe = await driver.probe();
    if (!probe.ok) return log.info({ missing: probe.missing }, "Code Interpreter runs no code");
    log.info({ isolation: probe.isolation }, "Code Interpreter is ready");
  } catch (error) {
    log.warn({ err: error }, "Code Interpreter could not be tried out");
  }
}

function stop(): void {
  process.off("disconnect", stop); // listening there keeps the process alive
  for (const worker of workers) {
    if (worker.getState() !== "RUNNING") continue;
    log.info("stopping");
    worker.shutdown();
  }
}

/** Runs that are under way move to the current version: a parked one would keep its old worker alive for days. */
function deploymentOf(buildId: string | undefined): Pick<WorkerOptions, "workerDeploymentOptions"> {
  if (buildId === undefined) return {};
  const version = { deploymentName: taskQueue, buildId };
  return {
    workerDeploymentOptions: { version, useWorkerVersioning: true, defaultVersioningBehavior: "AUTO_UPGRADE" },
  };
}

function toPinoLevel(level: string) {
  const lower = level.toLowerCase();
  return lower === "trace" || lower === "debug" || lower === "info" || lower === "error" ? lower : "warn";
}
