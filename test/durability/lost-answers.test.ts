// An API process is killed while it carries out a request with an Idempotency-Key. Whoever repeats the request at another
// one is answered as if nothing had happened, and it was carried out once.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import type pg from "pg";
import { calls, lookup, scripted } from "../support/scripts.ts";
import type { ScriptedTurn } from "../support/scripts.ts";
import { readFrames } from "../support/sse.ts";
import type { Frame } from "../support/sse.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { waitUntil } from "../support/wait-until.ts";

/** An advisory lock. While the test holds it, no transaction with a key can commit. */
const GATE = 8_841;

let stack: Stack;
let assistant_id: string;
before(async () => {
  stack = await startStack();
  await stack.db.query(`
    create function pass_gate() returns trigger language plpgsql as
      $$ begin perform pg_advisory_xact_lock_shared(${GATE}); return null; end $$;
    create constraint trigger gate after insert on idempotency_keys deferrable initially deferred
      for each row execute function pass_gate()`);
  assistant_id = (await stack.openai.beta.assistants.create({ model: "gpt-4o", tools: [lookup] })).id;
});
after(() => stack.stop());

interface Request {
  path: string;
  key: string;
  body: unknown;
}

/** Asks the API process that has lived longest. */
function post({ path, key, body }: Request): Promise<Response> {
  return fetch(`${stack.baseURL}${path}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${stack.apiKey}`,
      "openai-beta": "assistants=v2",
      "content-type": "application/json",
      "idempotency-key": key,
    },
    body: JSON.stringify(body),
  });
}

async function readText(response: Response): Promise<string> {
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return text;
}

/** Kills the process that `post` asks. */
async function killApi(): Promise<void> {
  const [first] = stack.apis;
  first?.kill();
  await waitUntil("the process is gone", () => !stack.apis.includes(first as (typeof stack.apis)[number]));
}

