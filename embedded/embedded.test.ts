// Runs `npm start` for real, with everything in a temporary folder and on free ports.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import OpenAI from "openai";
import { createTestDatabase } from "../test/support/database.ts";
import { createLauncher, START_MS, STOP_MS } from "../test/support/launch.ts";
import { waitUntil } from "../test/support/wait-until.ts";

const dataDir = mkdtempSync(join(tmpdir(), "embedded-test-"));
after(() => rmSync(dataDir, { recursive: true, force: true }));

const { launch, launchUntilReady, keptKey, runningParts, stillRunning } = createLauncher(dataDir);

async function ask(client: OpenAI): Promise<string> {
  const { id } = await client.beta.assistants.create({ model: "gpt-4o" });
  const messages = [{ role: "user" as const, content: "Hello!" }];
  const run = await client.beta.threads.createAndRunPoll(
    { assistant_id: id, thread: { messages } },
    { pollIntervalMs: 100 },
  );
  assert.equal(run.status, "completed");
  return run.thread_id;
}

let threadId = "";

test("the first start shows a key once, answers a run through the official client, and stops without a trace", async () => {
  const server = await launchUntilReady();
  assert.match(server.output(), /scripted demo model/);
  assert.doesNotMatch(server.output(), /warning/);
  assert.ok(server.output().includes(keptKey()));
  threadId = await ask(new OpenAI({ baseURL: server.baseURL, apiKey: keptKey() }));

  const parts = runningParts();
  assert.equal(stillRunning(parts).length, 5, "Postgres, Temporal, model, worker and API");
  assert.equal(await server.stop("SIGINT"), 0);
  assert.deepEqual(stillRunning(parts), []);
  assert.match(server.output(), /Stopping the API.*Stopping the worker.*Stopping Postgres.*Stopped\./s);
});

test("a later start keeps threads and key, and does not show the key", async () => {
  const server = await launchUntilReady();
  assert.ok(!server.output().includes(keptKey()));
  const client = new OpenAI({ baseURL: server.baseURL, apiKey: keptKey() });
  assert.equal((await client.beta.threads.messages.list(threadId)).data.length, 2);

  const second = launch();
  assert.deepEqual(await second.exited, [1, null]);
  assert.match(second.output(), new RegExp(`in use by process ${server.child.pid}`));

  await test("a part that is killed comes back", async () => {
    for (const part of ["the worker", "the API", "Temporal", "Postgres"]) {
      const pid = runningParts()[part] as number;
      process.kill(pid, "SIGKILL");
      await waitUntil(`${part} is started again`, () => server.output().includes(`${part} is running again`), START_MS);
      assert.notEqual(runningParts()[part], pid);
    }
    await ask(new OpenAI({ baseURL: server.baseURL, apiKey: keptKey(), maxRetries: 10 }));
  });

  await test("nothing outlives a start that is killed with -9, and the next one works", async () => {
    const parts = runningParts();
    server.child.kill("SIGKILL");
    await waitUntil("every part has ended", () => stillRunning(parts).length === 0, STOP_MS);
    const next = await launchUntilReady();
    await ask(new OpenAI({ baseURL: next.baseURL, apiKey: keptKey() }));
    assert.equal(await next.stop("SIGTERM"), 0);
  });
});

test("a Postgres and a Temporal that are given are used, and no others are started", async (t) => {
  const database = await createTestDatabase();
  const otherDir = mkdtempSync(join(tmpdir(), "embedded-test-"));
  t.after(async () => {
    await database.drop();
    rmSync(otherDir, { recursive: true, force: true });
  });
  const apiKey = "a-key-that-the-user-brought";
  const server = await launchUntilReady({
    DATA_DIR: otherDir,
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: process.env["TEMPORAL_ADDRESS"] ?? "",
    TEMPORAL_TASK_QUEUE: "embedded-test",
    BOOTSTRAP_API_KEY: apiKey,
  });
  assert.doesNotMatch(server.output(), /Starting Postgres|Starting Temporal|a-key-that/);
  await ask(new OpenAI({ baseURL: server.baseURL, apiKey }));
  assert.equal(await server.stop("SIGTERM"), 0);
});

test("every wrong setting is named, without a stack trace", async () => {
  const { exited, output } = launch({ PORT: "http", OPENAI_BASE_URL: "here", LOG_LEVEL: "loud" });
  assert.deepEqual(await exited, [1, null]);
  assert.match(output(), /3 problem\(s\).*PORT.*OPENAI_BASE_URL.*LOG_LEVEL/s);
  assert.doesNotMatch(output(), /^ {4}at /m);
});

test("with a taken port nothing is started", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const port = (taken.address() as AddressInfo).port;
  const { exited, output } = launch({ PORT: String(port) });
  assert.deepEqual(await exited, [1, null]);
  taken.close();
  assert.match(output(), new RegExp(`Port ${port} .*the API.*PORT`));
  assert.doesNotMatch(output(), /Starting/);
});

test("a start that fails half-way stops what it had started", async () => {
  const { exited, output } = launch({ TEMPORAL_ADDRESS: "127.0.0.1:1" });
  await waitUntil("the worker is being started", () => output().includes("Starting the worker"), START_MS);
  const parts = runningParts();
  assert.deepEqual(stillRunning(parts).toSorted(), ["Postgres", "the demo model"]);
  assert.deepEqual(await exited, [1, null]);
  assert.match(output(), /The worker ended .*worker\.log/s);
  assert.deepEqual(stillRunning(parts), []);
});

test("a start that is interrupted stops what it had started", async () => {
  const { child, exited, output } = launch();
  await waitUntil("the worker is being started", () => output().includes("Starting the worker"), START_MS);
  const parts = runningParts();
  child.kill("SIGINT");
  assert.deepEqual(await exited, [0, null]);
  assert.deepEqual(stillRunning(parts), []);
});
