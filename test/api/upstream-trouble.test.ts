// Trouble upstream that passes: the run goes on as if there had been none, and the thread has one answer.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { AssistantStreamEvent } from "openai/resources/beta/assistants";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { startConversation } from "./conversation.ts";
import type { ScriptedTurn } from "./conversation.ts";
import { GENERATIONS, openSdk, QUICK } from "./sdk.ts";
import { find, MESSAGE, outline, readAll, textOf } from "./stream.ts";

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.stop());

const SAID = "The quick brown fox jumps over the lazy dog.";
/** In three pieces, with time enough for the first one to be shown before the second one is there. */
const SLOWLY = { text: SAID, chunk_chars: 15, chunk_ms: 500 };
const PLAIN = ["run.created", "run.queued", "run.in_progress", ...MESSAGE, "run.completed"];
/** A try that broke off while the model was talking, and the one that followed it. */
const RETRIED = PLAIN.toSpliced(8, 0, "message.incomplete", "run.step.failed", ...PLAIN.slice(3, 8));

async function stream(turns: ScriptedTurn[]) {
  const conversation = await startConversation(stack, turns);
  const { assistant_id, thread_id } = conversation;
  const { runs, messages } = stack.openai.beta.threads;
  const events = await readAll(await runs.create(thread_id, { assistant_id, stream: true }));
  const { id } = find(events, "thread.run.created");
  const { data } = await messages.list(thread_id, { run_id: id });
  return { ...conversation, events, run: await runs.retrieve(id, { thread_id }), messages: data };
}

/** The run is done, its thread has this one answer, and nothing of what went wrong is left in it. */
function answered({ run, messages }: Awaited<ReturnType<typeof stream>>): void {
  assert.partialDeepStrictEqual(run, { status: "completed", last_error: null });
  assert.equal(messages.length, 1);
  assert.partialDeepStrictEqual(messages[0], {
    status: "completed",
    content: [{ type: "text", text: { value: SAID } }],
  });
}

function lastMessageText(events: AssistantStreamEvent[]): string {
  return textOf(events, find(events, "thread.message.completed").id);
}

