import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import OpenAI from "openai";
import type {
  ChatCompletionChunk,
  ChatCompletionMessageParam,
  ChatCompletionTool,
} from "openai/resources/chat/completions";
import type { RecordedRequest } from "./memory.ts";
import type { Script } from "./script.ts";
import { startScriptedModel } from "./server.ts";
import type { ScriptedModel } from "./server.ts";

let model: ScriptedModel;
let client: OpenAI;

before(async () => {
  model = await startScriptedModel({ host: "127.0.0.1", port: 0 });
  client = new OpenAI({ apiKey: "any", baseURL: model.url, maxRetries: 0, timeout: 10_000, logLevel: "off" });
});
after(() => model.stop());

type Turn = Partial<Script["turns"][number]>;
const follow = (turns: Turn[], key?: string): ChatCompletionMessageParam => ({
  role: "user",
  content: `#script ${JSON.stringify({ turns, key })}`,
});
const answer = (turn: Turn, key?: string) =>
  client.chat.completions.create({ model: "gpt-4o", messages: [follow([turn], key)] });
const stream = (turn: Turn, key?: string) =>
  client.chat.completions.create({
    model: "gpt-4o",
    messages: [follow([turn], key)],
    stream: true,
    stream_options: { include_usage: true },
  });

async function textOf(chunks: AsyncIterable<ChatCompletionChunk>, onText = (_text: string) => {}): Promise<string> {
  let text = "";
  for await (const chunk of chunks) onText((text += chunk.choices[0]?.delta.content ?? ""));
  return text;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function until<T>(find: () => T | undefined | false): Promise<T> {
  for (const deadline = Date.now() + 5000; Date.now() < deadline; await delay(5)) {
    const found = find();
    if (found) return found;
  }
  throw new Error("It did not happen within 5 seconds.");
}

const recorded = (key: string) => model.requests.filter((request) => request.key === key);
const ended = (key: string) => until(() => recorded(key).find((request) => request.ended_at !== null));
const weather: ChatCompletionTool = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather in a city",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

test("an answer in one piece", async () => {
  const { choices, usage, model: name, _request_id: requestId } = await answer({ text: "Hello." });
  assert.equal(choices[0]?.message.content, "Hello.");
  assert.equal(choices[0]?.finish_reason, "stop");
  assert.equal(usage?.total_tokens, usage && usage.prompt_tokens + usage.completion_tokens);
  assert.equal(name, "gpt-4o");
  assert.match(requestId ?? "", /^req_/);
});

test("a stream, with its usage at the end", async () => {
  const chunks = await collect(await stream({ text: "Hello, you." }));
  assert.deepEqual(
    chunks.flatMap((chunk) => chunk.choices.map((choice) => choice.delta.content)),
    ["", "Hell", "o, y", "ou.", undefined],
  );
  assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1);
  assert.equal(chunks.at(-2)?.choices[0]?.finish_reason, "stop");
  assert.equal(chunks.at(-1)?.usage?.completion_tokens, 3);
});

test("a stream without include_usage has none", async () => {
  const chunks = await collect(
    await client.chat.completions.create({ model: "m", messages: [follow([{ text: "Hi" }])], stream: true }),
  );
  assert.ok(chunks.every((chunk) => !("usage" in chunk)));
});

test("half surrogate pairs travel in chunks of their own and make a whole again", async () => {
  assert.equal(await textOf(await stream({ chunks: ["a\ud83d", "\ude00b"] })), "a😀b");
});

test("an answer larger than all buffers arrives whole", async () => {
  const chunks = await stream({ text: "0123456789", repeat: 100_000, chunk_chars: 50 });
  assert.equal((await textOf(chunks)).length, 1_000_000);
});

