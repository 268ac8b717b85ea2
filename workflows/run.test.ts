// The workflow on a real Temporal server, with activities that do what each test needs.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Client, Connection, WorkflowFailedError } from "@temporalio/client";
import type { WorkflowHandle } from "@temporalio/client";
import { Context } from "@temporalio/activity";
import { CancelledFailure } from "@temporalio/common";
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from "@temporalio/worker";
import type { WorkflowBundle } from "@temporalio/worker";
import type { Activities, RunEnded, TurnOutcome } from "../activities/index.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import { progressQuery, statusQuery, wake } from "./definitions.ts";
import type { runWorkflow } from "./run.ts";

let connection: Connection;
let native: NativeConnection;
let workflowBundle: WorkflowBundle;
before(async () => {
  const logger = new DefaultLogger("ERROR");
  Runtime.install({ logger });
  const address = process.env["TEMPORAL_ADDRESS"] ?? "";
  connection = await Connection.connect({ address });
  native = await NativeConnection.connect({ address });
  const workflowsPath = fileURLToPath(new URL("./index.ts", import.meta.url));
  workflowBundle = await bundleWorkflowCode({ workflowsPath, logger });
});
after(async () => {
  await connection.close();
  await native.close();
});

const completed: RunEnded = { kind: "ended", status: "completed", turn: 1 };
const cancelled: RunEnded = { kind: "ended", status: "cancelled" };
const waiting = (expiresInMs: number): TurnOutcome => ({
  kind: "requires_action",
  turn: 1,
  expiresAtMs: Date.now() + expiresInMs,
  tools: ["f"],
});

type Handle = WorkflowHandle<typeof runWorkflow>;

/** Runs the workflow with these activities while `act` does something to it. */
async function withRun(activities: Partial<Activities>, act: (handle: Handle) => Promise<void>): Promise<void> {
  const taskQueue = `workflow-${randomBytes(6).toString("hex")}`;
  const worker = await Worker.create({
    connection: native,
    taskQueue,
    workflowBundle,
    activities,
    shutdownForceTime: 5000,
  });
  const client = new Client({ connection });
  await worker.runUntil(async () => {
    const handle = await client.workflow.start<typeof runWorkflow>("runWorkflow", {
      taskQueue,
      workflowId: taskQueue,
      args: [{ runId: taskQueue, projectId: "proj_1" }],
    });
    await act(handle);
  });
}

async function untilWaiting(handle: Handle): Promise<void> {
  await waitUntil("the run waits", async () => (await handle.query(statusQuery)) === "requires_action");
}

test("a run that is woken while it waits makes another turn", async () => {
  const outcomes = [waiting(60_000), completed];
  await withRun({ generate: async () => outcomes.shift() as TurnOutcome }, async (handle) => {
    await untilWaiting(handle);
    const progress = await handle.query(progressQuery);
    assert.deepEqual([progress.turns, progress.waitingFor], [1, ["f"]]);
    await handle.signal(wake);
    assert.deepEqual(await handle.result(), { status: "completed", turns: 1 });
    assert.deepEqual((await handle.query(progressQuery)).waitingFor, []);
  });
});

test("a wake that comes before the turn is reported is not lost", async () => {
  const outcomes = [waiting(60_000), completed];
  const begun = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const generate = async () => {
    begun.resolve();
    if (outcomes.length === 2) await release.promise;
    return outcomes.shift() as TurnOutcome;
  };
  await withRun({ generate }, async (handle) => {
    await begun.promise;
    await handle.signal(wake);
    release.resolve();
    assert.equal((await handle.result()).status, "completed");
  });
});

test("a wake without news lets the run wait on", async () => {
  let looks = 0;
  const generate = async () => {
    looks += 1;
    return looks < 3 ? waiting(60_000) : completed;
  };
  await withRun({ generate }, async (handle) => {
    await untilWaiting(handle);
    await handle.signal(wake);
    await waitUntil("the run has looked again", () => looks === 2);
    await untilWaiting(handle);
    await handle.signal(wake);
    assert.equal((await handle.result()).status, "completed");
  });
});

test("a run whose time is over while it waits is expired", async () => {
  const activities = {
    generate: async () => waiting(50),
    expireRun: async (): Promise<RunEnded> => ({ kind: "ended", status: "expired" }),
  };
  await withRun(activities, async (handle) => {
    assert.equal((await handle.result()).status, "expired");
  });
});

