// Lists as the SDKs walk through them: every object once, in its order, however the pages are cut.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { askWeather, startConversation } from "./conversation.ts";
import { send } from "./raw.ts";
import { badRequest, refusalOf } from "./refusal.ts";
import { collect, GENERATIONS, openSdk, QUICK } from "./sdk.ts";

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.stop());

const COUNT = 25;
const ids = (items: readonly { id: string }[]) => items.map((item) => item.id);

async function threadOfMany(): Promise<{ thread_id: string; ids: string[] }> {
  const { threads } = stack.openai.beta;
  const messages = Array.from({ length: 5 }, (_, index) => ({ role: "user" as const, content: `first ${index}` }));
  const { id: thread_id } = await threads.create({ messages });
  for (let index = messages.length; index < COUNT; index++) {
    await threads.messages.create(thread_id, { role: "user", content: `then ${index}` });
  }
  const { data } = await threads.messages.list(thread_id, { order: "asc", limit: 100 });
  return { thread_id, ids: ids(data) };
}

suite("paging", { concurrency: 4 }, () => {
  for (const generation of GENERATIONS) {
    test(`${generation}: 25 messages come once each, in both orders, in pages of 10 and by default`, async () => {
      const { client } = openSdk(stack, generation);
      const { thread_id, ids: all } = await threadOfMany();
      assert.equal(new Set(all).size, COUNT);
      const { messages } = client.beta.threads;
      const walk = async (query: object) => ids(await collect(messages.list(thread_id, query)));
      assert.deepEqual(await walk({ limit: 10, order: "asc" }), all);
      assert.deepEqual(await walk({ limit: 10, order: "desc" }), all.toReversed());
      assert.deepEqual(await walk({ limit: 10 }), all.toReversed());
      assert.deepEqual(await walk({}), all.toReversed());
      assert.deepEqual(await walk({ limit: 1, order: "asc" }), all);
      assert.deepEqual(await walk({ limit: COUNT }), all.toReversed());
    });
  }

  test("the envelope names its first and last object, and whether there is more", async () => {
    const { thread_id, ids: all } = await threadOfMany();
    const list = async (query: string) => {
      const { body } = await send(stack, `/threads/${thread_id}/messages?${query}`);
      const { data, ...envelope } = body as { data: { id: string }[] };
      return { ...envelope, data: ids(data) };
    };
    const object = "list";
    assert.deepEqual(await list(`limit=10&order=asc&after=${all[9]}`), {
      object,
      data: all.slice(10, 20),
      first_id: all[10],
      last_id: all[19],
      has_more: true,
    });
    assert.deepEqual(await list(`limit=10&order=asc&after=${all[14]}`), {
      object,
      data: all.slice(15),
      first_id: all[15],
      last_id: all[24],
      has_more: false,
    });
    assert.deepEqual(await list(`after=${all[0]}`), {
      object,
      data: [],
      first_id: null,
      last_id: null,
      has_more: false,
    });
  });

  test("before a cursor come the objects directly in front of it, in the order that was asked for", async () => {
    const { thread_id, ids: all } = await threadOfMany();
    const { messages } = stack.openai.beta.threads;
    const ascending = await messages.list(thread_id, { order: "asc", before: all[12] as string, limit: 5 });
    assert.deepEqual(ids(ascending.data), all.slice(7, 12));
    assert.equal(ascending.has_more, true);
    const descending = await messages.list(thread_id, { before: all[20] as string, limit: 5 });
    assert.deepEqual(ids(descending.data), all.slice(21).toReversed());
    const few = await messages.list(thread_id, { order: "asc", before: all[2] as string });
    assert.deepEqual(ids(few.data), all.slice(0, 2));
    assert.equal(few.has_more, false);
  });

  test("runs and steps are paged in the same way", async () => {
    const { assistant_id, thread_id } = await startConversation(stack, [
      askWeather("Paris"),
      askWeather("Rome"),
      { text: "Sunny." },
    ]);
    const sdk = openSdk(stack, "openai 4");
    const { runs } = sdk.client.beta.threads;
    const made: string[] = [];
    let run = await runs.createAndPoll(thread_id, { assistant_id }, QUICK);
    for (let round = 0; round < 2; round++) {
      const [call] = run.required_action?.submit_tool_outputs.tool_calls ?? [];
      run = await sdk.submitAndPoll(run, [{ tool_call_id: call?.id ?? "", output: "x" }]);
    }
    made.push(run.id);
    for (let index = 0; index < 3; index++) {
      const waiting = await runs.createAndPoll(thread_id, { assistant_id }, QUICK);
      made.push(waiting.id);
      await sdk.cancel(waiting);
    }
    assert.deepEqual(ids(await collect(runs.list(thread_id, { limit: 2, order: "asc" }))), made);
    assert.deepEqual(ids(await collect(runs.list(thread_id, { limit: 3 }))), made.toReversed());

    const steps = await sdk.steps(run, { limit: 2 });
    assert.deepEqual(
      steps.map((step) => step.type),
      ["tool_calls", "tool_calls", "message_creation"],
    );
    assert.deepEqual(ids(await sdk.steps(run, { limit: 1, order: "desc" })), ids(steps).toReversed());
    assert.deepEqual(await sdk.step(run, steps[1]?.id ?? ""), steps[1]);
  });

  test("a cursor that is not in the list is refused, also when it is the id of something else", async () => {
    const { thread_id } = await threadOfMany();
    const other = await threadOfMany();
    const { threads } = stack.openai.beta;
    const { assistant_id } = await startConversation(stack, [{ text: "x" }]);
    const run = await threads.runs.createAndPoll(thread_id, { assistant_id }, QUICK);
    const foreign = other.ids[3] as string;
    const refused = (param: string, id: string) =>
      badRequest(`Invalid '${param}': '${id}'. No object with this ID exists in the list.`, param, "invalid_value");
    const { messages, runs } = threads;
    assert.deepEqual(await refusalOf(messages.list(thread_id, { after: foreign })), refused("after", foreign));
    assert.deepEqual(await refusalOf(messages.list(thread_id, { before: "msg_x" })), refused("before", "msg_x"));
    assert.deepEqual(await refusalOf(runs.list(thread_id, { after: "run_x" })), refused("after", "run_x"));
    assert.deepEqual(
      await refusalOf(runs.steps.list(run.id, { thread_id, after: "step_x" })),
      refused("after", "step_x"),
    );
  });

  test("limits and orders outside of the contract are refused", async () => {
    const { thread_id } = await startConversation(stack, [{ text: "x" }]);
    const { messages } = stack.openai.beta.threads;
    assert.deepEqual(
      await refusalOf(messages.list(thread_id, { limit: 101 })),
      badRequest(
        "Invalid 'limit': integer above maximum value. Expected a value <= 100, but got 101 instead.",
        "limit",
        "integer_above_max_value",
      ),
    );
    assert.deepEqual(
      await refusalOf(messages.list(thread_id, { limit: 0 })),
      badRequest(
        "Invalid 'limit': integer below minimum value. Expected a value >= 1, but got 0 instead.",
        "limit",
        "integer_below_min_value",
      ),
    );
    assert.deepEqual(
      await refusalOf(messages.list(thread_id, { order: "up" as "asc" })),
      badRequest("Invalid value: 'up'. Supported values are: 'asc' and 'desc'.", "order", "invalid_value"),
    );
  });
});
