// A run's workflow is woken while the outputs that it waits for are still being committed. When that fails, it was woken
// for nothing: the run goes on waiting.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client, Connection } from "@temporalio/client";
import OpenAI from "openai";
import { calls, lookup, scripted } from "../support/scripts.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { waitUntil } from "../support/wait-until.ts";

let stack: Stack;
let temporal: Client;
before(async () => {
  stack = await startStack();
  temporal = new Client({ connection: await Connection.connect({ address: process.env["TEMPORAL_ADDRESS"] ?? "" }) });
  await stack.db.query(`
    create sequence refused;
    create function refuse_once() returns trigger language plpgsql as $$ begin
      if nextval('refused') = 1 then
        raise exception 'could not extend file: No space left on device' using errcode = 'disk_full';
      end if;
      return null;
    end $$;
    create constraint trigger refuse_once after update on runs deferrable initially deferred for each row
      when (old.status = 'requires_action' and new.status = 'queued') execute function refuse_once()`);
});
after(async () => {
  await temporal.connection.close();
  await stack.stop();
});

test("outputs whose commit fails leave the run waiting, and can be handed in again", async () => {
  const { threads, assistants } = stack.openai.beta;
  const { runs } = threads;
  const { id: assistant_id } = await assistants.create({ model: "gpt-4o", tools: [lookup] });
  const messages = [{ role: "user" as const, content: scripted([calls("x"), { text: "found" }]) }];
  const run = await threads.createAndRunPoll({ assistant_id, thread: { messages } }, { pollIntervalMs: 50 });
  assert.equal(run.status, "requires_action");
  const { id: call } = run.required_action?.submit_tool_outputs.tool_calls[0] ?? assert.fail("it calls nothing");
  const outputs = { thread_id: run.thread_id, tool_outputs: [{ tool_call_id: call, output: "y" }] };

  await assert.rejects(runs.submitToolOutputs(run.id, outputs), (error) => {
    assert.ok(error instanceof OpenAI.InternalServerError);
    assert.equal(error.status, 503);
    return true;
  });
  const handle = temporal.workflow.getHandle(run.id);
  await waitUntil("the workflow has looked", async () => {
    const { events } = await handle.fetchHistory();
    return events?.filter((event) => event.activityTaskCompletedEventAttributes != null).length === 2;
  });
  assert.equal((await runs.retrieve(run.id, run)).status, "requires_action");

  const done = await runs.submitToolOutputsAndPoll(run.id, outputs, { pollIntervalMs: 50 });
  assert.equal(done.status, "completed");
});
