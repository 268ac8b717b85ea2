// Calls of the server's own tools, and the turns around them: whatever dies in between, each result is written once.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { newId } from "../contract/ids.ts";
import { MAX_TOOL_CALL_TRIES, SUSPECT_AFTER_DEATHS } from "../contract/limits.ts";
import { textPart } from "../contract/message.ts";
import type { Usage } from "../contract/run.ts";
import type { StepToolCall } from "../contract/run-step.ts";
import { createTestDatabase } from "../test/support/database.ts";
import type { TestDatabase } from "../test/support/database.ts";
import { makeRun } from "../test/support/rows.ts";
import { CallLost, failRun, finishCall, forgiveCallTry, isExhausted, takeCall } from "./built-in-calls.ts";
import type { CallKey, TakenCall } from "./built-in-calls.ts";
import { createPool, withTransaction } from "./pool.ts";
import type { Pool } from "./pool.ts";
import { cancelRun, endRun, expireOverdueRun } from "./run-ends.ts";
import { readEvents } from "./run-events.ts";
import { beginTurn, completeRun, leaveToTools, openMessage, openToolCalls, TurnLost } from "./run-turns.ts";
import type { TurnRun, TurnStart } from "./run-turns.ts";
import { findRun } from "./runs.ts";
import type { RunScope } from "./scope.ts";
import { submitToolOutputs } from "./tool-outputs.ts";

let database: TestDatabase;
let db: Pool;
before(async () => {
  database = await createTestDatabase();
  db = createPool({ url: database.url, max: 12, name: "test", onError: () => undefined });
});
after(async () => {
  await db.end();
  await database.drop();
});

const USAGE: Usage = {
  prompt_tokens: 7,
  completion_tokens: 3,
  total_tokens: 10,
  prompt_token_details: { cached_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0 },
};
const RANKING = { ranker: "default_2024_08_21" as const, score_threshold: 0 };

function searchOf(id: string, ...files: string[]): StepToolCall & { type: "file_search" } {
  const results = files.map((file_id) => ({ file_id, file_name: "a.txt", score: 0.5, attributes: {} }));
  return { id, type: "file_search", file_search: { ranking_options: RANKING, results } };
}

async function begun(run: RunScope): Promise<TurnRun> {
  const start = await beginTurn(db, run);
  assert.equal(start.kind, "begun");
  return (start as TurnStart & { kind: "begun" }).run;
}

interface Called {
  run: RunScope;
  turn: TurnRun;
  step: string;
  key: (callId: string) => CallKey;
}

/** A run whose first turn has ended with these calls: names with "f" are functions, the others searches. */
async function called(ids: readonly string[], given: { expires_after_seconds?: number } = {}): Promise<Called> {
  const run = await makeRun(db, given);
  const turn = await begun(run);
  const step = newId("step_");
  await openToolCalls(db, turn, step);
  await leave(turn, step, ids);
  return { run, turn, step, key: (callId) => ({ run, stepId: step, callId }) };
}

async function leave(turn: TurnRun, step: string, ids: readonly string[]): Promise<void> {
  const tool_calls = ids.map((id): StepToolCall =>
    id.startsWith("f")
      ? { id, type: "function", function: { name: "f", arguments: "{}", output: null } }
      : searchOf(id),
  );
  const calls = ids.flatMap((id, position) =>
    id.startsWith("f") ? [] : [{ id, tool: "file_search" as const, arguments: "{}", position }],
  );
  await leaveToTools(db, turn, { id: step, tool_calls }, { calls, usage: USAGE });
}

async function taken(key: CallKey): Promise<TakenCall> {
  const call = await takeCall(db, key);
  assert.ok(call);
  return call;
}

async function finished(key: CallKey, file = "file-a"): Promise<void> {
  await finishCall(db, await taken(key), { shown: searchOf(key.callId, file) });
}

async function stepOf(step: string): Promise<{ status: string; calls: StepToolCall[]; usage: Usage | null }> {
  const { rows } = await db.query<{ status: string; calls: StepToolCall[]; usage: Usage | null }>(
    "select status, step_details -> 'tool_calls' as calls, usage from run_steps where id = $1",
    [step],
  );
  assert.ok(rows[0]);
  return rows[0];
}

async function lastEvents(run: RunScope, count: number): Promise<string[]> {
  return (await readEvents(db, run.id, 0, 1000)).map(({ event }) => event).slice(-count);
}

function pendingOf(start: TurnStart): string[] {
  assert.equal(start.kind, "calling");
  return start.kind === "calling" ? start.calls.map(({ call_id }) => call_id) : [];
}

