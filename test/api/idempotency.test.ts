// `Idempotency-Key` where it counts: several API processes, streams, the official SDK, and answers that get lost.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { text as readText } from "node:stream/consumers";
import { after, before, suite, test } from "node:test";
import { Client, Connection } from "@temporalio/client";
import OpenAI from "openai";
import { startProxy } from "../support/proxy.ts";
import { readFrames } from "../support/sse.ts";
import type { Frame } from "../support/sse.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { waitUntil } from "../support/wait-until.ts";
import { askWeather, script, startConversation, WEATHER } from "./conversation.ts";
import type { ScriptedTurn } from "./conversation.ts";
import { collect, GENERATIONS, openSdk, QUICK } from "./sdk.ts";
import { MESSAGE, outline } from "./stream.ts";

const POOL_SIZE = 20;

let stack: Stack;
let connection: Connection;
before(async () => {
  stack = await startStack({ apis: 2, settings: { DATABASE_POOL_SIZE: String(POOL_SIZE) } });
  connection = await Connection.connect({ address: process.env["TEMPORAL_ADDRESS"] ?? "" });
});
after(async () => {
  await connection.close();
  await stack.stop();
});

interface Post {
  key?: string;
  /** Which API process to ask. */
  api?: number;
  body?: unknown;
}

