// The API process: as many of them as one likes, all alike.
import type { Server } from "node:http";
import { Client, Connection } from "@temporalio/client";
import { loadClientConnectConfig } from "@temporalio/envconfig";
import { pino } from "pino";
import { openBlobs } from "../blobs/open-blobs.ts";
import { loadConfig } from "../config.ts";
import { DRAIN_MS } from "../contract/limits.ts";
import { ensureApiKey } from "../db/api-keys.ts";
import { EventReader } from "../db/event-reader.ts";
import { createPool } from "../db/pool.ts";
import { searchChunks } from "../db/search.ts";
import { chooseEmbeddings } from "../model/embedding-settings.ts";
import { createEmbedder } from "../model/embeddings.ts";
import { chooseReranker } from "../model/rerank-settings.ts";
import { createReranker } from "../model/reranker.ts";
import { createQueryRewriter } from "../model/query-rewriter.ts";
import { loadVocabulary } from "../model/tokens.ts";
import { createPassageFinder } from "../tools/find-passages.ts";
import { createApp } from "./app.ts";
import { startChunkRemoval } from "./chunk-removal.ts";
import { IngestWorkflows } from "./ingest-workflows.ts";
import { createMetrics } from "./metrics.ts";
import { serveMetrics } from "./metrics-server.ts";
import { RunWorkflows } from "./run-workflows.ts";
import { watchSpareConnections } from "./spare-connections.ts";
import { startSweep } from "./sweep.ts";

const config = loadConfig();
const { DATABASE_URL } = config;
const log = pino({ level: config.LOG_LEVEL, name: "api" });
if (DATABASE_URL === undefined) throw new Error("DATABASE_URL is not set");

const db = createPool({
  url: DATABASE_URL,
  max: config.DATABASE_POOL_SIZE,
  name: "api",
  onError: (error) => log.warn({ err: error }, "an idle database connection broke"),
});
if (config.BOOTSTRAP_API_KEY !== undefined) {
  await ensureApiKey(db, { key: config.BOOTSTRAP_API_KEY, name: "bootstrap", projectName: "default" });
}
const events = new EventReader({
  url: DATABASE_URL,
  pool: db,
  onError: (error) => log.warn({ err: error }, "events could not be read; trying again"),
});
await events.start();

loadVocabulary();
const temporal = loadClientConnectConfig();
// Lazy: an API without Temporal accepts runs all the same, and the sweep starts them later.
const connection = Connection.lazy(temporal.connectionOptions);
const client = new Client({ connection, namespace: temporal.namespace ?? "default" });
const workflows = new RunWorkflows({ client, taskQueue: config.TEMPORAL_TASK_QUEUE, log });
const ingests = new IngestWorkflows({ db, client, taskQueue: config.TEMPORAL_TASK_QUEUE, log });
const stopRemoval = startChunkRemoval({ db, log });
const stopSweep = startSweep({ db, workflows, ingests, log });

const embeddings = chooseEmbeddings(config);
const reranking = chooseReranker(config);
const findPassages = createPassageFinder({
  search: (scope, search) => searchChunks(db, scope, search),
  embedder: embeddings && createEmbedder(embeddings),
  reranker: reranking && createReranker(reranking),
  onDegraded: (without, error) => log.warn({ err: error }, `a search was made without the ${without}`),
});
const rewriteQueries = await createQueryRewriter({
  settings: config,
  env: process.env,
  onFailed: (error) => log.warn({ err: error }, "a query was not rewritten"),
});
const runs = { expiresAfterSeconds: config.RUN_EXPIRES_AFTER_SECONDS };
const app = createApp({
  db,
  log,
  blobs: openBlobs(config),
  files: { allowDownloads: config.ALLOW_FILE_DOWNLOADS },
  runs,
  workflows,
  ingests,
  findPassages,
  rewriteQueries,
  events,
  checkAnswers: config.CHECK_ANSWERS,
});
const metrics = await offerMetrics();
const closeSpareConnections = watchSpareConnections(app.server);
const url = await app.listen({ host: config.HOST, port: config.PORT });
log.info({ url }, "the API is listening");
process.send?.({ type: "ready", url });

/** Where METRICS_PORT is set. */
async function offerMetrics(): Promise<Server | undefined> {
  const { METRICS_HOST: host, METRICS_PORT: port } = config;
  if (port === undefined) return undefined;
  const figures = createMetrics({
    db,
    onFailed: (error) => log.warn({ err: error }, "the database could not be asked for metrics"),
  });
  figures.watch(app);
  const server = await serveMetrics(figures, { host, port });
  log.info({ address: server.address() }, "metrics are served");
  return server;
}

let stopping = false;

/** Takes no new connections, lets open requests end for a while, then ends the streams that are left and closes. */
async function stop(reason: string): Promise<void> {
  if (stopping) return;
  stopping = true;
  log.info({ reason }, "stopping");
  const endStreams = setTimeout(() => events.endSubscriptions(), DRAIN_MS);
  const cut = setTimeout(() => app.server.closeAllConnections(), DRAIN_MS + 1000);
  closeSpareConnections();
  metrics?.close();
  metrics?.closeAllConnections();
  await app.close();
  clearTimeout(endStreams);
  clearTimeout(cut);
  await Promise.all([stopSweep(), stopRemoval()]);
  await workflows.drain();
  await ingests.drain();
  await events.stop();
  await connection.close();
  await db.end();
  log.info("stopped");
  if (process.connected) process.disconnect();
}

for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void stop(signal));
process.once("disconnect", () => void stop("the parent process is gone"));
if (process.connected === false) void stop("the parent process went while this was starting");