test("parallel tool calls are streamed in fragments, and their outputs lead to the next turn", async () => {
  const turns = [
    {
      text: "Let me look.",
      tool_calls: [
        { name: "get_weather", arguments: { city: "Paris" } },
        { name: "get_weather", arguments: { city: "Rome" } },
      ],
    },
    { text: "Done." },
  ];
  const runner = client.chat.completions.stream({ model: "m", messages: [follow(turns)], tools: [weather] });
  const { message, finish_reason } = (await runner.finalChatCompletion()).choices[0]!;
  assert.equal(finish_reason, "tool_calls");
  assert.equal(message.content, "Let me look.");
  const calls = (message.tool_calls ?? []).filter((call) => call.type === "function");
  assert.deepEqual(
    calls.map((call) => call.function.arguments),
    ['{"city":"Paris"}', '{"city":"Rome"}'],
  );
  assert.equal(new Set(calls.map((call) => call.id)).size, 2);

  const outputs = calls.map((call) => ({ role: "tool" as const, tool_call_id: call.id, content: "22" }));
  const next = await client.chat.completions.create({
    model: "m",
    messages: [follow(turns), message, ...outputs],
    tools: [weather],
  });
  assert.equal(next.choices[0]?.message.content, "Done.");
});

test("a history that OpenAI would refuse is refused, and found under its key", async () => {
  const history: ChatCompletionMessageParam[] = [
    follow([{ text: "x" }], "refused"),
    { role: "tool", tool_call_id: "call_1", content: "1" },
  ];
  await assert.rejects(client.chat.completions.create({ model: "m", messages: history }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.param, "messages.[1].role");
    return true;
  });
  assert.equal((await ended("refused")).status, 400);
});

test("a script that cannot be followed is a 400 that says why", async () => {
  await assert.rejects(answer({ text: 1 } as unknown as Turn), { status: 400, code: "invalid_script" });
});

test("an error is answered with its status, body and retry headers", async () => {
  await assert.rejects(answer({ error: { status: 429, retry_after: 7, retry_after_ms: 6500 } }), (error) => {
    assert.ok(error instanceof OpenAI.RateLimitError);
    assert.equal(error.code, "rate_limit_exceeded");
    assert.deepEqual([error.headers.get("retry-after"), error.headers.get("retry-after-ms")], ["7", "6500"]);
    return true;
  });
  await assert.rejects(answer({ error: { status: 500 } }), OpenAI.InternalServerError);
  await assert.rejects(
    answer({ error: { status: 400, body: { error: { message: "too long", code: "context_length_exceeded" } } } }),
    { code: "context_length_exceeded" },
  );
  await assert.rejects(answer({ error: { status: 502, body: "<html>bad gateway</html>" } }), { status: 502 });
});

test("an error with times lets the client's retries through", async () => {
  const retrying = client.withOptions({ maxRetries: 2 });
  const messages = [follow([{ text: "At last.", error: { status: 503, retry_after_ms: 1, times: 2 } }], "retried")];
  const { choices } = await retrying.chat.completions.create({ model: "m", messages });
  assert.equal(choices[0]?.message.content, "At last.");
  assert.deepEqual(
    recorded("retried").map((request) => request.status),
    [503, 503, 200],
  );
});

test("a cut stream breaks off after so many chunks, as often as asked, and is not taken for the client's doing", async () => {
  const turn = { text: "abcdefghijkl", cut_after_chunks: 2, times: 1 };
  let seen = "";
  await assert.rejects(textOf(await stream(turn, "cut"), (text) => (seen = text)));
  assert.equal(seen, "abcdefgh");
  assert.equal((await ended("cut")).aborted, false);
  assert.equal(await textOf(await stream(turn, "cut")), "abcdefghijkl");
});

test("a cut before the first chunk, or of an answer in one piece, sends no byte", async () => {
  await assert.rejects(stream({ text: "abc", cut_after_chunks: 0 }), OpenAI.APIConnectionError);
  await assert.rejects(answer({ text: "abc", cut_after_chunks: 3 }, "cut-whole"), OpenAI.APIConnectionError);
  assert.equal((await ended("cut-whole")).status, null);
});

