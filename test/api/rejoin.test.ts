// Streams that can be left and joined again, on any API process: nothing is lost and nothing comes twice.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { Run } from "openai/resources/beta/threads/runs/runs";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { waitUntil } from "../support/wait-until.ts";
import { askWeather, startConversation } from "./conversation.ts";
import type { ScriptedTurn } from "./conversation.ts";
import { collect, openSdk, QUICK } from "./sdk.ts";
import { readFrames } from "../support/sse.ts";
import type { Frame } from "../support/sse.ts";
import { outline } from "./stream.ts";

let stack: Stack;
before(async () => {
  stack = await startStack({ apis: 2 });
});
after(() => stack.stop());

const SAID = "The quick brown fox jumps over the lazy dog. ";
const DONE = { event: "done", data: "[DONE]" };

interface JoinOptions {
  /** Which API process to ask. */
  api?: number;
  query?: string;
  lastEventId?: string;
  signal?: AbortSignal;
}

async function join({ id, thread_id }: Pick<Run, "id" | "thread_id">, options: JoinOptions = {}): Promise<Response> {
  const { api = 0, query = "", lastEventId, signal } = options;
  const url = `${stack.apis[api]?.url}/v1/threads/${thread_id}/runs/${id}/events${query}`;
  const headers = {
    authorization: `Bearer ${stack.apiKey}`,
    "openai-beta": "assistants=v2",
    ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
  };
  return fetch(url, { headers, ...(signal === undefined ? {} : { signal }) });
}

async function read(run: Pick<Run, "id" | "thread_id">, options: JoinOptions = {}): Promise<Frame[]> {
  return collect(readFrames(await join(run, options)));
}

async function finishedRun(turns: ScriptedTurn[]): Promise<Run> {
  const { assistant_id, thread_id } = await startConversation(stack, turns);
  return stack.openai.beta.threads.runs.createAndPoll(thread_id, { assistant_id }, QUICK);
}

/** Events without their positions. */
const content = (frames: readonly Frame[]) => frames.map(({ event, data }) => ({ event, data }));

