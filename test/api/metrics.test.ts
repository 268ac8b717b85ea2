// The page for Prometheus: what is on it, who can read it, and what it says of work that is known.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createMetrics } from "../../api/metrics.ts";
import { createPool } from "../../db/pool.ts";
import { addChunks, makeStore } from "../support/searchable-files.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { storeFile } from "../support/stored-files.ts";
import { waitUntil } from "../support/wait-until.ts";
import { startConversation } from "./conversation.ts";

let stack: Stack;
let address: string;
before(async () => {
  stack = await startStack({ workers: 0, settings: { METRICS_PORT: "0", LOG_LEVEL: "info" } });
  address = await waitUntil("metrics are served", async () => {
    const logs = readdirSync(stack.folder).filter((name) => name.startsWith("api-"));
    const text = logs.map((name) => readFileSync(join(stack.folder, name), "utf8")).join("");
    const port = /"port":(\d+)\},"msg":"metrics are served"/.exec(text)?.[1];
    return port !== undefined && `http://127.0.0.1:${port}`;
  });
});
after(() => stack.stop());

/** The samples of a page, by name and labels. */
function samplesOf(page: string): Map<string, number> {
  const lines = page.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}

/** The page once it says what is expected of these samples: figures are kept for some seconds. */
async function untilSamples(expected: Record<string, number>): Promise<Map<string, number>> {
  return waitUntil(
    `the metrics say ${JSON.stringify(expected)}`,
    async () => {
      const samples = await readSamples();
      return Object.entries(expected).every(([name, value]) => samples.get(name) === value) && samples;
    },
    90_000,
  );
}

async function readSamples(): Promise<Map<string, number>> {
  const response = await fetch(`${address}/metrics`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  return samplesOf(await response.text());
}

test("it says which runs and files are under way, how old the oldest is, and what is stored", async () => {
  const { assistant_id, thread_id } = await startConversation(stack, [{ text: "ok" }]);
  const { id } = await stack.openai.beta.threads.runs.create(thread_id, { assistant_id });
  await stack.db.query("update runs set created_at = now() - interval '1 hour' where id = $1", [id]);
  const other = await startConversation(stack, [{ text: "ok" }]);
  const cancelled = await stack.openai.beta.threads.runs.create(other.thread_id, { assistant_id });
  await stack.openai.beta.threads.runs.cancel(cancelled.id, { thread_id: other.thread_id });
  const store = await makeStore(stack);
  await addChunks(stack, store, { filename: "a.txt", chunks: ["one", "two"] });
  const waiting = await storeFile(stack, { content: "three" });
  await stack.openai.vectorStores.files.create(store, { file_id: waiting });

  const samples = await untilSamples({
    'durable_assistants_runs_active{status="queued"}': 1,
    'durable_assistants_runs_active{status="requires_action"}': 0,
    'durable_assistants_runs_ended_last_minute{status="cancelled"}': 1,
    durable_assistants_ingest_files_in_progress: 1,
    'durable_assistants_vector_store_files{status="completed"}': 1,
    'durable_assistants_vector_store_files{status="in_progress"}': 1,
    'durable_assistants_vector_store_files{status="failed"}': 0,
    durable_assistants_vector_store_bytes: 6,
    durable_assistants_database_up: 1,
  });
  const age = samples.get("durable_assistants_runs_oldest_queued_seconds") ?? 0;
  assert.ok(age >= 3600 && age < 4000, String(age));
  assert.ok((samples.get("durable_assistants_ingest_oldest_file_seconds") ?? -1) > 0);
  for (const name of ["process_resident_memory_bytes", "nodejs_eventloop_lag_p99_seconds"]) {
    assert.ok(samples.has(name), name);
  }
  const answered =
    'durable_assistants_http_request_duration_seconds_count{method="POST",route="/v1/threads",status="200"}';
  assert.equal(samples.get(answered), 2);
});

test("it names no project, no id and no address that somebody has made up", async () => {
  await fetch(`${stack.baseURL}/secret-path`, { headers: { authorization: `Bearer ${stack.apiKey}` } });
  const page = await (await fetch(`${address}/metrics`)).text();
  assert.doesNotMatch(page, /proj_|thread_[A-Za-z0-9]{10}|secret-path/);
});

test("it is not there for clients of the API, with a key or without, and nothing else is at its address", async () => {
  const api = stack.baseURL.replace(/\/v1$/, "");
  for (const path of ["/metrics", "/v1/metrics"]) {
    for (const headers of [{}, { authorization: `Bearer ${stack.apiKey}` }]) {
      const { status } = await fetch(`${api}${path}`, { headers });
      assert.ok(status === 404 || status === 401, `${path} answers ${status}`);
    }
  }
  assert.equal((await fetch(`${address}/v1/models`)).status, 404);
  assert.equal((await fetch(`${address}/metrics`, { method: "POST" })).status, 404);
});

test("there is none without its setting", async () => {
  const without = await stack.startApi(0, { METRICS_PORT: "" });
  await without.stop();
  const logs = readdirSync(stack.folder).filter((name) => name.startsWith("api-"));
  const texts = logs.map((name) => readFileSync(join(stack.folder, name), "utf8"));
  assert.equal(texts.filter((text) => text.includes("metrics are served")).length, 1);
});

test("without the database it still speaks of its process, and leaves out what it cannot know", async () => {
  const db = createPool({ url: "postgres://nobody@127.0.0.1:1/none", max: 1, name: "none", onError: () => undefined });
  const failures: unknown[] = [];
  const metrics = createMetrics({ db, onFailed: (error) => failures.push(error) });
  const samples = samplesOf((await metrics.read()).text);
  assert.equal(samples.get("durable_assistants_database_up"), 0);
  assert.ok(samples.has("process_resident_memory_bytes"));
  assert.deepEqual(
    [...samples.keys()].filter((name) => /_(runs|ingest|vector)_/.test(name)),
    [],
  );
  assert.equal(failures.length, 1);
  await db.end();
});
