// One run at a time on a thread: while it is active, no second one and no new messages. Everything else goes on.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { AssistantStreamEvent } from "openai/resources/beta/assistants";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { waitUntil } from "../support/wait-until.ts";
import { askWeather, startConversation } from "./conversation.ts";
import { badRequest, notFound, refusalOf } from "./refusal.ts";
import { GENERATIONS, openSdk, QUICK } from "./sdk.ts";
import { outline } from "./stream.ts";

let stack: Stack;
before(async () => {
  stack = await startStack({ apis: 2 });
});
after(() => stack.stop());

const SLOWLY = { text: "word ".repeat(2000), chunk_ms: 20 };

suite("the thread lock", { concurrency: 4 }, () => {
  for (const generation of GENERATIONS) {
    test(`${generation}: an active run keeps other runs and new messages away, and is named`, async () => {
      const sdk = openSdk(stack, generation, { maxRetries: 2 });
      const { runs, messages } = sdk.client.beta.threads;
      const { assistant_id, thread_id } = await startConversation(stack, [askWeather("Paris"), { text: "Sunny." }]);
      const run = await runs.createAndPoll(thread_id, { assistant_id }, QUICK);
      assert.equal(run.status, "requires_action");
      const secondRun = runs.create(thread_id, {
        assistant_id,
        additional_messages: [{ role: "user", content: "me too" }],
      });
      assert.deepEqual(
        await refusalOf(secondRun),
        badRequest(`Thread ${thread_id} already has an active run ${run.id}.`),
      );
      assert.deepEqual(
        await refusalOf(messages.create(thread_id, { role: "user", content: "and me" })),
        badRequest(`Can't add messages to ${thread_id} while a run ${run.id} is active.`),
      );
      assert.equal((await messages.list(thread_id)).data.length, 1, "what came with the refused run is not added");

      const [call] = run.required_action?.submit_tool_outputs.tool_calls ?? [];
      const done = await sdk.submitAndPoll(run, [{ tool_call_id: call?.id ?? "", output: "x" }]);
      assert.equal(done.status, "completed");
      await messages.create(thread_id, { role: "user", content: "thanks" });
      assert.equal((await runs.create(thread_id, { assistant_id })).status, "queued");
    });
  }

  test("a run that streams locks its thread as one that waits does", async () => {
    const { assistant_id, thread_id } = await startConversation(stack, [SLOWLY]);
    const { runs, messages } = stack.openai.beta.threads;
    const run = await runs.create(thread_id, { assistant_id });
    assert.deepEqual(
      await refusalOf(runs.create(thread_id, { assistant_id, stream: true })),
      badRequest(`Thread ${thread_id} already has an active run ${run.id}.`),
    );
    assert.deepEqual(
      await refusalOf(messages.create(thread_id, { role: "user", content: "and me" })),
      badRequest(`Can't add messages to ${thread_id} while a run ${run.id} is active.`),
    );
    await openSdk(stack, "openai 7").cancel(run);
  });

  test("of ten runs created at once, over two API processes, exactly one wins and is named to the others", async () => {
    const { assistant_id, thread_id } = await startConversation(stack, [askWeather("Paris")]);
    const clients = stack.apis.map((api) => stack.openai.withOptions({ baseURL: `${api.url}/v1` }));
    assert.equal(clients.length, 2);
    const attempts = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) =>
        (clients[index % 2] ?? stack.openai).beta.threads.runs.create(thread_id, {
          assistant_id,
          additional_messages: [{ role: "user", content: `attempt ${index}` }],
        }),
      ),
    );
    const won = attempts.flatMap((attempt) => (attempt.status === "fulfilled" ? [attempt.value] : []));
    assert.equal(won.length, 1);
    for (const attempt of attempts) {
      if (attempt.status === "fulfilled") continue;
      assert.deepEqual(
        await refusalOf(Promise.reject(attempt.reason as Error)),
        badRequest(`Thread ${thread_id} already has an active run ${won[0]?.id}.`),
      );
    }
    const { openai } = stack;
    assert.equal((await openai.beta.threads.runs.list(thread_id)).data.length, 1);
    assert.equal((await openai.beta.threads.messages.list(thread_id)).data.length, 2);
  });

  test("a message and a run that race for a thread never both lose, and the run sees what came before it", async () => {
    const { runs, messages } = stack.openai.beta.threads;
    for (let round = 0; round < 5; round++) {
      const { assistant_id, thread_id } = await startConversation(stack, [{ text: "x", delay_ms: 300 }]);
      const [run, message] = await Promise.allSettled([
        runs.create(thread_id, { assistant_id }),
        messages.create(thread_id, { role: "user", content: "quickly" }),
      ]);
      assert.ok(run.status === "fulfilled", "a message takes no lock");
      if (message.status === "rejected") {
        assert.deepEqual(
          await refusalOf(Promise.reject(message.reason as Error)),
          badRequest(`Can't add messages to ${thread_id} while a run ${run.value.id} is active.`),
        );
      }
      const listed = await messages.list(thread_id);
      assert.equal(listed.data.filter(({ role }) => role === "user").length, message.status === "rejected" ? 1 : 2);
    }
  });

  test("under the lock everything can be read, and metadata and messages can be changed", async () => {
    const { assistant_id, thread_id } = await startConversation(stack, [askWeather("Paris")]);
    const { beta } = stack.openai;
    const run = await beta.threads.runs.createAndPoll(thread_id, { assistant_id }, QUICK);
    const [message] = (await beta.threads.messages.list(thread_id)).data;
    const metadata = { seen: "yes" };
    assert.deepEqual((await beta.threads.update(thread_id, { metadata })).metadata, metadata);
    assert.deepEqual((await beta.threads.runs.update(run.id, { thread_id, metadata })).metadata, metadata);
    const { id = "" } = message ?? {};
    assert.deepEqual((await beta.threads.messages.update(id, { thread_id, metadata })).metadata, metadata);
    assert.equal((await beta.threads.messages.delete(id, { thread_id })).deleted, true);
    assert.equal((await beta.threads.runs.retrieve(run.id, { thread_id })).status, "requires_action");
  });

  test("other threads are not locked", async () => {
    const first = await startConversation(stack, [askWeather("Paris")]);
    const second = await startConversation(stack, [{ text: "x" }]);
    const { runs } = stack.openai.beta.threads;
    const { assistant_id } = first;
    await runs.createAndPoll(first.thread_id, { assistant_id }, QUICK);
    assert.equal((await runs.createAndPoll(second.thread_id, { assistant_id }, QUICK)).status, "completed");
  });

  test("a thread can be deleted while its run talks: the stream ends, upstream stops, all that is left are 404s", async () => {
    const { assistant_id, thread_id, requests } = await startConversation(stack, [SLOWLY]);
    const { beta } = stack.openai;
    const events: AssistantStreamEvent[] = [];
    const reading = (async () => {
      for await (const event of await beta.threads.runs.create(thread_id, { assistant_id, stream: true })) {
        events.push(event);
      }
    })();
    // How the stream of a run that is gone ends is not in the contract; that it ends is.
    const ended = Promise.allSettled([reading]);
    await waitUntil("the model is talking", () => outline(events).includes("message.delta"));
    assert.deepEqual(await beta.threads.delete(thread_id), {
      id: thread_id,
      object: "thread.deleted",
      deleted: true,
    });
    await waitUntil("the upstream request was aborted", () => requests()[0]?.aborted === true, 3000);
    await ended;
    const gone = notFound(`No thread found with id '${thread_id}'.`);
    const { id: run_id } = (events[0] as { data: { id: string } }).data;
    assert.deepEqual(await refusalOf(beta.threads.runs.retrieve(run_id, { thread_id })), gone);
    assert.deepEqual(await refusalOf(beta.threads.runs.cancel(run_id, { thread_id })), gone);
    assert.deepEqual(await refusalOf(beta.threads.runs.steps.list(run_id, { thread_id })), gone);
    assert.deepEqual(await refusalOf(beta.threads.messages.list(thread_id)), gone);
    assert.deepEqual(await refusalOf(beta.threads.delete(thread_id)), gone);
    const { rows } = await stack.db.query("select 1 from run_deltas where run_id = $1", [run_id]);
    assert.equal(rows.length, 0, "no deltas of a deleted run are left behind");
  });

  test("a thread can be deleted while its run waits for outputs", async () => {
    const { assistant_id, thread_id } = await startConversation(stack, [askWeather("Paris")]);
    const { beta } = stack.openai;
    const run = await beta.threads.runs.createAndPoll(thread_id, { assistant_id }, QUICK);
    await beta.threads.delete(thread_id);
    assert.deepEqual(
      await refusalOf(openSdk(stack, "openai 7").submit(run, [])),
      notFound(`No thread found with id '${thread_id}'.`),
    );
  });
});
