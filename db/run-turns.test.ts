import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { newId } from "../contract/ids.ts";
import { SUSPECT_AFTER_DEATHS } from "../contract/limits.ts";
import { textPart } from "../contract/message.ts";
import { createTestDatabase } from "../test/support/database.ts";
import type { TestDatabase } from "../test/support/database.ts";
import { makeRun } from "../test/support/rows.ts";
import { NO_USAGE } from "./open-work.ts";
import { createPool, withTransaction } from "./pool.ts";
import type { Pool } from "./pool.ts";
import { cancelRun, endRun, expireOverdueRun } from "./run-ends.ts";
import { readEvents } from "./run-events.ts";
import {
  beginTurn,
  completeRun,
  endTurn,
  noteFailure,
  openMessage,
  openToolCalls,
  requireAction,
  TurnLost,
} from "./run-turns.ts";
import type { TurnRun } from "./run-turns.ts";
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

async function begun(run: RunScope): Promise<TurnRun> {
  const start = await beginTurn(db, run);
  assert.equal(start.kind, "begun");
  return (start as { run: TurnRun }).run;
}

async function eventsOf(run: RunScope): Promise<string[]> {
  const events = await readEvents(db, run.id, 0, 1000);
  assert.deepEqual(
    events.map(({ seq }) => seq),
    events.map((_, index) => index + 1),
    "positions have no gaps",
  );
  return events.map(({ event }) => event);
}

async function waiting(run: RunScope, ids = ["call_a", "call_b"]): Promise<TurnRun> {
  const turn = await begun(run);
  const step = newId("step_");
  await openToolCalls(db, turn, step);
  const calls = ids.map((id) => ({ id, type: "function" as const, function: { name: "f", arguments: "{}" } }));
  await requireAction(db, turn, step, calls, NO_USAGE);
  return turn;
}

const ids = () => ({ message: newId("msg_"), step: newId("step_") });

describe("a turn whose tries died with their workers", () => {
  test("is begun by a worker that makes no other such turn, and by no other one", async () => {
    const run = await makeRun(db);
    for (let death = 0; death < SUSPECT_AFTER_DEATHS; death += 1) {
      assert.equal((await beginTurn(db, run, false)).kind, "begun");
    }
    assert.deepEqual(await beginTurn(db, run, false), { kind: "suspect" });
    const { tries } = await begun(run);
    assert.equal(tries, SUSPECT_AFTER_DEATHS + 1, "to be refused is no try");
  });

  test("is not taken for one whose tries failed in order", async () => {
    const run = await makeRun(db);
    for (let failure = 0; failure < 5; failure += 1) await noteFailure(db, await begun(run));
    assert.equal((await beginTurn(db, run, false)).kind, "begun");
  });

  test("is trusted again in its next turn", async () => {
    const run = await makeRun(db);
    for (let death = 0; death < SUSPECT_AFTER_DEATHS; death += 1) await begun(run);
    await waiting(run, ["call_a"]);
    await withTransaction(db, (tx) => submitToolOutputs(tx, run, [{ id: "call_a", output: "" }]));
    await begun(run);
    assert.equal((await beginTurn(db, run, false)).kind, "begun");
  });
});

describe("a try that was overtaken", () => {
  test("can open nothing, complete nothing and end nothing", async () => {
    const run = await makeRun(db);
    const first = await begun(run);
    const opened = ids();
    await openMessage(db, first, opened);
    const second = await begun(run);
    assert.equal(second.turn, 1, "it is the same turn");
    assert.equal(second.tries, 2);
    const message = { id: opened.message, content: [textPart("late")], tokens: 1 };
    await assert.rejects(openMessage(db, first, ids()), TurnLost);
    await assert.rejects(openToolCalls(db, first, newId("step_")), TurnLost);
    await assert.rejects(completeRun(db, first, message, NO_USAGE), TurnLost);
    await assert.rejects(requireAction(db, first, opened.step, [], NO_USAGE), TurnLost);
    await assert.rejects(endTurn(db, first, { to: "expired" }), TurnLost);
  });

  test("leaves no message in the thread and no open step", async () => {
    const run = await makeRun(db);
    await openMessage(db, await begun(run), ids());
    const second = await begun(run);
    const kept = ids();
    await openMessage(db, second, kept);
    await completeRun(db, second, { id: kept.message, content: [textPart("once")], tokens: 1 }, NO_USAGE);
    const { rows } = await db.query("select id from messages where thread_id = $1", [run.thread_id]);
    assert.deepEqual(rows, [{ id: kept.message }]);
    const thread = await db.query("select message_count from threads where id = $1", [run.thread_id]);
    assert.deepEqual(thread.rows, [{ message_count: 1 }]);
    const steps = await db.query("select status from run_steps where run_id = $1 order by seq", [run.id]);
    assert.deepEqual(steps.rows, [{ status: "failed" }, { status: "completed" }]);
    assert.deepEqual((await eventsOf(run)).slice(3), [
      "thread.run.step.created",
      "thread.run.step.in_progress",
      "thread.message.created",
      "thread.message.in_progress",
      "thread.message.incomplete",
      "thread.run.step.failed",
      "thread.run.step.created",
      "thread.run.step.in_progress",
      "thread.message.created",
      "thread.message.in_progress",
      "thread.message.completed",
      "thread.run.step.completed",
      "thread.run.completed",
    ]);
  });
});

