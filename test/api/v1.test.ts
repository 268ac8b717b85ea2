// Version 1 of the API at work: runs from their beginning to their end, asked for and watched in the words of 2023.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, suite, test } from "node:test";
import { toFile } from "openai";
import type { AssistantStreamEvent } from "openai/resources/beta/assistants";
import type { ChatCompletionCreateParams } from "openai/resources/chat/completions";
import { readEvents } from "../support/sse.ts";
import type { SentEvent } from "../support/sse.ts";
import { addText, makeStore } from "../support/searchable-files.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { assertV1 } from "../support/v1-objects.ts";
import { waitUntil } from "../support/wait-until.ts";
import { askWeather, script, WEATHER } from "./conversation.ts";
import type { ScriptedTurn } from "./conversation.ts";
import { send } from "./raw.ts";
import { collect } from "./sdk.ts";
import { checkStream, MESSAGE, outline } from "./stream.ts";

type Version = "v1" | "v2";

interface Run {
  id: string;
  thread_id: string;
  assistant_id: string;
  status: string;
  file_ids?: string[];
  required_action: { submit_tool_outputs: { tool_calls: { id: string }[] } } | null;
}

let stack: Stack;
before(async () => {
  stack = await startStack({ apis: 2 });
  await stack.putFiles("file-A", "file-B");
});
after(() => stack.stop());

/** Posts when there is a body, else gets. */
async function ask<Body>(version: Version, path: string, body?: unknown): Promise<Body> {
  const headers = { "openai-beta": `assistants=${version}` };
  const answer = await send(stack, path, { method: body === undefined ? "GET" : "POST", body, headers });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body as Body;
}

/** Reads a stream to its end; with a body, one that a request is answered with. `api` is the process to ask. */
async function stream(version: Version, path: string, { body, api = 0 }: { body?: object; api?: number } = {}) {
  const response = await fetch(`${stack.apis[api]?.url}/v1${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      authorization: `Bearer ${stack.apiKey}`,
      "openai-beta": `assistants=${version}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify({ ...body, stream: true }) }),
  });
  const events = await collect(readEvents(response));
  assert.deepEqual(events.at(-1), { id: undefined, event: "done", data: "[DONE]" });
  const sent = events.slice(0, -1);
  checkStream(sent as unknown as AssistantStreamEvent[]);
  return sent;
}

interface Given {
  turns: ScriptedTurn[];
  tools?: unknown[];
  file_ids?: string[];
}

/** An assistant and a thread of version 1. */
async function begin({ turns, tools = [WEATHER], file_ids = [] }: Given) {
  const assistant = await ask<{ id: string }>("v1", "/assistants", { model: "gpt-4", tools, file_ids });
  const thread = await ask<{ id: string }>("v1", "/threads", { messages: [{ role: "user", content: script(turns) }] });
  return { assistant_id: assistant.id, runs: `/threads/${thread.id}/runs`, messages: `/threads/${thread.id}/messages` };
}

/** Polls as clients of that time do: they know no `incomplete`. */
function rest(path: string): Promise<Run> {
  return waitUntil(`${path} rests`, async () => {
    const run = await ask<Run>("v1", path);
    return !["queued", "in_progress", "cancelling"].includes(run.status) && run;
  });
}

const dataOf = <Data>(events: readonly SentEvent[], name: string) =>
  events.filter(({ event }) => event === name).map(({ data }) => data as Data);
const names = (events: readonly SentEvent[]) => outline(events);

const BEGUN = ["run.created", "run.queued", "run.in_progress"];