suite("trouble upstream", { concurrency: 8 }, () => {
  test("an endpoint that keeps failing is given up in the end, and the run fails with its words", async () => {
    const { run, events, messages, requests } = await stream([{ error: { status: 503 } }]);
    assert.deepEqual(outline(events).slice(-2), ["run.in_progress", "run.failed"]);
    assert.partialDeepStrictEqual(run, {
      status: "failed",
      last_error: {
        code: "server_error",
        message: "The engine is currently overloaded, please try again later.",
      },
    });
    assert.equal(messages.length, 0);
    assert.equal(requests().length, 6);
  });

  test("a busy model is asked again when it wants to be, and the stream shows nothing of it", async () => {
    const done = await stream([{ text: SAID, error: { status: 429, retry_after: 1, times: 1 } }]);
    answered(done);
    assert.deepEqual(outline(done.events), PLAIN);
    const [first, second, ...more] = done.requests();
    assert.equal(more.length, 0);
    assert.ok((second?.started_at ?? 0) - (first?.ended_at ?? 0) >= 950);
  });

  test("a model that is busy more often than a turn may fail is asked until it is not", async () => {
    const done = await stream([{ text: SAID, error: { status: 429, retry_after_ms: 10, times: 6 } }]);
    answered(done);
    assert.equal(done.requests().length, 7);
  });

  test("an endpoint that fails twice is asked a third time", async () => {
    const done = await stream([{ text: SAID, error: { status: 500, times: 2 } }]);
    answered(done);
    assert.deepEqual(outline(done.events), PLAIN);
    assert.equal(done.requests().length, 3);
  });

  test("an endpoint that drops the connection before the first byte is asked again", async () => {
    const done = await stream([{ text: SAID, cut_after_chunks: 0, times: 1 }]);
    answered(done);
    assert.deepEqual(outline(done.events), PLAIN);
  });

  for (const generation of GENERATIONS) {
    test(`${generation}: an answer that is cut in the middle is closed in the stream and given anew`, async () => {
      const sdk = openSdk(stack, generation);
      const conversation = await startConversation(stack, [{ ...SLOWLY, cut_after_chunks: 2, times: 1 }]);
      const { assistant_id, thread_id } = conversation;
      const events = await readAll(
        await sdk.client.beta.threads.runs.create(thread_id, { assistant_id, stream: true }),
      );
      assert.deepEqual(outline(events), RETRIED);
      const partial = find(events, "thread.message.incomplete");
      const final = find(events, "thread.message.completed");
      assert.notEqual(partial.id, final.id);
      assert.equal(partial.incomplete_details?.reason, "run_failed");
      const shown = textOf(events, partial.id);
      assert.ok(shown !== "" && SAID.slice(0, 30).startsWith(shown), shown);
      assert.equal(textOf(events, final.id), SAID);

      const run = find(events, "thread.run.completed");
      const messages = await sdk.client.beta.threads.messages.list(thread_id, { run_id: run.id });
      assert.deepEqual(
        messages.data.map((message) => message.id),
        [final.id],
      );
      const steps = await sdk.steps(run);
      assert.deepEqual(
        steps.map((step) => step.status),
        ["failed", "completed"],
      );
      assert.equal(steps[0]?.last_error?.code, "server_error");
      assert.deepEqual(run.usage, steps[1]?.usage);
      // The partial answer is no part of what the model is asked with.
      assert.deepEqual(conversation.request(1).messages, conversation.request(0).messages);
    });

    test(`${generation}: the stream helper survives an answer that is cut and given anew`, async () => {
      const sdk = openSdk(stack, generation);
      const { assistant_id, thread_id } = await startConversation(stack, [
        { ...SLOWLY, cut_after_chunks: 2, times: 1 },
      ]);
      const helper = sdk.client.beta.threads.runs.stream(thread_id, { assistant_id });
      assert.equal((await helper.finalRun()).status, "completed");
      const messages = await helper.finalMessages();
      assert.partialDeepStrictEqual(messages.at(-1)?.content[0], { type: "text", text: { value: SAID } });
    });
  }

  test("calls that are cut in the middle are asked for anew, and only the whole ones are handed out", async () => {
    const calls = ["Paris", "Rome"].map((city) => ({ name: "get_weather", arguments: { city } }));
    const { events, run } = await stream([
      { tool_calls: calls, chunk_chars: 15, chunk_ms: 400, cut_after_chunks: 4, times: 1 },
    ]);
    assert.deepEqual(outline(events), [
      ...PLAIN.slice(0, 5),
      "run.step.delta",
      "run.step.failed",
      ...PLAIN.slice(3, 5),
      "run.step.delta",
      "run.requires_action",
    ]);
    assert.deepEqual(
      run.required_action?.submit_tool_outputs.tool_calls.map((call) => call.function.arguments),
      ['{"city":"Paris"}', '{"city":"Rome"}'],
    );
  });

  test("an answer with garbage in it is given anew", async () => {
    const done = await stream([{ ...SLOWLY, garbage_after_chunks: 2, times: 1 }]);
    answered(done);
    assert.deepEqual(outline(done.events), RETRIED);
    assert.equal(lastMessageText(done.events), SAID);
  });

  test("an endpoint that answers with something that is no JSON is asked again", async () => {
    const done = await stream([{ text: SAID, error: { status: 502, body: "<html>Bad Gateway</html>", times: 1 } }]);
    answered(done);
  });

  test("a polled run with trouble on the way is never seen in any state but queued, in progress and completed", async () => {
    const { openai } = stack;
    const { assistant_id, thread_id } = await startConversation(stack, [{ ...SLOWLY, cut_after_chunks: 2, times: 2 }]);
    const created = await openai.beta.threads.runs.create(thread_id, { assistant_id });
    const seen = new Set<string>([created.status]);
    let run = created;
    while (run.status === "queued" || run.status === "in_progress") {
      run = await openai.beta.threads.runs.retrieve(created.id, { thread_id });
      seen.add(run.status);
      const { data } = await openai.beta.threads.messages.list(thread_id, { run_id: run.id });
      assert.ok(data.length <= 1, "the thread never shows two answers to one turn");
    }
    assert.equal(run.status, "completed");
    assert.deepEqual(
      [...seen].filter((status) => !["queued", "in_progress", "completed"].includes(status)),
      [],
    );
    const messages = await openai.beta.threads.messages.list(thread_id);
    assert.equal(messages.data.length, 2);
    const done = await openai.beta.threads.runs.poll(run.id, { thread_id }, QUICK);
    assert.equal(done.status, "completed");
  });
});