/** Waits until a connection of the API waits for a lock in a statement. */
async function untilStuck(statement: RegExp): Promise<void> {
  await waitUntil(`${statement} waits`, async () => {
    const { rows } = await stack.db.query<{ query: string }>(
      "select query from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    return rows.some(({ query }) => statement.test(query));
  });
}

/** Does `work` with a lock held, and lets it go whatever happens. */
async function holding(lock: string, work: (holder: pg.PoolClient) => Promise<void>): Promise<void> {
  const holder = await stack.db.connect();
  try {
    await holder.query("begin");
    await holder.query(lock);
    await work(holder);
  } finally {
    await holder.query("rollback");
    holder.release();
  }
}

async function rowsOf<Row extends pg.QueryResultRow>(query: string, ...values: unknown[]): Promise<Row[]> {
  return (await stack.db.query<Row>(query, values)).rows;
}

const say = (turns: readonly ScriptedTurn[]) => ({ messages: [{ role: "user" as const, content: scripted(turns) }] });

function untilStatus({ id, thread_id }: { id: string; thread_id: string }, status: string): Promise<unknown> {
  return waitUntil(`${id} is ${status}`, async () => {
    const run = await stack.openai.beta.threads.runs.retrieve(id, { thread_id });
    return run.status === status && run;
  });
}

async function textsOf(thread_id: string): Promise<string[]> {
  const { data } = await stack.openai.beta.threads.messages.list(thread_id, { order: "asc" });
  return data
    .filter(({ role }) => role === "assistant")
    .flatMap(({ content }) => content.map((part) => (part.type === "text" ? part.text.value : part.type)));
}

describe("the API is killed", () => {
  beforeEach(async () => {
    if (stack.apis.length < 2) await stack.startApi();
  });

  test("between the commit and the answer: the repeat is given the answer, and there is one run", async () => {
    const { id: thread_id } = await stack.openai.beta.threads.create(say([{ text: "once" }]));
    const request = { path: `/threads/${thread_id}/runs`, key: randomUUID(), body: { assistant_id } };
    let repeat: Promise<string> | undefined;
    await holding(`select pg_advisory_xact_lock(${GATE})`, async () => {
      const lost = assert.rejects(post(request), /fetch failed/);
      await untilStuck(/^commit$/);
      await killApi();
      await lost;
      // Postgres does not know yet that nobody waits for this commit any more.
      repeat = post(request).then(readText);
      await untilStuck(/^insert into idempotency_keys/);
    });
    const text = (await repeat) ?? "";
    const run = JSON.parse(text) as { id: string; thread_id: string; status: string };
    assert.equal(run.status, "queued");
    await untilStatus(run, "completed");
    assert.deepEqual(await rowsOf("select id from runs where thread_id = $1", thread_id), [{ id: run.id }]);
    assert.deepEqual(await textsOf(thread_id), ["once"]);
    assert.equal(await post(request).then(readText), text);
  });

  test("before the commit: nothing was done, and the repeat does it", async () => {
    const { id: thread_id } = await stack.openai.beta.threads.create(say([{ text: "once" }]));
    const request = { path: `/threads/${thread_id}/runs`, key: randomUUID(), body: { assistant_id } };
    let repeat: Promise<string> | undefined;
    await holding(`select 1 from threads where id = '${thread_id}' for update`, async () => {
      const lost = assert.rejects(post(request), /fetch failed/);
      await untilStuck(/^select 1 from threads/);
      await killApi();
      await lost;
      repeat = post(request).then(readText);
      await untilStuck(/^insert into idempotency_keys/);
      assert.deepEqual(await rowsOf("select 1 from runs where thread_id = $1", thread_id), []);
    });
    const run = JSON.parse((await repeat) ?? "") as { id: string; thread_id: string };
    await untilStatus(run, "completed");
    assert.deepEqual(await rowsOf("select id from runs where thread_id = $1", thread_id), [{ id: run.id }]);
    assert.deepEqual(await textsOf(thread_id), ["once"]);
  });

  test("when it has committed outputs: the repeat is not told that the run takes none any more", async () => {
    const thread = say([calls("a"), { text: "found" }]);
    const run = await stack.openai.beta.threads.createAndRun({ assistant_id, thread });
    const { required_action } = (await untilStatus(run, "requires_action")) as typeof run;
    const [call] = required_action?.submit_tool_outputs.tool_calls ?? [];
    const body = { tool_outputs: [{ tool_call_id: call?.id, output: "found" }] };
    const path = `/threads/${run.thread_id}/runs/${run.id}/submit_tool_outputs`;
    const request = { path, key: randomUUID(), body };
    await holding(`select pg_advisory_xact_lock(${GATE})`, async () => {
      const lost = assert.rejects(post(request), /fetch failed/);
      await untilStuck(/^commit$/);
      await killApi();
      await lost;
    });
    assert.match(await post(request).then(readText), /"status":"queued"/);
    await untilStatus(run, "completed");
    assert.deepEqual(await textsOf(run.thread_id), ["found"]);
  });

  test("while it streams: the repeat streams the run again from its start", async () => {
    const text = "word ".repeat(100);
    const body = { assistant_id, stream: true, thread: say([{ text, chunk_chars: 10, chunk_ms: 20 }]) };
    const request = { path: "/threads/runs", key: randomUUID(), body };
    const seen: Frame[] = [];
    await assert.rejects(async () => {
      for await (const frame of readFrames(await post(request))) {
        seen.push(frame);
        if (seen.filter(({ event }) => event === "thread.message.delta").length === 5) await killApi();
      }
      throw new Error("the stream ended as if nothing had happened");
    }, /terminated|socket|aborted/i);
    const all: Frame[] = [];
    for await (const frame of readFrames(await post(request))) all.push(frame);
    assert.deepEqual(all.slice(0, seen.length), seen);
    assert.deepEqual(
      all.slice(-2).map(({ event }) => event),
      ["thread.run.completed", "done"],
    );
    const { thread_id } = JSON.parse(all[1]?.data ?? "") as { thread_id: string };
    assert.deepEqual(await textsOf(thread_id), [text]);
    assert.equal((await rowsOf("select 1 from runs where thread_id = $1", thread_id)).length, 1);
  });
});