suite("a run of version 1", { concurrency: 4 }, () => {
  test("is polled to its end and leaves a message and a step", async () => {
    const { assistant_id, runs, messages } = await begin({
      turns: [{ text: "It is four.", usage: { prompt_tokens: 20, completion_tokens: 5 } }],
      tools: [{ type: "retrieval" }, { type: "code_interpreter" }],
      file_ids: ["file-A", "file-B"],
    });
    const created = await ask<Run>("v1", runs, { assistant_id, instructions: "Be brief." });
    assertV1(created);
    assert.equal(created.status, "queued");
    const run = await rest(`${runs}/${created.id}`);
    assertV1(run);
    assert.partialDeepStrictEqual(run, {
      status: "completed",
      instructions: "Be brief.",
      tools: [{ type: "retrieval" }, { type: "code_interpreter" }],
      file_ids: ["file-A", "file-B"],
      usage: { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25 },
    });
    const answers = await ask<{ data: { id: string }[] }>("v1", messages);
    for (const message of answers.data) assertV1(message);
    assert.partialDeepStrictEqual(answers.data[0], {
      role: "assistant",
      file_ids: [],
      content: [{ type: "text", text: { value: "It is four.", annotations: [] } }],
    });
    const steps = await ask<{ data: { id: string }[] }>("v1", `${runs}/${run.id}/steps`);
    const [step] = steps.data;
    assertV1(step);
    assert.partialDeepStrictEqual(step, {
      type: "message_creation",
      status: "completed",
      step_details: { message_creation: { message_id: answers.data[0]?.id } },
      usage: { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25 },
    });
    assert.deepEqual(await ask("v1", `${runs}/${run.id}/steps/${step?.id}`), step);
  });

  test("is streamed to its end in objects of version 1", async () => {
    const text = "The quick brown fox jumps over the lazy dog.";
    const { assistant_id } = await begin({ turns: [] });
    const body = { assistant_id, thread: { messages: [{ role: "user", content: script([{ text, chunk_ms: 5 }]) }] } };
    const events = await stream("v1", "/threads/runs", { body });
    assert.deepEqual(names(events), ["created", ...BEGUN, ...MESSAGE, "run.completed"]);
    for (const { data } of events) assertV1(data);
    const [message] = dataOf<{ content: unknown }>(events, "thread.message.completed");
    assert.deepEqual(message?.content, [{ type: "text", text: { value: text, annotations: [] } }]);
    const [run] = dataOf<Run>(events, "thread.run.completed");
    assert.deepEqual(await ask("v1", `/threads/${run?.thread_id}/runs/${run?.id}`), run);
  });

  test("stops for functions, takes their outputs and completes, polled", async () => {
    const { assistant_id, runs } = await begin({ turns: [askWeather("Paris", "Rome"), { text: "Sunny in both." }] });
    const { id } = await ask<Run>("v1", runs, { assistant_id });
    const waiting = await rest(`${runs}/${id}`);
    assertV1(waiting);
    assert.equal(waiting.status, "requires_action");
    const pending = waiting.required_action?.submit_tool_outputs.tool_calls ?? [];
    assert.partialDeepStrictEqual(pending, [
      { type: "function", function: { name: "get_weather", arguments: '{"city":"Paris"}' } },
      { type: "function", function: { name: "get_weather", arguments: '{"city":"Rome"}' } },
    ]);
    const tool_outputs = pending.map((call) => ({ tool_call_id: call.id, output: "sunny" }));
    const queued = await ask<Run>("v1", `${runs}/${id}/submit_tool_outputs`, { tool_outputs });
    assertV1(queued);
    assert.deepEqual([queued.status, queued.required_action], ["queued", null]);
    assert.equal((await rest(`${runs}/${id}`)).status, "completed");
    const { data } = await ask<{ data: { step_details: object }[] }>("v1", `${runs}/${id}/steps?order=asc`);
    for (const step of data) assertV1(step);
    assert.partialDeepStrictEqual(data[0]?.step_details, {
      type: "tool_calls",
      tool_calls: [
        { type: "function", function: { output: "sunny" } },
        { type: "function", function: { output: "sunny" } },
      ],
    });
  });

  test("stops for functions and goes on, streamed", async () => {
    const { assistant_id, runs } = await begin({ turns: [askWeather("Paris"), { text: "It is sunny." }] });
    const first = await stream("v1", runs, { body: { assistant_id } });
    const TOOLS = ["run.step.created", "run.step.in_progress", "run.step.delta"];
    assert.deepEqual(names(first), [...BEGUN, ...TOOLS, "run.requires_action"]);
    const [run] = dataOf<Run>(first, "thread.run.requires_action");
    const tool_outputs = run?.required_action?.submit_tool_outputs.tool_calls.map((call) => ({
      tool_call_id: call.id,
      output: "sunny",
    }));
    const second = await stream("v1", `${runs}/${run?.id}/submit_tool_outputs`, { body: { tool_outputs } });
    assert.deepEqual(names(second), [
      "run.step.completed",
      "run.queued",
      "run.in_progress",
      ...MESSAGE,
      "run.completed",
    ]);
    for (const { data } of [...first, ...second]) assertV1(data);
  });

  test("that is cut off at its limit is completed, as polled and as streamed, and says why it is short", async () => {
    const turns = [{ text: "word ".repeat(1000) }];
    const { assistant_id, runs, messages } = await begin({ turns });
    const events = await stream("v1", runs, { body: { assistant_id, max_completion_tokens: 256 } });
    assert.deepEqual(names(events).slice(-3), ["message.incomplete", "run.step.completed", "run.completed"]);
    const [streamed] = dataOf<Run>(events, "thread.run.completed");
    for (const run of [streamed, await rest(`${runs}/${streamed?.id}`)]) {
      assertV1(run);
      assert.partialDeepStrictEqual(run, {
        status: "completed",
        incomplete_details: { reason: "max_completion_tokens" },
        usage: { completion_tokens: 256 },
      });
    }
    const { data } = await ask<{ data: object[] }>("v1", messages);
    assert.partialDeepStrictEqual(data[0], { status: "incomplete", incomplete_details: { reason: "max_tokens" } });
    const seen = await ask<Run>("v2", `${runs}/${streamed?.id}`);
    assert.equal(seen.status, "incomplete");
  });

  test("that refuses says so as text, in pieces and as a whole", async () => {
    const refusal = "I cannot help with that.";
    const { assistant_id, runs, messages } = await begin({ turns: [{ refusal, chunk_chars: 5 }] });
    const events = await stream("v1", runs, { body: { assistant_id } });
    const deltas = dataOf<{ delta: { content: unknown[] } }>(events, "thread.message.delta");
    assert.ok(deltas.length > 0);
    for (const { delta } of deltas) assert.partialDeepStrictEqual(delta.content, [{ index: 0, type: "text" }]);
    assert.partialDeepStrictEqual(deltas[0]?.delta.content, [{ text: { annotations: [] } }]);
    const { data } = await ask<{ data: { content: unknown }[] }>("v1", messages);
    assert.deepEqual(data[0]?.content, [{ type: "text", text: { value: refusal, annotations: [] } }]);
  });

  test("that is cancelled while it speaks ends as cancelled", async () => {
    const { assistant_id, runs } = await begin({ turns: [{ text: "word ".repeat(2000), chunk_ms: 20 }] });
    const { id } = await ask<Run>("v1", runs, { assistant_id });
    const watching = stream("v1", `${runs}/${id}/events`);
    await waitUntil("it speaks", async () => {
      const { rowCount } = await stack.db.query("select 1 from run_deltas where run_id = $1 limit 1", [id]);
      return rowCount === 1;
    });
    const cancelling = await ask<Run>("v1", `${runs}/${id}/cancel`, {});
    assertV1(cancelling);
    assert.equal(cancelling.status, "cancelling");
    const events = await watching;
    assert.deepEqual(names(events).slice(-3), ["message.incomplete", "run.step.cancelled", "run.cancelled"]);
    for (const { data } of events) assertV1(data);
    assert.equal((await rest(`${runs}/${id}`)).status, "cancelled");
  });

  test("that searches files shows retrieval, and quotes what it cites", async () => {
    const store = await makeStore(stack);
    const file_id = await addText(stack, store, { filename: "a.txt", text: "The answer is 42." });
    const call = { name: "file_search", arguments: { queries: ["answer"] } };
    const turns = [{ tool_calls: [call] }, { text: "42【0:0†a.txt】, not 43【0:1†a.txt】.", chunk_chars: 3 }];
    const { assistant_id, runs } = await begin({ turns, tools: [{ type: "retrieval" }] });
    await ask("v2", runs.replace(/\/runs$/, ""), { tool_resources: { file_search: { vector_store_ids: [store] } } });
    const { id } = await ask<Run>("v1", runs, { assistant_id, tool_choice: { type: "retrieval" } });
    const run = await rest(`${runs}/${id}`);
    assertV1(run);
    assert.partialDeepStrictEqual(run, { status: "completed", tool_choice: { type: "retrieval" } });

    const events = await stream("v1", `${runs}/${id}/events`);
    for (const { data } of events) assertV1(data);
    const [searching] = dataOf<{ delta: { step_details: { tool_calls: { id: string }[] } } }>(
      events,
      "thread.run.step.delta",
    );
    const [{ id: callId } = { id: "" }] = searching?.delta.step_details.tool_calls ?? [];
    const retrieval = { id: callId, type: "retrieval", retrieval: {} };
    assert.deepEqual(searching?.delta.step_details.tool_calls, [{ index: 0, ...retrieval }]);
    const [step] = dataOf<{ step_details: object }>(events, "thread.run.step.completed");
    assert.deepEqual(step?.step_details, { type: "tool_calls", tool_calls: [retrieval] });

    const citation = {
      type: "file_citation",
      text: "【0:0†a.txt】",
      start_index: 2,
      end_index: 13,
      file_citation: { file_id, quote: "The answer is 42." },
    };
    const path = `${runs.replace(/\/runs$/, "")}/messages?run_id=${id}`;
    const { data } = await ask<{ data: { content: { text: { annotations: object[] } }[] }[] }>("v1", path);
    assert.deepEqual(data[0]?.content[0]?.text.annotations, [citation]);
    const [message] = dataOf<(typeof data)[number]>(events, "thread.message.completed");
    assert.deepEqual(message?.content, data[0]?.content);
    const pieces = dataOf<{ delta: { content: { text: { annotations?: object[] } }[] } }>(
      events,
      "thread.message.delta",
    );
    assert.deepEqual(
      pieces.flatMap(({ delta }) => delta.content[0]?.text.annotations ?? []),
      [{ index: 0, ...citation }],
    );
    const seen = await ask<typeof data extends (infer Item)[] ? { data: Item[] } : never>("v2", path);
    assert.deepEqual(seen.data[0]?.content[0]?.text.annotations, [{ ...citation, file_citation: { file_id } }]);
  });
});