describe("beginning a turn", () => {
  test("of a run that waits for outputs tells for which, and changes nothing", async () => {
    const run = await makeRun(db);
    await waiting(run);
    const before = await eventsOf(run);
    const start = await beginTurn(db, run);
    assert.equal(start.kind, "waiting");
    assert.deepEqual(await eventsOf(run), before);
  });

  test("of a run that has ended, or is gone, says so", async () => {
    const run = await makeRun(db);
    await endRun(db, run, { to: "cancelled" });
    assert.deepEqual(await beginTurn(db, run), { kind: "ended", status: "cancelled" });
    await db.query("delete from threads where id = $1", [run.thread_id]);
    assert.deepEqual(await beginTurn(db, run), { kind: "ended", status: "deleted" });
  });

  test("of a run whose time is over ends it as expired", async () => {
    const run = await makeRun(db, { expires_after_seconds: -1 });
    const start = await beginTurn(db, run);
    assert.equal(start.kind === "ended" && start.status, "expired");
    assert.equal((await eventsOf(run)).at(-1), "thread.run.expired");
  });

  test("again takes what an earlier try had said out of the thread, also when that was complete", async () => {
    const run = await makeRun(db);
    const count = async () => {
      const sql = `select (select count(*) from messages where run_id = $1) as said,
        message_count as all from threads where id = $2`;
      return (await db.query(sql, [run.id, run.thread_id])).rows[0] as { said: number; all: number };
    };
    const before = await count();
    const turn = await begun(run);
    const said = ids();
    await openMessage(db, turn, said);
    const message = { id: said.message, content: [textPart("One moment.")], tokens: 3 };
    await openToolCalls(db, turn, newId("step_"), message);
    assert.deepEqual(await count(), { said: 1, all: before.all + 1 });

    await begun(run);
    assert.deepEqual(await count(), before);
    assert.equal((await eventsOf(run)).at(-1), "thread.run.step.failed");
  });

  test("by twelve workers at once leaves one of them with the right to write", async () => {
    const run = await makeRun(db);
    const starts = await Promise.all(Array.from({ length: 12 }, () => begun(run)));
    const results = await Promise.allSettled(starts.map((turn) => openMessage(db, turn, ids())));
    assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
    await eventsOf(run);
  });
});

describe("cancelling", () => {
  test("and submitting at once: one of them wins, and the run is consistent with it", async () => {
    for (let round = 0; round < 20; round += 1) {
      const run = await makeRun(db);
      await waiting(run, ["call_a"]);
      const [cancelled, submitted] = await Promise.all([
        cancel(run),
        submit(run, "x").then(
          () => "queued",
          (error: Error) => error.message,
        ),
      ]);
      assert.ok(cancelled, "a run that waits or is queued can always be cancelled");
      const { rows } = await db.query("select status from runs where id = $1", [run.id]);
      assert.deepEqual(rows, [{ status: "cancelled" }]);
      const open = await db.query("select 1 from run_steps where run_id = $1 and status = 'in_progress'", [run.id]);
      assert.equal(open.rows.length, 0);
      assert.match(submitted, /^queued$|^Runs in status "cancelled" do not accept tool outputs\.$/);
      await eventsOf(run);
    }
  });

  test("while a worker completes: the run ends once", async () => {
    for (let round = 0; round < 20; round += 1) {
      const run = await makeRun(db);
      const turn = await begun(run);
      const open = ids();
      await openMessage(db, turn, open);
      const message = { id: open.message, content: [textPart("x")], tokens: 1 };
      const [cancelled, completed] = await Promise.allSettled([cancel(run), completeRun(db, turn, message, NO_USAGE)]);
      if (completed.status === "rejected") await endTurn(db, turn, { to: "failed", error: ERROR });
      const { rows } = await db.query<{ status: string }>("select status from runs where id = $1", [run.id]);
      assert.equal(rows[0]?.status, cancelled.status === "fulfilled" ? "cancelled" : "completed");
      const ends = (await eventsOf(run)).filter((event) => /^thread\.run\.(completed|cancelled|failed)$/.test(event));
      assert.equal(ends.length, 1);
    }
  });
});

const ERROR = { code: "server_error", message: "x" } as const;

describe("outputs", () => {
  test("submitted twice at once are taken once", async () => {
    const run = await makeRun(db);
    await waiting(run, ["call_a"]);
    const results = await Promise.allSettled(["first", "second"].map((output) => submit(run, output)));
    assert.deepEqual(results.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
  });

  test("that come after the time of the run are refused, and the run is expired by then", async () => {
    const run = await makeRun(db);
    await waiting(run, ["call_a"]);
    await db.query("update runs set expires_at = now() - interval '1 second' where id = $1", [run.id]);
    assert.deepEqual(await submit(run, "x"), { kind: "expired" });
    assert.equal((await eventsOf(run)).at(-1), "thread.run.expired");
  });

  test("of another project, or through another thread, find no run", async () => {
    const run = await makeRun(db);
    await waiting(run, ["call_a"]);
    assert.equal(await submit({ ...run, project_id: "proj_other" }, "x"), undefined);
    assert.equal(await submit({ ...run, thread_id: "thread_other" }, "x"), undefined);
  });
});

test("a run that is in time is not expired", async () => {
  const run = await makeRun(db);
  assert.equal(await expireOverdueRun(db, run), undefined);
});

function cancel(run: RunScope) {
  return withTransaction(db, (tx) => cancelRun(tx, run));
}

/** Submits the output of `call_a`. */
function submit(run: RunScope, output: string) {
  return withTransaction(db, (tx) => submitToolOutputs(tx, run, [{ id: "call_a", output }]));
}
