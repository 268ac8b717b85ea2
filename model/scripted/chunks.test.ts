import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { buildAnswer, completion, streamChunks } from "./chunks.ts";
import type { ChatRequest } from "./request.ts";
import type { Turn } from "./script.ts";

const identity = { id: "chatcmpl-0123456789abcdef0123456789abcdef", created: 1, model: "scripted-demo" };

function say(turn: Turn, request: Partial<ChatRequest> = {}) {
  const messages: ChatRequest["messages"] = [{ role: "user", content: "hello you" }];
  const answer = buildAnswer(turn, { model: "scripted-demo", messages, ...request }, identity);
  const chunks = [...streamChunks(answer, identity, true)].map((piece) => piece.chunk);
  return {
    chunks,
    deltas: chunks.flatMap((chunk) => chunk.choices.map((choice) => choice.delta)),
    whole: completion(answer, identity),
  };
}

/** What a client has after it has read the stream. */
function assemble({ chunks, deltas }: ReturnType<typeof say>) {
  const calls: { id: string; name: string; arguments: string }[] = [];
  for (const { index, id, function: called } of deltas.flatMap((delta) => delta.tool_calls ?? [])) {
    const call = (calls[index] ??= { id: id ?? "", name: called?.name ?? "", arguments: "" });
    call.arguments += called?.arguments ?? "";
  }
  return {
    content: deltas.map((delta) => delta.content ?? "").join(""),
    refusal: deltas.map((delta) => delta.refusal ?? "").join(""),
    calls,
    finishReason: chunks.findLast((chunk) => chunk.choices.length > 0)?.choices[0]?.finish_reason,
    usage: chunks.at(-1)?.usage,
  };
}

const anyTurn: fc.Arbitrary<Turn> = fc.record(
  {
    text: fc.string({ unit: "grapheme" }),
    refusal: fc.string(),
    repeat: fc.integer({ min: 1, max: 3 }),
    chunk_chars: fc.integer({ min: 1, max: 9 }),
    tool_calls: fc.array(
      fc.record({
        name: fc.stringMatching(/^\w{1,9}$/),
        arguments: fc.oneof(fc.string(), fc.dictionary(fc.string(), fc.string())),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  },
  { requiredKeys: [] },
);

test("a stream says exactly what the answer in one piece says, whatever the token limit", () => {
  fc.assert(
    fc.property(anyTurn, fc.option(fc.integer({ min: 1, max: 20 })), (turn, max_tokens) => {
      const said = say(turn, { max_tokens });
      const read = assemble(said);
      const [choice] = said.whole.choices;
      assert.equal(read.content, choice?.message.content ?? "");
      assert.equal(read.refusal, choice?.message.refusal ?? "");
      const calls = (choice?.message.tool_calls ?? []).map(
        (call) => call.type === "function" && { id: call.id, ...call.function },
      );
      assert.deepEqual(read.calls, calls);
      assert.equal(read.finishReason, choice?.finish_reason);
      assert.deepEqual(read.usage, said.whole.usage);
    }),
  );
});

test("no answer has more tokens than the limit, and one that was cut says so", () => {
  fc.assert(
    fc.property(anyTurn, fc.integer({ min: 1, max: 20 }), (turn, limit) => {
      const free = say(turn).whole;
      const limited = say(turn, { max_completion_tokens: limit }).whole;
      const wanted = free.usage?.completion_tokens ?? 0;
      assert.ok((limited.usage?.completion_tokens ?? 0) <= limit);
      assert.equal(limited.choices[0]?.finish_reason === "length", wanted > limit);
      assert.ok((free.choices[0]?.message.content ?? "").startsWith(limited.choices[0]?.message.content ?? ""));
    }),
  );
});

test("text never parts a surrogate pair, neither between chunks nor at the token limit", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      (text, chunk_chars, max_tokens) => {
        const { deltas } = say({ text, chunk_chars }, { max_tokens });
        for (const { content } of deltas) assert.ok((content ?? "").isWellFormed());
      },
    ),
  );
});