suite("files of an assistant of version 1", { concurrency: 3 }, () => {
  const LOOK = { tool_calls: [{ name: "file_search", arguments: { queries: ["harbour"] } }] };
  const upload = async (text: string) =>
    (await stack.openai.files.create({ file: await toFile(Buffer.from(text), "port.txt"), purpose: "assistants" })).id;
  const tools = [{ type: "retrieval" }, { type: "code_interpreter" }];

  /** Runs an assistant on a new thread, and gives what the answer cites. */
  async function citationsOf(assistant_id: string): Promise<object[]> {
    const content = script([LOOK, { text: "So it says【0:0†source】." }]);
    const thread = await ask<{ id: string }>("v1", "/threads", { messages: [{ role: "user", content }] });
    const runs = `/threads/${thread.id}/runs`;
    const run = await rest(`${runs}/${(await ask<Run>("v1", runs, { assistant_id })).id}`);
    assert.equal(run.status, "completed");
    const path = `/threads/${thread.id}/messages?run_id=${run.id}`;
    const { data } = await ask<{ data: { content: { text: { annotations: object[] } }[] }[] }>("v1", path);
    return data[0]?.content[0]?.text.annotations ?? [];
  }

  test("are found and quoted by a run that begins right after they were given to it, by whichever request", async () => {
    const text = "The harbour opens at six.";
    const first = await upload(text);
    const { id } = await ask<{ id: string }>("v1", "/assistants", { model: "gpt-4", tools, file_ids: [first] });
    assert.partialDeepStrictEqual(await citationsOf(id), [{ file_citation: { file_id: first, quote: text } }]);

    const second = await upload("The harbour closes at nine.");
    await ask("v1", `/assistants/${id}`, { file_ids: [second] });
    assert.partialDeepStrictEqual(await citationsOf(id), [{ file_citation: { file_id: second } }]);

    const third = await upload("A harbour, a harbour, a harbour.");
    await ask("v1", `/assistants/${id}`, { file_ids: [] });
    assert.deepEqual(await citationsOf(id), []);
    await ask("v1", `/assistants/${id}/files`, { file_id: third });
    assert.partialDeepStrictEqual(await citationsOf(id), [{ file_citation: { file_id: third } }]);

    const { tool_resources } = await ask<{ tool_resources: object }>("v2", `/assistants/${id}`);
    assert.partialDeepStrictEqual(tool_resources, { code_interpreter: { file_ids: [third] } });
  });

  test("are not found any more when they are detached", async () => {
    const file_id = await upload("The harbour is deep.");
    const { id } = await ask<{ id: string }>("v1", "/assistants", { model: "gpt-4", tools, file_ids: [file_id] });
    assert.equal((await citationsOf(id)).length, 1);
    const headers = { "openai-beta": "assistants=v1" };
    const answer = await send(stack, `/assistants/${id}/files/${file_id}`, { method: "DELETE", headers });
    assert.equal(answer.status, 200);
    assert.deepEqual(await citationsOf(id), []);
  });

  test("are not found when version 2 has turned to another store", async () => {
    const file_id = await upload("The harbour is wide.");
    const { id } = await ask<{ id: string }>("v1", "/assistants", { model: "gpt-4", tools, file_ids: [file_id] });
    const tool_resources = { file_search: { vector_store_ids: [await makeStore(stack)] } };
    await ask("v2", `/assistants/${id}`, { tool_resources });
    assert.deepEqual(await citationsOf(id), []);
  });
});

