// Characters that break servers: NUL, halves of surrogate pairs, and characters outside of the basic plane, in what
// models say and in what clients send.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { startConversation } from "./conversation.ts";
import type { ScriptedTurn } from "./conversation.ts";
import { badRequest, refusalOf } from "./refusal.ts";
import { openSdk, QUICK } from "./sdk.ts";
import { find, readAll, textOf } from "./stream.ts";

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.stop());

const [HIGH, LOW] = ["\uD83D", "\uDE00"]; // the two halves of 😀

async function stream(turn: ScriptedTurn) {
  const { assistant_id, thread_id } = await startConversation(stack, [turn]);
  const { runs } = stack.openai.beta.threads;
  return readAll(await runs.create(thread_id, { assistant_id, stream: true }));
}

suite("characters", { concurrency: 4 }, () => {
  const becomes = (what: string, chunks: string[], text: string): void =>
    void test(`${what} in the model's text`, async () => {
      // Paced, so that every piece has a delta of its own; and at once, so that they are joined.
      for (const chunk_ms of [40, 0]) {
        const events = await stream({ chunks, chunk_ms });
        assert.equal(textOf(events), text);
        const message = find(events, "thread.message.completed");
        assert.deepEqual(message.content, [{ type: "text", text: { value: text, annotations: [] } }]);
        const { thread_id, id } = message;
        assert.deepEqual(await stack.openai.beta.threads.messages.retrieve(id, { thread_id }), message);
      }
    });

  becomes("a character that is split over two pieces is whole", ["a", HIGH, LOW, "b"], "a😀b");
  becomes("a split character at the end is whole", ["ab", HIGH, LOW], "ab😀");
  becomes("half a character at the end is replaced", ["ab", HIGH], "ab\uFFFD");
  becomes("half a character alone is replaced", [HIGH], "\uFFFD");
  becomes("a second half that comes first is replaced", [LOW, "ab"], "\uFFFDab");
  becomes("a first half that is followed by a letter is replaced", ["a", HIGH, "b"], "a\uFFFDb");
  becomes("two first halves and a second one keep one character", [HIGH, HIGH, LOW], "\uFFFD😀");
  becomes("NUL is replaced", ["a\u0000b", "\u0000"], "a\uFFFDb\uFFFD");
  becomes(
    "everything else is kept",
    ["\u0001\u001F\u007F\u2028\uFEFF", "'\"\\\n\r\t", "👩‍👩‍👧‍👦🏳️‍🌈", "</script>", "\r\n\r\ndata: x\n\n"],
    "\u0001\u001F\u007F\u2028\uFEFF'\"\\\n\r\t👩‍👩‍👧‍👦🏳️‍🌈</script>\r\n\r\ndata: x\n\n",
  );

  test("NUL and halves of characters in arguments and refusals are replaced, too", async () => {
    const args = `{"city":"a\u0000${HIGH}"}`;
    const events = await stream({ tool_calls: [{ name: "get_weather", arguments: args }], chunk_chars: 1 });
    const [call] = find(events, "thread.run.requires_action").required_action?.submit_tool_outputs.tool_calls ?? [];
    assert.equal(call?.function.arguments, '{"city":"a\uFFFD\uFFFD"}');
    const refused = await stream({ refusal: "no\u0000", chunk_chars: 1 });
    assert.equal(textOf(refused), "no\uFFFD");
  });

  test("a pair in the arguments of a call that is split is whole", async () => {
    const events = await stream({
      tool_calls: [{ name: "get_weather", arguments: '{"city":"😀"}' }],
      chunk_chars: 1,
      chunk_ms: 30,
    });
    const [call] = find(events, "thread.run.requires_action").required_action?.submit_tool_outputs.tool_calls ?? [];
    assert.equal(call?.function.arguments, '{"city":"😀"}');
  });

  test("messages and outputs of clients keep every character but NUL, which is refused", async () => {
    const { openai } = stack;
    const strange = "\u0001 👩‍👩‍👧‍👦 \u2028 \uFFFF ' \" \\ </script>";
    const conversation = await startConversation(stack, [
      { tool_calls: [{ name: "get_weather", arguments: {} }] },
      { text: "x" },
    ]);
    const { assistant_id, thread_id } = conversation;
    const { messages, runs } = openai.beta.threads;
    const run = await runs.createAndPoll(thread_id, { assistant_id }, QUICK);
    const [call] = run.required_action?.submit_tool_outputs.tool_calls ?? [];
    const submit = (output: string) =>
      openSdk(stack, "openai 7").submitAndPoll(run, [{ tool_call_id: call?.id ?? "", output }]);
    const refusal = await refusalOf(submit("a\u0000b"));
    assert.deepEqual(
      refusal,
      badRequest(
        "Invalid 'tool_outputs[0].output': the NUL character (U+0000) cannot be stored.",
        "tool_outputs[0].output",
        "invalid_value",
      ),
    );
    assert.equal((await submit(strange)).status, "completed");
    assert.equal(conversation.request(1).messages.at(-1)?.content, strange);

    const message = await messages.create(thread_id, { role: "user", content: `${strange}${HIGH}` });
    assert.partialDeepStrictEqual(message.content[0], { type: "text", text: { value: `${strange}\uFFFD` } });
    const nul = await refusalOf(messages.create(thread_id, { role: "user", content: "a\u0000b" }));
    assert.partialDeepStrictEqual(nul, { status: 400, param: "content" });
  });
});