function post(path: string, { key, api = 0, body }: Post): Promise<Response> {
  return fetch(`${stack.apis[api]?.url}/v1${path}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${stack.apiKey}`,
      "openai-beta": "assistants=v2",
      "content-type": "application/json",
      ...(key === undefined ? {} : { "idempotency-key": key }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

interface Answer {
  status: number;
  text: string;
}

/** Asks both API processes in turn, all at once. */
async function postAtOnce(times: number, path: string, given: Post): Promise<Answer[]> {
  const ask = async (api: number): Promise<Answer> => {
    const response = await post(path, { ...given, api });
    return { status: response.status, text: await response.text() };
  };
  return Promise.all(Array.from({ length: times }, (_, index) => ask(index % 2)));
}

/** The one answer that all of them are. */
function theOne<Body>(answers: readonly Answer[]): Body {
  assert.deepEqual(
    answers.map(({ status }) => status),
    answers.map(() => 200),
    answers.find(({ status }) => status !== 200)?.text,
  );
  assert.equal(new Set(answers.map(({ text }) => text)).size, 1, "they differ");
  return JSON.parse(answers[0]?.text ?? "") as Body;
}

async function count(table: string, where: string, value: string): Promise<number> {
  const { rows } = await stack.db.query<{ count: string }>(`select count(*) from ${table} where ${where} = $1`, [
    value,
  ]);
  return Number(rows[0]?.count);
}

/** The workflows that Temporal knows for runs of an assistant. */
async function workflowsOf(assistantId: string): Promise<string[]> {
  const query = `AssistantId = '${assistantId}'`;
  const found = await collect(new Client({ connection }).workflow.list({ query }));
  return found.map(({ workflowId }) => workflowId);
}

async function makeAssistant(): Promise<string> {
  return (await stack.openai.beta.assistants.create({ model: "gpt-4o", tools: [WEATHER] })).id;
}

const thread = (turns: ScriptedTurn[]) => ({ messages: [{ role: "user" as const, content: script(turns) }] });

async function completed({ id, thread_id }: { id: string; thread_id: string }) {
  const run = await stack.openai.beta.threads.runs.poll(id, { thread_id }, QUICK);
  assert.equal(run.status, "completed");
  return run;
}

/** A run that waits for the output of one call. */
async function park() {
  const { assistant_id, thread_id } = await startConversation(stack, [askWeather("Paris"), { text: "It is sunny." }]);
  const run = await stack.openai.beta.threads.runs.createAndPoll(thread_id, { assistant_id }, QUICK);
  const [call] = run.required_action?.submit_tool_outputs.tool_calls ?? [];
  assert.ok(call);
  const path = `/threads/${thread_id}/runs/${run.id}`;
  return { run, path, tool_outputs: [{ tool_call_id: call.id, output: "sunny" }] };
}

async function readStream(path: string, given: Post): Promise<Frame[]> {
  return collect(readFrames(await post(path, given)));
}

suite("under one key", { concurrency: 4 }, () => {
  test("ten requests at two API processes make one thread, one run and one workflow", async () => {
    const assistant_id = await makeAssistant();
    const body = { assistant_id, thread: thread([{ text: "once" }]) };
    const run = theOne<{ id: string; thread_id: string }>(
      await postAtOnce(10, "/threads/runs", { key: randomUUID(), body }),
    );
    assert.equal(await count("runs", "assistant_id", assistant_id), 1);
    await completed(run);
    const { data } = await stack.openai.beta.threads.messages.list(run.thread_id);
    assert.deepEqual(
      data.map(({ role }) => role),
      ["assistant", "user"],
    );
    await waitUntil("Temporal lists the workflow", async () => (await workflowsOf(assistant_id)).length > 0);
    assert.deepEqual(await workflowsOf(assistant_id), [run.id]);
  });

  test("ten runs asked for on one thread are one: nobody is told that the thread is taken", async () => {
    const { assistant_id, thread_id } = await startConversation(stack, [{ text: "once" }]);
    const run = theOne<{ id: string; thread_id: string }>(
      await postAtOnce(10, `/threads/${thread_id}/runs`, { key: randomUUID(), body: { assistant_id } }),
    );
    await completed(run);
    assert.equal(await count("runs", "thread_id", thread_id), 1);
  });

  test("ten messages are one", async () => {
    const { id } = await stack.openai.beta.threads.create();
    const body = { role: "user", content: "Hello" };
    const message = theOne<{ id: string }>(
      await postAtOnce(10, `/threads/${id}/messages`, { key: randomUUID(), body }),
    );
    const { data } = await stack.openai.beta.threads.messages.list(id);
    assert.deepEqual(
      data.map((listed) => listed.id),
      [message.id],
    );
  });

  test("outputs submitted ten times are taken once, and again long after the run has ended", async () => {
    const { run, path, tool_outputs } = await park();
    const submit = { key: randomUUID(), body: { tool_outputs } };
    const answers = await postAtOnce(10, `${path}/submit_tool_outputs`, submit);
    assert.equal(theOne<{ status: string }>(answers).status, "queued");
    const done = await completed(run);
    theOne([...answers, ...(await postAtOnce(2, `${path}/submit_tool_outputs`, submit))]);
    assert.deepEqual(await completed(run), done);
    const steps = await collect(stack.openai.beta.threads.runs.steps.list(run.id, { thread_id: run.thread_id }));
    assert.equal(steps.length, 2);
  });

  test("a streamed run is streamed again from its start, while it speaks and when it is over", async () => {
    const assistant_id = await makeAssistant();
    const key = randomUUID();
    const turns = [{ text: "The quick brown fox jumps over the lazy dog. ", repeat: 5, chunk_ms: 10 }];
    const body = { assistant_id, stream: true, thread: thread(turns) };
    const first = readFrames(await post("/threads/runs", { key, body }));
    const seen: Frame[] = [];
    for await (const frame of first) {
      seen.push(frame);
      if (frame.event === "thread.message.delta") break;
    }
    const [early, other] = await Promise.all([
      readStream("/threads/runs", { key, body }),
      readStream("/threads/runs", { key, body, api: 1 }),
    ]);
    assert.deepEqual(early.slice(0, seen.length), seen);
    assert.deepEqual(outline(early), [
      "created",
      "run.created",
      "run.queued",
      "run.in_progress",
      ...MESSAGE,
      "run.completed",
      "done",
    ]);
    assert.deepEqual(other, early);
    assert.deepEqual(await readStream("/threads/runs", { key, body, api: 1 }), early);
    assert.equal(await count("runs", "assistant_id", assistant_id), 1);
  });

  test("ten streams of one run are ten times the same, up to where it waits for outputs", async () => {
    const { assistant_id, thread_id } = await startConversation(stack, [
      askWeather("Paris", "London"),
      { text: "It is sunny." },
    ]);
    const key = randomUUID();
    const body = { assistant_id, stream: true };
    const [first, ...others] = await Promise.all(
      Array.from({ length: 10 }, (_, index) => readStream(`/threads/${thread_id}/runs`, { key, body, api: index % 2 })),
    );
    assert.deepEqual(outline(first ?? []).slice(-2), ["run.requires_action", "done"]);
    for (const other of others) assert.deepEqual(other, first);
    assert.equal(await count("runs", "thread_id", thread_id), 1);
  });

  test("a stream of submitted outputs is streamed again from there, and nothing is taken twice", async () => {
    const { run, path, tool_outputs } = await park();
    const submit = { key: randomUUID(), body: { tool_outputs, stream: true } };
    const [first, second] = await Promise.all([
      readStream(`${path}/submit_tool_outputs`, submit),
      readStream(`${path}/submit_tool_outputs`, { ...submit, api: 1 }),
    ]);
    assert.deepEqual(outline(first).slice(0, 3), ["run.step.completed", "run.queued", "run.in_progress"]);
    assert.deepEqual(outline(first).slice(-2), ["run.completed", "done"]);
    assert.deepEqual(second, first);
    await completed(run);
    assert.deepEqual(await readStream(`${path}/submit_tool_outputs`, { ...submit, api: 1 }), first);
  });

  test("a stream whose thread was deleted meanwhile ends with an error, and makes no new run", async () => {
    const assistant_id = await makeAssistant();
    const key = randomUUID();
    const body = { assistant_id, stream: true, thread: thread([{ text: "once" }]) };
    const [created] = await readStream("/threads/runs", { key, body });
    const { id } = JSON.parse(created?.data ?? "") as { id: string };
    await stack.openai.beta.threads.delete(id);
    const again = await readStream("/threads/runs", { key, body });
    assert.deepEqual(
      again.map(({ event }) => event),
      ["error"],
    );
    assert.match(again[0]?.data ?? "", /"code":"stream_interrupted"/);
    assert.equal(await count("runs", "assistant_id", assistant_id), 0);
  });

  test("a request that names another run's stream, or no stream, is another request", async () => {
    const assistant_id = await makeAssistant();
    const key = randomUUID();
    await readStream("/threads/runs", { key, body: { assistant_id, stream: true } });
    const plain = await post("/threads/runs", { key, body: { assistant_id } });
    assert.equal(plain.status, 400);
    assert.match(await plain.text(), /"code":"idempotency_key_reused"/);
    assert.equal(await count("runs", "assistant_id", assistant_id), 1);
  });
});

suite("the database is slow", () => {
  test("sixty repeats of a request that waits keep no one else waiting, and are answered alike", async () => {
    const { id } = await stack.openai.beta.threads.create();
    const body = { role: "user", content: "Hello" };
    const holder = await stack.db.connect();
    let repeats: Promise<Answer[]>;
    try {
      await holder.query("begin");
      await holder.query("select 1 from threads where id = $1 for update", [id]);
      repeats = postAtOnce(3 * POOL_SIZE, `/threads/${id}/messages`, { key: randomUUID(), body });
      await waitUntil("one waits for the thread, and one of the other process for the key", async () => {
        const { rows } = await stack.db.query(
          "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
        );
        return rows.length >= 2;
      });
      for (const { url } of stack.apis) {
        const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: stack.apiKey, maxRetries: 0, timeout: 5000 });
        assert.equal((await openai.beta.threads.retrieve(id)).id, id);
        await openai.beta.threads.create();
      }
    } finally {
      await holder.query("rollback");
      holder.release();
    }
    const message = theOne<{ id: string }>(await repeats);
    const { data } = await stack.openai.beta.threads.messages.list(id);
    assert.deepEqual(
      data.map((listed) => listed.id),
      [message.id],
    );
  });

  test("requests under many keys for one thread take turns, and none of them is in another's way", async () => {
    const { id } = await stack.openai.beta.threads.create();
    const keys = Array.from({ length: 40 }, () => randomUUID());
    const ask = async (key: string, api: number): Promise<number> => {
      const response = await post(`/threads/${id}/messages`, { key, api, body: { role: "user", content: key } });
      await response.arrayBuffer();
      return response.status;
    };
    const statuses = await Promise.all(keys.flatMap((key) => [ask(key, 0), ask(key, 1)]));
    assert.deepEqual([...new Set(statuses)], [200]);
    assert.equal(await count("messages", "thread_id", id), keys.length);
  });
});

suite("the official SDK", { concurrency: 2 }, () => {
  test("sends a key as a header of a request", async () => {
    const assistant_id = await makeAssistant();
    const { threads } = stack.openai.beta;
    const options = { headers: { "Idempotency-Key": randomUUID() } };
    const runs = [
      await threads.createAndRun({ assistant_id }, options),
      await threads.createAndRun({ assistant_id }, options),
    ];
    assert.deepEqual(runs[1], runs[0]);
    assert.equal(await count("runs", "assistant_id", assistant_id), 1);
  });

  for (const generation of GENERATIONS) {
    test(`${generation}: told of the header, it tries again after a lost answer without doing anything twice`, async () => {
      const assistant_id = await makeAssistant();
      const proxy = await startProxy(new URL(stack.apis[0]?.url ?? ""));
      try {
        const baseURL = new URL("/v1", proxy.url).href;
        const { client } = openSdk({ ...stack, baseURL }, generation, { maxRetries: 2 });
        Object.assign(client, { idempotencyHeader: "Idempotency-Key" });
        proxy.loseNextAnswer();
        const run = await client.beta.threads.createAndRun({ assistant_id, thread: thread([{ text: "once" }]) });
        await proxy.lost();
        assert.equal(await count("runs", "assistant_id", assistant_id), 1);
        await completed(run);

        proxy.loseNextAnswer();
        const message = await client.beta.threads.messages.create(run.thread_id, { role: "user", content: "More" });
        await proxy.lost();
        const { data } = await client.beta.threads.messages.list(run.thread_id, { before: message.id });
        assert.deepEqual(data, []);
        assert.equal(await count("messages", "thread_id", run.thread_id), 3);
        await client.beta.threads.messages.create(run.thread_id, { role: "user", content: "More" });
        assert.equal(await count("messages", "thread_id", run.thread_id), 4, "a new call has a key of its own");
      } finally {
        proxy.close();
      }
    });
  }
});

test("a key may be any text that HTTP lets through; the rest is refused by HTTP and ends nothing", async () => {
  const { hostname, port } = new URL(stack.apis[0]?.url ?? "");
  const head = `Host: x\r\nAuthorization: Bearer ${stack.apiKey}\r\nOpenAI-Beta: assistants=v2\r\nConnection: close\r\n`;
  const say = async (key: Buffer): Promise<string> => {
    const socket = connect(Number(port), hostname);
    await once(socket, "connect");
    const request = [`POST /v1/threads HTTP/1.1\r\n${head}Content-Length: 0\r\nIdempotency-Key: `, key, "\r\n\r\n"];
    socket.write(Buffer.concat(request.map((part) => Buffer.from(part as string))));
    return readText(socket);
  };
  const bytes = (text: string) => Buffer.from(`${randomUUID()}${text}`);
  for (const key of [
    bytes("clé"),
    bytes("钥匙"),
    Buffer.from([0x6b, 0xff, 0xfe, 0x80]),
    bytes("a\tb"),
    bytes("%00\\0"),
  ]) {
    const [first, second] = [await say(key), await say(key)];
    assert.match(first, /^HTTP\/1\.1 200 /);
    assert.equal(/thread_\w+/.exec(second)?.[0], /thread_\w+/.exec(first)?.[0]);
  }
  for (const key of [bytes("a\0b"), bytes("\u0001")]) assert.match(await say(key), /^HTTP\/1\.1 400 /);
  assert.match(await say(Buffer.from("   ")), /"code":"invalid_idempotency_key"/);
});

test("a key that comes in two headers is both of them", async () => {
  const keys = [randomUUID(), randomUUID()];
  const ask = async (given: string[]): Promise<string> => {
    const request = httpRequest(`${stack.baseURL}/threads`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${stack.apiKey}`,
        "openai-beta": "assistants=v2",
        "idempotency-key": given,
      },
    });
    request.end();
    const [response] = (await once(request, "response")) as [NodeJS.ReadableStream];
    return (JSON.parse(await readText(response)) as { id: string }).id;
  };
  const first = await ask(keys);
  assert.equal(await ask(keys), first);
  assert.notEqual(await ask(keys.slice(0, 1)), first);
});