suite("one run and both versions", { concurrency: 4 }, () => {
  /** What both versions show alike. */
  const alike = (events: readonly SentEvent[]) =>
    events.map(({ id, event, data }) => {
      const object = data as { id: string; object: string; delta?: unknown; content?: unknown };
      return { id, event, of: object.id, kind: object.object, delta: object.delta, content: object.content };
    });

  for (const [maker, watcher] of [
    ["v1", "v2"],
    ["v2", "v1"],
  ] as const) {
    test(`made by ${maker} and watched by ${watcher} at the same time, it shows the same in the words of each`, async () => {
      const { assistant_id, runs } = await begin({
        turns: [{ text: "The quick brown fox. ", repeat: 10, chunk_ms: 10 }],
        tools: [{ type: "retrieval" }],
        file_ids: ["file-A"],
      });
      const key = randomUUID();
      const { id } = await ask<Run>(maker, runs, { assistant_id, metadata: { key } });
      const path = `${runs}/${id}/events`;
      const [one, other, polled] = await Promise.all([
        stream(maker, path),
        stream(watcher, path, { api: 1 }),
        rest(`${runs}/${id}`),
      ]);
      assert.deepEqual(alike(one), alike(other));
      assert.deepEqual(
        one.map((event) => event.id),
        one.map((_, index) => index + 1),
      );
      const [v1, v2] = maker === "v1" ? [one, other] : [other, one];
      for (const { data } of v1) assertV1(data);
      const [old] = dataOf<Run>(v1, "thread.run.completed");
      assert.deepEqual(old, polled);
      assert.deepEqual(old?.file_ids, ["file-A"]);
      const [now] = dataOf<Run & { tools: { type: string }[] }>(v2, "thread.run.completed");
      assert.deepEqual(now, await ask("v2", `${runs}/${id}`));
      assert.equal(now?.tools[0]?.type, "file_search");
      assert.equal("file_ids" in (now ?? {}), false);
    });
  }

  test("cut off at its limit, it ends at the same position under two names", async () => {
    const { assistant_id, runs } = await begin({ turns: [{ text: "word ".repeat(1000) }] });
    const { id } = await ask<Run>("v2", runs, { assistant_id, max_completion_tokens: 256 });
    const [old, now] = await Promise.all([stream("v1", `${runs}/${id}/events`), stream("v2", `${runs}/${id}/events`)]);
    assert.deepEqual(
      [old.at(-1)?.event, old.at(-1)?.id, now.at(-1)?.event],
      ["thread.run.completed", now.at(-1)?.id, "thread.run.incomplete"],
    );
    const position = old.at(-1)?.id ?? 0;
    assert.deepEqual(await stream("v1", `${runs}/${id}/events?after=${position - 1}`), old.slice(-1));
    assert.deepEqual(await stream("v1", `${runs}/${id}/events?after=${position}`), [], "nothing is left");
  });

  test("waiting for outputs that one of them asked for, it takes them from the other", async () => {
    const { assistant_id, runs } = await begin({ turns: [askWeather("Paris"), { text: "It is sunny." }] });
    const [run] = dataOf<Run>(await stream("v2", runs, { body: { assistant_id } }), "thread.run.requires_action");
    const [call] = run?.required_action?.submit_tool_outputs.tool_calls ?? [];
    const tool_outputs = [{ tool_call_id: call?.id, output: "sunny" }];
    const path = `${runs}/${run?.id}/submit_tool_outputs`;
    const events = await stream("v1", path, { body: { tool_outputs } });
    assert.deepEqual(names(events).at(-1), "run.completed");
    for (const { data } of events) assertV1(data);
    const { data } = await ask<{ data: object[] }>("v2", `${runs}/${run?.id}/steps?order=asc`);
    assert.partialDeepStrictEqual(data[0], { step_details: { tool_calls: [{ function: { output: "sunny" } }] } });
  });

  test("a conversation of both versions reads on in each, and the model is sent all of it", async () => {
    const { assistant_id, runs, messages } = await begin({ turns: [{ text: "one" }], file_ids: ["file-A"] });
    await rest(`${runs}/${(await ask<Run>("v1", runs, { assistant_id })).id}`);
    const key = randomUUID();
    const parts = [{ type: "text", text: script([{ text: "two" }], key) }];
    await ask("v2", messages, { role: "user", content: parts });
    await rest(`${runs}/${(await ask<Run>("v2", runs, { assistant_id })).id}`);
    const texts = async (version: Version) => {
      const list = await ask<{ data: { role: string; content: { text: { value: string } }[] }[] }>(
        version,
        `${messages}?order=asc`,
      );
      if (version === "v1") for (const message of list.data) assertV1(message);
      return list.data.filter(({ role }) => role === "assistant").map(({ content }) => content[0]?.text.value);
    };
    assert.deepEqual(await texts("v1"), ["one", "two"]);
    assert.deepEqual(await texts("v2"), ["one", "two"]);
    const sent = stack.model.requests.find((request) => request.key === key)?.body as ChatCompletionCreateParams;
    assert.deepEqual(
      sent.messages.map(({ role }) => role),
      ["user", "assistant", "user"],
    );
    assert.equal(sent.messages[1]?.content, "one");
  });
});

test("a streamed run of version 1 that is repeated under its Idempotency-Key is streamed again, and is one", async () => {
  const { assistant_id, runs } = await begin({ turns: [{ text: "once" }], file_ids: ["file-A"] });
  const key = randomUUID();
  const again = async (): Promise<string> => {
    const response = await fetch(`${stack.baseURL}${runs}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${stack.apiKey}`,
        "openai-beta": "assistants=v1",
        "content-type": "application/json",
        "idempotency-key": key,
      },
      body: JSON.stringify({ assistant_id, stream: true }),
    });
    return response.text();
  };
  const first = await again();
  assert.match(first, /^event: thread\.run\.created\n[^]*"file_ids":\["file-A"\][^]*event: done\ndata: \[DONE\]\n\n$/);
  assert.equal(await again(), first);
  assert.equal((await ask<{ data: unknown[] }>("v1", runs)).data.length, 1);
});
