// An upgrade with Temporal's worker deployments: an old and a new worker side by side while runs are parked.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client, Connection } from "@temporalio/client";
import { calls, lookup, scripted } from "../support/scripts.ts";
import type { ScriptedTurn } from "../support/scripts.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";
import { waitUntil } from "../support/wait-until.ts";

let stack: Stack;
let temporal: Client;
let assistant_id: string;
before(async () => {
  stack = await startStack({ workers: 0 });
  temporal = new Client({ connection: await Connection.connect({ address: process.env["TEMPORAL_ADDRESS"] ?? "" }) });
  assistant_id = (await stack.openai.beta.assistants.create({ model: "gpt-4o", tools: [lookup] })).id;
});
after(async () => {
  await temporal.connection.close();
  await stack.stop();
});

const startVersion = (buildId: string) => stack.startWorker({ WORKER_BUILD_ID: buildId });

/** As `temporal worker deployment set-current-version` does, once Temporal has heard of the version. */
async function setCurrent(buildId: string): Promise<void> {
  const request = { namespace: "default", deploymentName: stack.taskQueue, buildId, identity: "operator" };
  await waitUntil(`version ${buildId} is the current one`, async () => {
    const answer = await temporal.workflowService.setWorkerDeploymentCurrentVersion(request).catch(() => undefined);
    return answer !== undefined;
  });
}

interface Run {
  id: string;
  thread_id: string;
}

function start(turns: ScriptedTurn[]): Promise<Run> {
  const messages = [{ role: "user" as const, content: scripted(turns) }];
  return stack.openai.beta.threads.createAndRun({ assistant_id, thread: { messages } });
}

async function untilStatus({ id, thread_id }: Run, status: string) {
  return waitUntil(`the run is ${status}`, async () => {
    const run = await stack.openai.beta.threads.runs.retrieve(id, { thread_id });
    return run.status === status && run;
  });
}

async function answer(run: Run): Promise<void> {
  const { required_action } = await untilStatus(run, "requires_action");
  const pending = required_action?.submit_tool_outputs.tool_calls ?? [];
  const tool_outputs = pending.map((call) => ({ tool_call_id: call.id, output: "found" }));
  await stack.openai.beta.threads.runs.submitToolOutputs(run.id, { thread_id: run.thread_id, tool_outputs });
}

/** The version that a run's workflow was last worked on by. */
async function versionOf({ id }: Run): Promise<string | null | undefined> {
  const { raw } = await temporal.workflow.getHandle(id).describe();
  return raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId;
}

test("parked runs and new ones move to the version that is made current, and back", async () => {
  const old = await startVersion("old");
  await setCurrent("old");
  const [first, second, third] = await Promise.all(
    [1, 2, 3].map(() => start([calls("a"), calls("b"), { text: "done" }])),
  );
  assert.ok(first && second && third);
  for (const run of [first, second, third]) await untilStatus(run, "requires_action");

  await startVersion("new");
  await answer(first);
  await untilStatus(first, "requires_action");
  assert.equal(await versionOf(first), "old", "a version that is not the current one gets nothing");

  await setCurrent("new");
  await answer(second);
  await waitUntil("the second round was asked for by the new version", async () => (await versionOf(second)) === "new");
  const fresh = await start([{ text: "done" }]);
  await untilStatus(fresh, "completed");
  assert.equal(await versionOf(fresh), "new");

  await setCurrent("old");
  await answer(second);
  await untilStatus(second, "completed");
  assert.equal(await versionOf(second), "old", "the way back");

  await setCurrent("new");
  old.kill();
  await old.exited;
  for (const run of [first, third]) await answer(run);
  await answer(third);
  for (const run of [first, third]) await untilStatus(run, "completed");
});