test("garbage in a stream is no JSON, and the stream goes on after it", async () => {
  await assert.rejects(textOf(await stream({ text: "abcdefgh", garbage_after_chunks: 1 })), SyntaxError);
  const body = JSON.stringify({
    model: "m",
    stream: true,
    messages: [follow([{ text: "abcdefgh", garbage_after_chunks: 1 }])],
  });
  const response = await fetch(`${model.url}/chat/completions`, {
    method: "POST",
    headers: { authorization: "Bearer x" },
    body,
  });
  const events = (await response.text())
    .trimEnd()
    .split("\n\n")
    .map((event) => event.replace(/^data: /, ""));
  assert.equal(events.filter((event) => event !== "[DONE]" && !event.endsWith("}")).length, 1);
  assert.equal(events.at(-1), "[DONE]");
});

test("a stream that hangs stays open and silent until the client leaves, which is recorded with its time", async () => {
  const chunks = await stream({ text: "abcdefgh", hang_after_chunks: 1 }, "hang");
  const reading = textOf(chunks, (text) => text === "abcd" && chunks.controller.abort());
  assert.equal(await reading, "abcd");
  const leftAt = Date.now();
  const request = await ended("hang");
  assert.deepEqual([request.aborted, request.status], [true, 200]);
  assert.ok(Math.abs(Number(request.ended_at) - leftAt) < 1000);
});

test("a client that leaves in the middle of a paced stream, or before the first byte, is noticed", async () => {
  const chunks = await stream({ text: "x", repeat: 10_000, chunk_chars: 1, chunk_ms: 5 }, "left");
  await textOf(chunks, (text) => text.length === 3 && chunks.controller.abort());
  assert.equal((await ended("left")).aborted, true);

  const controller = new AbortController();
  const messages = [follow([{ text: "x", delay_ms: 60_000 }], "left-early")];
  const waiting = client.chat.completions.create({ model: "m", messages }, { signal: controller.signal });
  await until(() => recorded("left-early").length === 1);
  controller.abort();
  await assert.rejects(waiting, OpenAI.APIUserAbortError);
  const request = await ended("left-early");
  assert.deepEqual([request.aborted, request.status], [true, null]);
});

test("a paced stream takes its time, and no longer", async () => {
  const started = performance.now();
  await textOf(await stream({ text: "x".repeat(40), chunk_chars: 1, chunk_ms: 10, delay_ms: 50 }));
  const tookMs = performance.now() - started;
  assert.ok(tookMs >= 50 + 39 * 10 - 5 && tookMs < 2000, `it took ${tookMs} ms`);
});

test("the token limit of the request ends a scripted text with length", async () => {
  const messages = [follow([{ text: "x".repeat(100) }])];
  const { choices, usage } = await client.chat.completions.create({ model: "m", messages, max_completion_tokens: 5 });
  assert.deepEqual(
    [choices[0]?.message.content?.length, choices[0]?.finish_reason, usage?.completion_tokens],
    [20, "length", 5],
  );
});

test("a refusal and a content filter are answered as scripted", async () => {
  assert.equal((await answer({ refusal: "I will not." })).choices[0]?.message.refusal, "I will not.");
  assert.equal(
    (await answer({ text: "I", finish_reason: "content_filter" })).choices[0]?.finish_reason,
    "content_filter",
  );
});

test("without a script the demo answers, says what it is, and calls tools", async () => {
  const messages: ChatCompletionMessageParam[] = [{ role: "user", content: "What's the weather in Paris and London?" }];
  const talk = client.chat.completions.stream({ model: "m", messages });
  assert.match((await talk.finalContent()) ?? "", /scripted demo model, not a real AI/);
  const runner = client.chat.completions.runTools({
    model: "m",
    messages,
    tools: [
      {
        type: "function",
        function: {
          ...weather.function,
          parse: JSON.parse,
          function: ({ city }: { city: string }) => `${city.length} °C`,
          parameters: weather.function.parameters ?? {},
        } as never,
      },
    ],
  });
  const report = (await runner.finalContent()) ?? "";
  assert.match(report, /5 °C.*6 °C/);
});

