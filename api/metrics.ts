// What operators measure, in the format of Prometheus: this process and what it answers, and, from the database, runs and
// files of all projects.
import { collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { FastifyInstance } from "fastify";
import { CURRENT_WORK_CACHE_MS, STORED_FILES_CACHE_MS } from "../contract/limits.ts";
import { RunStatus } from "../contract/run-state.ts";
import { readCurrentWork, readStoredFiles } from "../db/metrics.ts";
import type { Pool } from "../db/pool.ts";

const PREFIX = "durable_assistants_";
const ACTIVE: readonly RunStatus[] = ["queued", "in_progress", "requires_action", "cancelling"];
const ENDED = RunStatus.options.filter((status) => !ACTIVE.includes(status));
const FILE_STATUSES = ["in_progress", "completed", "failed", "cancelled"];
/** Requests that wait for a model or take a large file come last. */
const BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];

export interface Metrics {
  /** The page, and its type. */
  read(): Promise<{ text: string; contentType: string }>;
  /** Counts what an app answers. To be called before it listens. */
  watch(app: FastifyInstance): void;
}

export interface MetricsOptions {
  db: Pool;
  /** Told when the database could not be asked; its figures are missing then. */
  onFailed(error: unknown): void;
}

/** To be made once for a process. */
export function createMetrics({ db, onFailed }: MetricsOptions): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `${PREFIX}${name}`, help, labelNames, registers: [registry] });

  const answers = new Histogram({
    name: `${PREFIX}http_request_duration_seconds`,
    help: "Time from a request to the end of its answer; a stream ends when its run rests.",
    labelNames: ["method", "route", "status"],
    buckets: BUCKETS_SECONDS,
    registers: [registry],
  });
  const connections = gauge("database_connections", "Connections of this process's pool.", ["state"]);
  const isUp = gauge("database_up", "1 when the database answered for this page, else 0.");
  const active = gauge("runs_active", "Runs that are not over.", ["status"]);
  const ended = gauge("runs_ended_last_minute", "Runs that ended within the last minute.", ["status"]);
  const oldestRun = gauge("runs_oldest_queued_seconds", "Age of the oldest run that is queued; 0 without one.");
  const onTheirWay = gauge("ingest_files_in_progress", "Files on their way into vector stores.");
  const oldestFile = gauge("ingest_oldest_file_seconds", "Age of the file that is longest on its way; 0 without one.");
  const waiting = gauge("ingest_chunks_waiting", "Chunks that wait to be embedded, as Postgres estimates them.");
  const files = gauge("vector_store_files", "Files in vector stores.", ["status"]);
  const chunks = gauge("vector_store_chunks", "Searchable chunks, as Postgres estimates them.");
  const bytes = gauge("vector_store_bytes", "Bytes of searchable chunks, with their vectors.");
  const lists = [active, ended, files];
  const numbers = [oldestRun, onTheirWay, oldestFile, waiting, chunks, bytes];

  const readWork = keepFor(CURRENT_WORK_CACHE_MS, () => readCurrentWork(db));
  const readFiles = keepFor(STORED_FILES_CACHE_MS, () => readStoredFiles(db));

  async function refresh(): Promise<void> {
    const [work, stored] = await Promise.all([readWork(), readFiles()]);
    for (const status of ACTIVE) active.set({ status }, work.active.find((row) => row.status === status)?.runs ?? 0);
    for (const status of ENDED) ended.set({ status }, work.ended.find((row) => row.status === status)?.runs ?? 0);
    oldestRun.set(work.oldest_queued_seconds);
    onTheirWay.set(work.files_in_progress);
    oldestFile.set(work.oldest_file_seconds);
    waiting.set(work.waiting_chunks);
    for (const status of FILE_STATUSES) {
      files.set({ status }, stored.files.find((row) => row.status === status)?.files ?? 0);
    }
    bytes.set(stored.files.reduce((sum, row) => sum + row.bytes, 0));
    chunks.set(stored.chunks);
  }

  return {
    async read() {
      try {
        await refresh();
        isUp.set(1);
      } catch (error) {
        onFailed(error);
        isUp.set(0);
        // Old figures would look like new ones.
        for (const list of lists) list.reset();
        for (const number of numbers) number.remove();
      }
      connections.set({ state: "open" }, db.totalCount);
      connections.set({ state: "idle" }, db.idleCount);
      connections.set({ state: "awaited" }, db.waitingCount);
      return { text: await registry.metrics(), contentType: registry.contentType };
    },
    watch(app) {
      app.addHook("onResponse", async ({ method, routeOptions }, { statusCode, elapsedTime }) => {
        // A URL that nobody knows would make a series of its own.
        const route = routeOptions.url ?? "unknown";
        answers.observe({ method, route, status: statusCode }, elapsedTime / 1000);
      });
    },
  };
}

/** A function that keeps its answer for a while. Who asks meanwhile waits for the same one; a failure is not kept. */
function keepFor<Value>(ms: number, read: () => Promise<Value>): () => Promise<Value> {
  let kept: { value: Promise<Value>; until: number } | undefined;
  return () => {
    const now = performance.now();
    if (kept !== undefined && now < kept.until) return kept.value;
    const fresh = { value: read(), until: now + ms };
    kept = fresh;
    fresh.value.catch(() => {
      if (kept === fresh) kept = undefined;
    });
    return fresh.value;
  };
}