suite("re-joining", { concurrency: 4 }, () => {
  test("a finished run can be read again from every position, the last one included", async () => {
    const run = await finishedRun([{ text: SAID, chunk_ms: 30 }]);
    const all = await read(run);
    const events = all.slice(0, -1);
    assert.deepEqual(
      all.map((frame) => frame.id),
      [...events.map((_, index) => index + 1), undefined],
    );
    assert.deepEqual(content(all).at(-1), DONE);
    for (let after = 0; after <= events.length; after++) {
      const api = after % 2;
      const signal = AbortSignal.timeout(5000);
      assert.deepEqual(await read(run, { api, query: `?after=${after}`, signal }), all.slice(after));
      assert.deepEqual(await read(run, { api, lastEventId: String(after), signal }), all.slice(after));
    }
  });

  test("what can be read again is what the first stream said, word for word", async () => {
    const { assistant_id, thread_id } = await startConversation(stack, [{ text: SAID, chunk_ms: 10 }]);
    const response = await fetch(`${stack.baseURL}/threads/${thread_id}/runs`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${stack.apiKey}`,
        "openai-beta": "assistants=v2",
        "content-type": "application/json",
      },
      body: JSON.stringify({ assistant_id, stream: true }),
    });
    const live = await collect(readFrames(response));
    assert.ok(live.every((frame) => frame.id === undefined));
    const { id } = JSON.parse(live[0]?.data ?? "") as Run;
    assert.deepEqual(content(await read({ id, thread_id }, { api: 1 })), content(live));
  });

  test("a reader that is cut off again and again, now on one process and then on the other, misses nothing", async () => {
    const text = SAID.repeat(10);
    const { assistant_id, thread_id } = await startConversation(stack, [{ text, chunk_ms: 15 }]);
    const run = await stack.openai.beta.threads.runs.create(thread_id, { assistant_id });
    const frames: Frame[] = [];
    for (let attempt = 0; frames.at(-1)?.event !== "done"; attempt++) {
      assert.ok(attempt < 200);
      const controller = new AbortController();
      const lastEventId = String(frames.at(-1)?.id ?? 0);
      const response = await join(run, { api: attempt % 2, lastEventId, signal: controller.signal });
      let left = 4;
      for await (const frame of readFrames(response)) {
        frames.push(frame);
        left -= 1;
        if (left === 0) break;
      }
      controller.abort();
    }
    assert.deepEqual(frames, await read(run));
    const said = frames
      .filter(({ event }) => event === "thread.message.delta")
      .map(({ data }) => (JSON.parse(data) as { delta: { content: [{ text: { value: string } }] } }).delta)
      .map((delta) => delta.content[0].text.value)
      .join("");
    assert.equal(said, text);
  });

  test("twenty readers on two processes, who come at any time, all read the same", async () => {
    const { assistant_id, thread_id, requests } = await startConversation(stack, [
      { text: SAID.repeat(5), chunk_ms: 10 },
    ]);
    const run = await stack.openai.beta.threads.runs.create(thread_id, { assistant_id });
    const early = Array.from({ length: 10 }, (_, index) => read(run, { api: index % 2 }));
    await waitUntil("the model is talking", () => requests().length > 0);
    const late = Array.from({ length: 10 }, (_, index) => read(run, { api: index % 2 }));
    const [first, ...others] = await Promise.all([...early, ...late]);
    assert.ok(first);
    assert.equal(first.at(-1)?.event, "done");
    for (const other of others) assert.deepEqual(other, first);
  });

  test("pieces that are too large for a notice come all the same, in their place", async () => {
    const large = "ä€😀".repeat(4000);
    const run = await finishedRun([{ chunks: ["small ", large, " small ", large], chunk_ms: 60 }]);
    const again = await read(run);
    const { assistant_id, thread_id } = await startConversation(stack, [
      { chunks: ["small ", large, " small ", large], chunk_ms: 60 },
    ]);
    const live = await stack.openai.beta.threads.runs.create(thread_id, { assistant_id });
    const frames = await read(live, { api: 1 });
    const texts = [again, frames].map((all) =>
      all
        .filter(({ event }) => event === "thread.message.delta")
        .map(({ data }) => (JSON.parse(data) as { delta: { content: [{ text: { value: string } }] } }).delta)
        .map((delta) => delta.content[0].text.value)
        .join(""),
    );
    assert.deepEqual(texts, [`small ${large} small ${large}`, `small ${large} small ${large}`]);
  });

  test("a run goes on when the client that streams it goes away", async () => {
    const { assistant_id, thread_id, requests } = await startConversation(stack, [{ text: SAID, chunk_ms: 50 }]);
    const stream = await stack.openai.beta.threads.runs.create(thread_id, { assistant_id, stream: true });
    let run: Run | undefined;
    for await (const event of stream) {
      if (event.event === "thread.run.created") run = event.data;
      if (event.event === "thread.message.delta") break; // the SDK closes the connection
    }
    assert.ok(run);
    const done = await stack.openai.beta.threads.runs.poll(run.id, { thread_id }, QUICK);
    assert.equal(done.status, "completed");
    assert.equal(requests()[0]?.aborted, false);
    const [message] = (await stack.openai.beta.threads.messages.list(thread_id, { run_id: run.id })).data;
    assert.partialDeepStrictEqual(message?.content[0], { type: "text", text: { value: SAID } });
  });

  test("a run that waits for outputs is read up to there, and later past it", async () => {
    const waiting = await finishedRun([askWeather("Paris"), { text: "Sunny." }]);
    const before = await read(waiting);
    assert.deepEqual(outline(before).slice(-2), ["run.requires_action", "done"]);
    const position = before.at(-2)?.id;
    assert.deepEqual(content(await read(waiting, { query: `?after=${position}` })), [DONE]);

    const [call] = waiting.required_action?.submit_tool_outputs.tool_calls ?? [];
    await openSdk(stack, "openai 7").submitAndPoll(waiting, [{ tool_call_id: call?.id ?? "", output: "x" }]);
    const later = await read(waiting, { query: `?after=${position}` });
    assert.deepEqual(outline(later).slice(0, 2), ["run.step.completed", "run.queued"]);
    assert.deepEqual(outline(later).slice(-2), ["run.completed", "done"]);
    assert.deepEqual(await read(waiting), [...before.slice(0, -1), ...later]);
  });

  test("a reader of a run that is still queued waits for it", async () => {
    const { assistant_id, thread_id } = await startConversation(stack, [{ text: SAID, delay_ms: 300 }]);
    const run = await stack.openai.beta.threads.runs.create(thread_id, { assistant_id });
    const frames = await read(run, { query: "?after=2" });
    assert.equal(frames[0]?.event, "thread.run.in_progress");
    assert.deepEqual(content(frames).at(-1), DONE);
  });

  test("the position in the query counts before that in the header", async () => {
    const run = await finishedRun([{ text: "x" }]);
    const all = await read(run);
    assert.deepEqual(await read(run, { query: "?after=3", lastEventId: "1" }), all.slice(3));
  });

  test("a header that is no position is ignored, and a query that is none is refused", async () => {
    const run = await finishedRun([{ text: "x" }]);
    const all = await read(run);
    for (const lastEventId of ["", "abc", "-3", "1.5", "1e400", "9".repeat(40), "0x", "' or 1=1 --"]) {
      assert.deepEqual(await read(run, { lastEventId }), all, lastEventId);
    }
    for (const after of ["-1", "abc", "1.5", "9".repeat(40), "1&after=2", "1%00"]) {
      const response = await join(run, { query: `?after=${after}` });
      assert.equal(response.status, 400, after);
      assert.partialDeepStrictEqual(await response.json(), { error: { param: "after" } }, after);
    }
  });

  test("a position behind the end of a finished run ends at once", async () => {
    const run = await finishedRun([{ text: "x" }]);
    const signal = AbortSignal.timeout(5000);
    assert.deepEqual(content(await read(run, { query: "?after=1000000", signal })), [DONE]);
  });

  test("the stream of a finished run whose events are gone ends at once", async () => {
    const run = await finishedRun([{ text: "x" }]);
    await stack.db.query("delete from run_events where run_id = $1", [run.id]);
    await stack.db.query("delete from run_deltas where run_id = $1", [run.id]);
    await stack.db.query("delete from run_cursors where run_id = $1", [run.id]);
    const frames = await read(run, { signal: AbortSignal.timeout(5000) });
    assert.deepEqual(content(frames).at(-1), DONE);
  });
});