test("outputs that won against the expiry are worked on", async () => {
  const outcomes = [waiting(50), completed];
  const activities = {
    generate: async () => outcomes.shift() as TurnOutcome,
    expireRun: async (): Promise<undefined> => undefined,
  };
  await withRun(activities, async (handle) => {
    assert.equal((await handle.result()).status, "completed");
  });
});

for (const when of ["at once", "while it waits"]) {
  test(`a run that is cancelled ${when} closes as cancelled, after the database was told`, async () => {
    let told = false;
    const activities = {
      generate: async () => waiting(60_000),
      cancelRun: async () => {
        told = true;
        return cancelled;
      },
    };
    await withRun(activities, async (handle) => {
      if (when === "while it waits") await untilWaiting(handle);
      await handle.cancel();
      await assert.rejects(handle.result(), (error) => {
        return error instanceof WorkflowFailedError && error.cause instanceof CancelledFailure;
      });
      assert.ok(told);
      assert.equal((await handle.describe()).status.name, "CANCELLED");
    });
  });
}

test("a run that was cancelled before its workflow hears of it closes as cancelled, too", async () => {
  await withRun({ generate: async () => cancelled }, async (handle) => {
    await waitUntil("the run has ended", async () => (await handle.query(statusQuery)) === "cancelled");
    await handle.cancel();
    await assert.rejects(handle.result(), (error) => {
      return error instanceof WorkflowFailedError && error.cause instanceof CancelledFailure;
    });
    assert.equal((await handle.describe()).status.name, "CANCELLED");
  });
});

test("a run that had completed before its cancel came closes as completed", async () => {
  const activities = { generate: async () => waiting(60_000), cancelRun: async () => completed };
  await withRun(activities, async (handle) => {
    await untilWaiting(handle);
    await handle.cancel();
    assert.equal((await handle.result()).status, "completed");
  });
});

const called = (turn: number, ...callIds: string[]): TurnOutcome => ({
  kind: "tools",
  turn,
  calls: callIds.map((callId) => ({ stepId: `step_${turn}`, callId, tool: "file_search" })),
});

test("the calls of a turn are made side by side, and the next turn comes behind all of them", async () => {
  const outcomes = [called(1, "call_a", "call_b"), completed];
  const both = Promise.withResolvers<void>();
  const made: string[] = [];
  const activities: Partial<Activities> = {
    generate: async () => {
      made.push("generate");
      return outcomes.shift() as TurnOutcome;
    },
    searchFiles: async ({ stepId, callId }) => {
      made.push(`${stepId} ${callId}`);
      if (made.length === 3) both.resolve();
      await both.promise;
      return { kind: "done", results: 1 };
    },
  };
  await withRun(activities, async (handle) => {
    assert.deepEqual(await handle.result(), { status: "completed", turns: 1 });
  });
  assert.deepEqual(made.toSorted(), ["generate", "generate", "step_1 call_a", "step_1 call_b"]);
  assert.equal(made.at(-1), "generate");
});

test("calls that are not done when the run is looked at again are made again", async () => {
  const outcomes = [called(1, "call_a", "call_b"), called(1, "call_b"), completed];
  const made: string[] = [];
  const activities: Partial<Activities> = {
    generate: async () => outcomes.shift() as TurnOutcome,
    searchFiles: async ({ callId }) => {
      made.push(callId);
      return { kind: "over" };
    },
  };
  await withRun(activities, async (handle) => {
    assert.equal((await handle.result()).status, "completed");
  });
  assert.deepEqual(made.toSorted(), ["call_a", "call_b", "call_b"]);
});

test("a run that is cancelled while a tool works closes as cancelled, after the database was told", async () => {
  const working = Promise.withResolvers<void>();
  let told = false;
  const activities: Partial<Activities> = {
    generate: async () => called(1, "call_a"),
    searchFiles: async () => {
      working.resolve();
      const context = Context.current();
      const beat = setInterval(() => context.heartbeat(), 100);
      await context.cancelled.finally(() => clearInterval(beat));
      return { kind: "over" };
    },
    cancelRun: async () => {
      told = true;
      return cancelled;
    },
  };
  await withRun(activities, async (handle) => {
    await working.promise;
    await handle.cancel();
    await assert.rejects(handle.result(), (error) => {
      return error instanceof WorkflowFailedError && error.cause instanceof CancelledFailure;
    });
    assert.ok(told);
  });
});