test("chunks are sent exactly as given, also with half a surrogate pair in each", () => {
  const chunks = ["a", "\ud83d", "\ude00b", ""];
  const { deltas, whole } = say({ chunks });
  assert.deepEqual(
    deltas.slice(1, -1).map((delta) => delta.content),
    chunks,
  );
  assert.equal(whole.choices[0]?.message.content, "a😀b");
});

test("deltas are sent exactly as given, whatever the token limit, and the answer in one piece is their sum", () => {
  const deltas = [
    { content: "a\ud83d", refusal: "no" },
    { content: "\ude00", tool_calls: [{ index: 0, id: "call_1", function: { name: "f", arguments: '{"x' } }] },
    { tool_calls: [{ index: 0, id: "call_1", function: { arguments: '":1}' } }] },
    { tool_calls: [{ index: 0, id: "call_2", function: { name: "g", arguments: null } }] },
    { tool_calls: [{ index: 1, function: { name: "f", arguments: "{}" } }], extra: true },
  ];
  const said = say({ deltas }, { max_tokens: 1 });
  assert.deepEqual(said.deltas.slice(1, -1), deltas);
  const { message, finish_reason } = said.whole.choices[0] ?? {};
  assert.equal(finish_reason, "tool_calls");
  assert.partialDeepStrictEqual(message, {
    content: "a😀",
    refusal: "no",
    tool_calls: [
      { id: "call_1", type: "function", function: { name: "f", arguments: '{"x":1}' } },
      { id: "call_2", type: "function", function: { name: "g", arguments: "" } },
      { type: "function", function: { name: "f", arguments: "{}" } },
    ],
  });
});

test("text is sent in chunks of about four characters, and as often as asked", () => {
  const { deltas } = say({ text: "abcdef", repeat: 2 });
  assert.deepEqual(
    deltas.slice(1, -1).map((delta) => delta.content),
    ["abcd", "efab", "cdef"],
  );
});

test("a tool call is announced with its id and name and without arguments, which follow in fragments", () => {
  const { deltas } = say({
    text: "Hm.",
    tool_calls: [
      { name: "f", arguments: { a: 1 } },
      { name: "g", arguments: "{not json", id: "call_1" },
    ],
  });
  assert.deepEqual(deltas.slice(1), [
    { content: "Hm." },
    {
      tool_calls: [
        {
          index: 0,
          id: "call_bcdef0123456789abcdef000",
          type: "function",
          function: { name: "f", arguments: "" },
        },
      ],
    },
    { tool_calls: [{ index: 0, function: { arguments: '{"a"' } }] },
    { tool_calls: [{ index: 0, function: { arguments: ":1}" } }] },
    { tool_calls: [{ index: 1, id: "call_1", type: "function", function: { name: "g", arguments: "" } }] },
    { tool_calls: [{ index: 1, function: { arguments: "{not" } }] },
    { tool_calls: [{ index: 1, function: { arguments: " jso" } }] },
    { tool_calls: [{ index: 1, function: { arguments: "n" } }] },
    {},
  ]);
});

test("an answer of calls alone, or a refusal, has null for its content", () => {
  assert.equal(say({ tool_calls: [{ name: "f", arguments: {} }] }).whole.choices[0]?.message.content, null);
  assert.equal(say({ refusal: "No." }).whole.choices[0]?.message.content, null);
  assert.equal(say({}).whole.choices[0]?.message.content, "");
});

test("usage is counted from the texts, or what the script says, and always adds up", () => {
  const counted = say({ text: "x".repeat(40) }).whole.usage;
  assert.deepEqual([counted?.prompt_tokens, counted?.completion_tokens, counted?.total_tokens], [7, 10, 17]);
  const told = say({ usage: { prompt_tokens: 5, completion_tokens: 6, prompt_tokens_details: { cached_tokens: 4 } } })
    .whole.usage;
  assert.deepEqual([told?.total_tokens, told?.prompt_tokens_details?.cached_tokens], [11, 4]);
});

test("only the last chunk carries the usage, and it has no choices", () => {
  const { chunks } = say({ text: "hello" });
  assert.deepEqual(
    chunks.map((chunk) => chunk.usage === null),
    [true, true, true, true, false],
  );
  assert.deepEqual(chunks.at(-1)?.choices, []);
});
