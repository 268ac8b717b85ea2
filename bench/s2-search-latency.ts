// S2: how long a search takes, and how that grows with the store.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { searchChunks } from "../db/search.ts";
import type { Search } from "../db/search.ts";
import type { Pool } from "../db/pool.ts";
import { ensureVectorIndex, forgetVectorIndexes } from "../db/vector-index.ts";
import { openLogFile } from "../embedded/log-file.ts";
import { findPorts } from "../embedded/ports.ts";
import { startPostgres } from "../embedded/postgres.ts";
import { createTestDatabase } from "../test/support/database.ts";
import { startPgvector } from "../test/support/pgvector/start.ts";
import { PROJECT } from "../test/support/search-databases.ts";
import type { Report } from "./report.ts";
import { DIMENSIONS, fillStore, makeQueries, MODEL, openPool } from "./search-corpus.ts";
import { percentile } from "./stats.ts";

const SIZES = [1000, 10_000, 100_000];
const QUERIES = 60;
const WARM_UP = 10;
const LIMIT = 10;
const MAX_P95_MS = 500;

interface Way {
  name: string;
  search: Partial<Search>;
}

const WORDS: Way = { name: "words", search: { only: "words" } };
const SCAN: Way = { name: "vectors, scan", search: { only: "vectors", vectors: "scan" } };
const INDEX: Way = { name: "vectors, HNSW", search: { only: "vectors", vectors: "index" } };
const HYBRID: Way = { name: "both, as served", search: {} };

interface Found {
  database: string;
  way: string;
  size: number;
  p50: number;
  p95: number;
  /** Share of the best ten of a scan that were found; only of the index. */
  recall?: number;
}

export async function measureSearchLatency(): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), "durable-assistants-bench-"));
  const [port = 0] = await findPorts([{ part: "Postgres", variable: "", host: "127.0.0.1", port: 0 }]);
  const log = openLogFile(join(folder, "postgres.log"));
  const plain = await startPostgres({ dataDir: folder, port, log, durable: false });
  const found: Found[] = [];
  try {
    found.push(...(await measureOn("Postgres 18", plain.url(), [WORDS, SCAN, HYBRID])));
  } finally {
    await plain.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const pgvector = await startPgvector();
  if (pgvector !== undefined) {
    try {
      found.push(...(await measureOn("Postgres 16 with pgvector", pgvector.url, [WORDS, SCAN, INDEX, HYBRID])));
    } finally {
      await pgvector.stop();
    }
  }
  return toReport(found);
}

async function measureOn(name: string, server: string, ways: readonly Way[]): Promise<Found[]> {
  const { url, drop } = await createTestDatabase(server);
  const pool = openPool(url);
  try {
    await pool.query("insert into projects (id, name) values ($1, $1)", [PROJECT]);
    for (const size of SIZES) await fillStore(pool, `vs_${size}`, size);
    await ensureVectorIndex(url, { model: MODEL, dimensions: DIMENSIONS });
    forgetVectorIndexes(pool);
    await vacuum(url);
    const found: Found[] = [];
    for (const size of SIZES) {
      for (const way of ways) found.push({ database: name, way: way.name, size, ...(await measure(pool, size, way)) });
    }
    return found;
  } finally {
    await pool.end();
    await drop();
  }
}

/** What autovacuum has done by then. It may take longer than a statement of the server's may. */
async function vacuum(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("vacuum analyze");
  await client.end();
}

async function measure(pool: Pool, size: number, { search }: Way) {
  const scope = { project_id: PROJECT, vector_store_ids: [`vs_${size}`] };
  const queries = makeQueries(QUERIES + WARM_UP);
  const ask = (query: (typeof queries)[number], how: Partial<Search>) =>
    searchChunks(pool, scope, { queries: [query], limit: LIMIT, embedding_model: MODEL, ...how });
  const times: number[] = [];
  const recalls: number[] = [];
  for (const [number, query] of queries.entries()) {
    const startedAt = performance.now();
    const hits = await ask(query, search);
    if (number < WARM_UP) continue;
    times.push(performance.now() - startedAt);
    if (search.vectors !== "index") continue;
    const exact = await ask(query, { ...search, vectors: "scan" });
    const keys = new Set(hits.map((hit) => `${hit.file_id} ${hit.chunk_index}`));
    recalls.push(exact.filter((hit) => keys.has(`${hit.file_id} ${hit.chunk_index}`)).length / exact.length);
  }
  const recall = recalls.reduce((sum, value) => sum + value, 0) / recalls.length;
  return { p50: percentile(times, 0.5), p95: percentile(times, 0.95), ...(recalls.length > 0 ? { recall } : {}) };
}

function toReport(found: readonly Found[]): Report {
  const largest = SIZES.at(-1) as number;
  const served = found.filter(({ way, size }) => way === HYBRID.name && size === largest);
  const indexed = found.filter(({ way }) => way === INDEX.name);
  const rows = new Map<string, string[]>();
  for (const { database, way, size, p50, p95 } of found) {
    const row = rows.get(`${database} ${way}`) ?? [database, way];
    row[2 + SIZES.indexOf(size)] = `${p50.toFixed(1)} / ${p95.toFixed(1)}`;
    rows.set(`${database} ${way}`, row);
  }
  return {
    name: "s2",
    title: "Latency of a search",
    method:
      `Stores of ${SIZES.map((size) => size.toLocaleString("en")).join(", ")} chunks in one database: made-up texts of 300 words ` +
      `with Zipf's distribution and clustered vectors of ${DIMENSIONS} dimensions. ${QUERIES} queries of four words, one ` +
      `after the other, for the ${LIMIT} best chunks.`,
    goals: [
      ...served.map(({ database, p95 }) => ({
        what: `p95 of both together, ${largest.toLocaleString("en")} chunks, ${database}`,
        found: `${p95.toFixed(0)} ms`,
        goal: `≤ ${MAX_P95_MS} ms`,
        met: p95 <= MAX_P95_MS,
      })),
      ...indexed.map(({ size, recall = 0 }) => ({
        what: `recall@${LIMIT} of HNSW against a scan, ${size.toLocaleString("en")} chunks`,
        found: recall.toFixed(3),
        goal: "≥ 0.95",
        met: recall >= 0.95,
      })),
    ],
    tables: [
      {
        title: "Milliseconds, p50 / p95",
        columns: ["database", "search", ...SIZES.map((size) => `${size.toLocaleString("en")} chunks`)],
        rows: [...rows.values()],
      },
    ],
  };
}