describe("a turn that has ended with calls of the server's own tools", () => {
  test("is not made again: those that are not done are named, as often as anybody asks", async () => {
    const { run, key, step } = await called(["a", "b"]);
    for (let look = 0; look < SUSPECT_AFTER_DEATHS + 1; look += 1) {
      assert.deepEqual(pendingOf(await beginTurn(db, run, false)), ["a", "b"]);
    }
    await finished(key("a"));
    assert.deepEqual(pendingOf(await beginTurn(db, run)), ["b"]);
    assert.equal((await stepOf(step)).status, "in_progress");
    assert.deepEqual(await lastEvents(run, 1), ["thread.run.step.in_progress"]);
  });

  test("counts its tokens at once, and its step when it is done", async () => {
    const { run, key, step } = await called(["a"]);
    const { rows } = await db.query("select prompt_tokens, completion_tokens, status from runs where id = $1", [
      run.id,
    ]);
    assert.deepEqual(rows, [{ prompt_tokens: 7, completion_tokens: 3, status: "in_progress" }]);
    await finished(key("a"));
    await begun(run);
    assert.deepEqual((await stepOf(step)).usage, USAGE);
  });

  test("is followed by the next turn when all are done, which a crash does not undo", async () => {
    const { run, key, step } = await called(["a", "b"]);
    await finished(key("b"), "file-b");
    await finished(key("a"), "file-a");
    const next = await begun(run);
    assert.deepEqual([next.turn, next.tries], [2, 1]);
    assert.deepEqual(await stepOf(step), {
      status: "completed",
      calls: [searchOf("a", "file-a"), searchOf("b", "file-b")],
      usage: USAGE,
    });
    await openMessage(db, next, { message: newId("msg_"), step: newId("step_") });
    const again = await begun(run);
    assert.deepEqual([again.turn, again.tries], [2, 2]);
    assert.equal((await stepOf(step)).status, "completed");
    assert.deepEqual(await lastEvents(run, 2), ["thread.message.incomplete", "thread.run.step.failed"]);
    const said = { id: newId("msg_"), content: [textPart("x")], tokens: 1 };
    await openMessage(db, again, { message: said.id, step: newId("step_") });
    await completeRun(db, again, said, USAGE);
    assert.equal((await findRun(db, run))?.usage?.total_tokens, 20);
  });

  test("waits for its functions alone once its searches are done, and takes their outputs", async () => {
    const { run, key, step } = await called(["f1", "a", "f2"]);
    await finished(key("a"));
    const start = await beginTurn(db, run);
    assert.equal(start.kind, "waiting");
    const asked = start.kind === "waiting" ? start.calls : [];
    assert.deepEqual(
      asked.map(({ id, function: called }) => [id, called]),
      [
        ["f1", { name: "f", arguments: "{}" }],
        ["f2", { name: "f", arguments: "{}" }],
      ],
    );
    assert.deepEqual(await lastEvents(run, 1), ["thread.run.requires_action"]);
    const again = await beginTurn(db, run);
    assert.equal(again.kind === "waiting" && again.added, undefined, "it is asked once");
    const outputs = ["f1", "f2"].map((id) => ({ id, output: id }));
    await withTransaction(db, (tx) => submitToolOutputs(tx, run, outputs));
    assert.deepEqual(
      (await stepOf(step)).calls.map((call) => (call.type === "function" ? call.function.output : call.type)),
      ["f1", "file_search", "f2"],
    );
    assert.equal((await begun(run)).turn, 2);
  });

  test("numbers its searches behind those of earlier turns", async () => {
    const { run, key } = await called(["a", "b"]);
    assert.deepEqual([(await taken(key("a"))).number, (await taken(key("b"))).number], [0, 1]);
    await finished(key("a"));
    await finished(key("b"));
    const turn = await begun(run);
    const step = newId("step_");
    await openToolCalls(db, turn, step);
    await leave(turn, step, ["c"]);
    assert.equal((await taken({ run, stepId: step, callId: "c" })).number, 2);
  });

  test("is ended by its newest try alone", async () => {
    const run = await makeRun(db);
    const old = await begun(run);
    const step = newId("step_");
    await openToolCalls(db, old, step);
    await begun(run);
    await assert.rejects(leave(old, step, ["a"]), TurnLost);
    assert.equal((await db.query("select 1 from built_in_calls where run_id = $1", [run.id])).rowCount, 0);
  });
});