test("models are listed and found by id", async () => {
  const models = await collect(await client.models.list());
  assert.deepEqual(
    models.map(({ id, owned_by }) => `${id} ${owned_by}`),
    ["scripted-demo scripted-demo", "gpt-4o scripted-demo", "gpt-4o-mini scripted-demo"],
  );
  assert.equal((await client.models.retrieve("gpt-4o")).id, "gpt-4o");
  await assert.rejects(client.models.retrieve("gpt-9"), { status: 404, code: "model_not_found" });
});

test("a request without a key, with broken or no JSON, or to an unknown address is refused in OpenAI's shape", async () => {
  const send = async (path: string, init: RequestInit) => {
    const response = await fetch(new URL(path, model.url), init);
    const { error } = (await response.json()) as { error: { message: string; type: string } };
    return `${response.status} ${error.type}: ${error.message.slice(0, 24)}`;
  };
  const headers = { authorization: "Bearer x" };
  const chat = "/v1/chat/completions";
  assert.equal(await send(chat, { method: "POST", body: "{}" }), "401 invalid_request_error: You didn't provide an AP");
  assert.equal(
    await send(chat, { method: "POST", headers, body: "{" }),
    "400 invalid_request_error: We could not parse the J",
  );
  assert.equal(await send(chat, { method: "POST", headers }), "400 invalid_request_error: We could not parse the J");
  assert.equal(await send(chat, { headers }), "404 invalid_request_error: Unknown request URL: GET");
  assert.equal(
    await send("/v1/threads", { method: "POST", headers }),
    "404 invalid_request_error: Unknown request URL: POS",
  );
});

test("other processes read the requests of a key, and clear them", async () => {
  await answer({ text: "a" }, "mine");
  await answer({ text: "b" }, "other");
  const url = new URL("/scripted/requests?key=mine", model.url);
  const list = async (init?: RequestInit) =>
    ((await (await fetch(url, init)).json()) as { data: RecordedRequest[] }).data;
  await ended("mine");
  const [request, ...more] = await list();
  assert.ok(request && more.length === 0);
  assert.deepEqual([request.key, request.turn, request.status, request.aborted], ["mine", 0, 200, false]);
  assert.equal((request.body as { model: string }).model, "gpt-4o");
  assert.deepEqual(await list({ method: "DELETE" }), []);
  assert.equal(recorded("mine").length, 0);
  assert.equal(recorded("other").length, 1);
});

test("stopping ends what is still being answered, and leaves no connection", async () => {
  const other = await startScriptedModel({ host: "127.0.0.1", port: 0 });
  const chunks = await client.withOptions({ baseURL: other.url }).chat.completions.create({
    model: "m",
    messages: [follow([{ text: "abcdefgh", hang_after_chunks: 1 }])],
    stream: true,
  });
  const reading = textOf(chunks);
  assert.equal(other.openConnections(), 1);
  await Promise.all([other.stop(), assert.rejects(reading)]);
  assert.equal(other.openConnections(), 0);
});

test("a stamped text says of each chunk when it was sent", async () => {
  const before = Date.now();
  const text = await textOf(
    await stream({ text: "ten chars.", repeat: 4, chunk_chars: 10, chunk_ms: 15, stamp: true }),
  );
  const stamps = text.trim().split(" ").map(Number);
  assert.equal(stamps.length, 4);
  assert.ok(
    stamps.every((stamp, index) => stamp >= (stamps[index - 1] ?? before) && stamp <= Date.now()),
    text,
  );
  assert.ok((stamps.at(-1) as number) - before >= 45, text);
});