describe("a call", () => {
  test("is finished once, whoever tries again", async () => {
    const { key, step } = await called(["a"]);
    const call = await taken(key("a"));
    await finishCall(db, call, { shown: searchOf("a", "file-first") });
    await assert.rejects(finishCall(db, call, { shown: searchOf("a", "file-second") }), CallLost);
    assert.equal(await takeCall(db, key("a")), undefined);
    assert.deepEqual((await stepOf(step)).calls, [searchOf("a", "file-first")]);
  });

  test("is written to by its newest try alone", async () => {
    const { key, step } = await called(["a"]);
    const old = await taken(key("a"));
    const newer = await taken(key("a"));
    await assert.rejects(finishCall(db, old, { shown: searchOf("a", "file-old") }), CallLost);
    await assert.rejects(failRun(db, old, { code: "server_error", message: "old" }), CallLost);
    await finishCall(db, newer, { shown: searchOf("a", "file-new") });
    assert.deepEqual((await stepOf(step)).calls, [searchOf("a", "file-new")]);
  });

  test("leaves the results of the others, which finish at the same time", async () => {
    const ids = ["a", "b", "c", "d"];
    const { run, key, step } = await called(ids);
    const calls = await Promise.all(ids.map((id) => taken(key(id))));
    await Promise.all(calls.map((call) => finishCall(db, call, { shown: searchOf(call.key.callId, "file-x") })));
    assert.deepEqual(
      (await stepOf(step)).calls,
      ids.map((id) => searchOf(id, "file-x")),
    );
    assert.equal((await begun(run)).turn, 2);
  });

  test("is exhausted by tries that may have been its fault, and by no others", async () => {
    const { key } = await called(["a"]);
    await forgiveCallTry(db, await taken(key("a")));
    for (let tries = 1; tries <= MAX_TOOL_CALL_TRIES; tries += 1) assert.ok(!isExhausted(await taken(key("a"))));
    const last = await taken(key("a"));
    assert.ok(isExhausted(last));
    await finishCall(db, last, { told: "it failed" });
  });

  test("may end its run as failed, with its step", async () => {
    const { run, key, step } = await called(["a"]);
    await failRun(db, await taken(key("a")), { code: "server_error", message: "no" });
    assert.deepEqual((await findRun(db, run))?.last_error, { code: "server_error", message: "no" });
    assert.equal((await stepOf(step)).status, "failed");
    assert.deepEqual(await lastEvents(run, 2), ["thread.run.step.failed", "thread.run.failed"]);
    assert.deepEqual(await beginTurn(db, run), { kind: "ended", status: "failed" });
  });

  const ends: [name: string, step: string, end: (called: Called) => Promise<unknown>][] = [
    ["is cancelled", "in_progress", ({ run }) => withTransaction(db, (tx) => cancelRun(tx, run))],
    ["has ended", "cancelled", ({ run }) => endRun(db, run, { to: "cancelled" })],
    [
      "has expired",
      "expired",
      async ({ run }) => {
        await db.query("update runs set expires_at = now() where id = $1", [run.id]);
        await expireOverdueRun(db, run);
      },
    ],
    ["is gone", "gone", ({ run }) => db.query("delete from threads where id = $1", [run.thread_id])],
  ];
  for (const [name, status, end] of ends) {
    test(`writes nothing when its run ${name}, and is not taken in hand again`, async () => {
      const made = await called(["a", "b"]);
      const call = await taken(made.key("a"));
      await end(made);
      await assert.rejects(finishCall(db, call, { shown: searchOf("a", "file-late") }), CallLost);
      await assert.rejects(failRun(db, call, { code: "server_error", message: "late" }), CallLost);
      assert.equal(await takeCall(db, made.key("b")), undefined);
      if (status === "gone") return;
      assert.deepEqual((await stepOf(made.step)).calls, [searchOf("a"), searchOf("b")]);
      assert.equal((await stepOf(made.step)).status, status);
    });
  }

  test("is not taken in hand when its run's time is over", async () => {
    const { run, key } = await called(["a"]);
    await db.query("update runs set expires_at = now() where id = $1", [run.id]);
    assert.equal(await takeCall(db, key("a")), undefined);
    assert.equal((await beginTurn(db, run)).kind, "ended");
    assert.deepEqual(await lastEvents(run, 2), ["thread.run.step.expired", "thread.run.expired"]);
  });

  test("belongs to its project", async () => {
    const { run, step } = await called(["a"]);
    const other = { run: { ...run, project_id: "proj_other" }, stepId: step, callId: "a" };
    assert.equal(await takeCall(db, other), undefined);
  });
});
