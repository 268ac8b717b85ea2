// Writers and readers of events together: whatever happens in between, each reader gets each event once, in order.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createTestDatabase } from "../test/support/database.ts";
import type { TestDatabase } from "../test/support/database.ts";
import { makeRun } from "../test/support/rows.ts";
import { startProxy } from "../test/support/proxy.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import { EventReader } from "./event-reader.ts";
import { EventWriter } from "./event-writer.ts";
import type { StopReason } from "./event-writer.ts";
import { createPool, withTransaction } from "./pool.ts";
import type { Pool } from "./pool.ts";
import { cancelRun } from "./run-ends.ts";
import { appendEvents, notifyEvents } from "./run-events.ts";
import type { StoredEvent } from "./run-events.ts";
import { beginTurn } from "./run-turns.ts";
import type { RunScope } from "./scope.ts";

let database: TestDatabase;
let db: Pool;
let writer: EventWriter;
let reader: EventReader;
before(async () => {
  database = await createTestDatabase();
  db = createPool({ url: database.url, max: 10, name: "test", onError: () => undefined });
  writer = new EventWriter({ url: database.url, onError: () => undefined });
  reader = new EventReader({ url: database.url, pool: db, onError: () => undefined });
  await reader.start();
});
after(async () => {
  await reader.stop();
  await writer.close();
  await db.end();
  await database.drop();
});

async function begun(): Promise<RunScope & { epoch: number }> {
  const run = await makeRun(db);
  const start = await beginTurn(db, run);
  assert.ok(start.kind === "begun");
  return { ...run, epoch: start.run.epoch };
}

function open(run: { id: string; epoch: number }, onStop: (reason: StopReason) => void = () => undefined) {
  const channel = writer.open(run.id, run.epoch, onStop);
  const say = (text: string, key?: string) => channel.append("thread.message.delta", text, (value) => ({ value }), key);
  return { channel, say };
}

/** Reads until an event of this name has come. */
async function readUntil(runId: string, after: number, last: string): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const event of reader.subscribe(runId, after)) {
    events.push(event);
    if (event.event === last) break;
  }
  return events;
}

function assertWhole(events: readonly StoredEvent[], after = 0): void {
  assert.deepEqual(
    events.map(({ seq }) => seq),
    events.map((_, index) => after + index + 1),
  );
}

function textOf(events: readonly StoredEvent[]): string {
  return events
    .filter(({ event }) => event === "thread.message.delta")
    .map(({ data }) => (JSON.parse(data) as { value: string }).value)
    .join("");
}

test("many writers of one run and readers from every position: nothing lost, doubled or out of order", async () => {
  const run = await begun();
  const { channel, say } = open(run);
  const readers = [0, 0, 1, 2, 3].map((from) => readUntil(run.id, from, "end"));
  let said = "";
  const others = Array.from({ length: 5 }, async (_, which) => {
    for (let i = 0; i < 20; i += 1) {
      const { seq } = await appendEvents(db, run.id, [{ event: "other", data: { which, i } }]);
      if (i % 3 === 0) await notifyEvents(db, run.id, seq); // the other notices are lost
      say(`${which}.${i} `, i % 2 === 0 ? "text" : undefined);
      said += `${which}.${i} `;
    }
  });
  await Promise.all(others);
  await channel.flushed();
  const end = await appendEvents(db, run.id, [{ event: "end", data: {} }]);
  writer.announce(run.id, end);
  channel.close();
  for (const [index, events] of (await Promise.all(readers)).entries()) {
    assertWhole(events, [0, 0, 1, 2, 3][index]);
    assert.equal(textOf(events), said);
    assert.equal(events.filter(({ event }) => event === "other").length, 100);
  }
});

test("a lost notice delays an event and loses nothing", async () => {
  const run = await begun();
  const reading = readUntil(run.id, 0, "end");
  await appendEvents(db, run.id, [{ event: "end", data: {} }]);
  assertWhole(await reading);
});

test("deltas that are too large for a notice are read from the table", async () => {
  const run = await begun();
  const { channel, say } = open(run);
  const reading = readUntil(run.id, 0, "end");
  say("x".repeat(20_000));
  say("y".repeat(7_300));
  say("ü".repeat(4_000));
  await channel.flushed();
  writer.announce(run.id, await appendEvents(db, run.id, [{ event: "end", data: {} }]));
  const events = await reading;
  assertWhole(events);
  assert.equal(textOf(events).length, 31_300);
  channel.close();
});

test("who has caught up is given durable events and deltas by notices alone, in their order", async (t) => {
  const run = await begun();
  const { channel, say } = open(run);
  const first = Promise.withResolvers<void>();
  const events: StoredEvent[] = [];
  const reading = (async () => {
    for await (const event of reader.subscribe(run.id, 0)) {
      if (events.push(event) === 1) first.resolve();
      if (event.event === "end") break;
    }
  })();
  await first.promise;
  const read = t.mock.method(reader, "read");
  const opened = { event: "opened", data: { text: "ü\u0000" } };
  writer.announce(run.id, await appendEvents(db, run.id, [opened, { event: "again", data: ["__proto__"] }]));
  say("one ");
  await channel.flushed();
  writer.announce(run.id, await appendEvents(db, run.id, [{ event: "next", data: {} }]));
  writer.announce(run.id, await appendEvents(db, run.id, [{ event: "end", data: {} }]));
  await reading;
  channel.close();
  assert.equal(read.mock.callCount(), 0);
  assertWhole(events);
  const { rows } = await db.query("select event, data::text from run_events where run_id = $1 order by seq", [run.id]);
  const durable = events.filter(({ event }) => event !== "thread.message.delta");
  assert.deepEqual(
    durable.map(({ event, data }) => ({ event, data })),
    rows,
  );
});

test("a reader that is slow gets everything all the same", async () => {
  const run = await begun();
  const { channel, say } = open(run);
  const subscription = reader.subscribe(run.id, 0);
  const iterator = subscription[Symbol.asyncIterator]();
  assert.equal((await iterator.next()).value?.seq, 1);
  for (let i = 0; i < 1000; i += 1) say(`${i} `);
  await channel.flushed();
  await appendEvents(db, run.id, [{ event: "end", data: {} }]);
  const events: StoredEvent[] = [];
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
    events.push(next.value);
    if (next.value.event === "end") break;
  }
  subscription.close();
  assertWhole(events, 1);
  channel.close();
});

test("the connections of writer and reader may break at any time", async () => {
  const run = await begun();
  const { channel, say } = open(run);
  const reading = readUntil(run.id, 0, "end");
  let said = "";
  for (let i = 0; i < 60; i += 1) {
    say(`${i} `, "text");
    said += `${i} `;
    if (i % 20 === 10) {
      await db.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name in ('event writer', 'event reader')",
      );
    }
    if (i % 5 === 0) await channel.flushed();
  }
  await channel.flushed();
  await appendEvents(db, run.id, [{ event: "end", data: {} }]);
  const events = await reading;
  assertWhole(events);
  assert.equal(textOf(events), said);
  channel.close();
});

test("a stream is told when its run is cancelled, taken over or deleted", async () => {
  const stops: StopReason[] = [];
  const cancelled = await begun();
  const one = open(cancelled, (reason) => stops.push(reason));
  await withTransaction(db, (tx) => cancelRun(tx, cancelled));
  await waitUntil("the cancel is seen", () => stops.length === 1);
  assert.deepEqual(stops, [{ kind: "status", status: "cancelling" }]);
  one.channel.close();

  const taken = await begun();
  const two = open(taken, (reason) => stops.push(reason));
  await beginTurn(db, taken);
  two.say("too late");
  await waitUntil("the newer try is seen", () => stops.length === 2);
  assert.deepEqual(stops[1], { kind: "superseded" });
  const written = await db.query("select 1 from run_deltas where run_id = $1", [taken.id]);
  assert.equal(written.rows.length, 0);
  two.channel.close();

  const deleted = await begun();
  const three = open(deleted, (reason) => stops.push(reason));
  await db.query("delete from threads where id = $1", [deleted.thread_id]);
  await waitUntil("the deletion is seen", () => stops.length === 3);
  assert.deepEqual(stops[2], { kind: "status", status: "deleted" });
  three.channel.close();
});

test("readers of a deleted run come to an end", async () => {
  const run = await begun();
  const reading = readUntil(run.id, 0, "never");
  await db.query("delete from threads where id = $1", [run.thread_id]);
  await reading;
});

test("after a crash that emptied the unlogged tables, new events come behind all that were seen", async () => {
  const run = await begun();
  const { channel, say } = open(run);
  say("seen");
  await channel.flushed();
  channel.close();
  const seen = await readUntil(run.id, 0, "thread.message.delta");
  await db.query("truncate run_deltas, run_cursors");
  await appendEvents(db, run.id, [{ event: "end", data: {} }]);
  const later = await readUntil(run.id, seen.at(-1)?.seq ?? 0, "end");
  assert.deepEqual(
    later.map(({ event }) => event),
    ["end"],
  );
});

test("a flush whose answer was lost is not written twice", async () => {
  const proxy = await startProxy(new URL(database.url));
  const behind = new EventWriter({ url: proxy.url, onError: () => undefined });
  const run = await begun();
  const channel = behind.open(run.id, run.epoch, () => undefined);
  const say = (text: string) => channel.append("thread.message.delta", text, (value) => ({ value }), "text");
  say("one ");
  await channel.flushed();
  proxy.loseNextAnswer();
  say("two ");
  await proxy.lost();
  say("three ");
  await channel.flushed();
  channel.close();
  await behind.close();
  proxy.close();
  await appendEvents(db, run.id, [{ event: "end", data: {} }]);
  const events = await readUntil(run.id, 0, "end");
  assertWhole(events);
  assert.equal(textOf(events), "one two three ");
});

test("after an outage of the database there is one listener again, however long it took", async () => {
  const proxy = await startProxy(new URL(database.url));
  const errors: Error[] = [];
  const behind = new EventReader({ url: proxy.url, pool: db, onError: (error) => errors.push(error) });
  await behind.start();
  proxy.refuse();
  await waitUntil("several attempts to come back have failed", () => errors.length >= 4);
  assert.ok(errors.length < 8, "one attempt at a time");
  proxy.accept();
  const run = await begun();
  const reading = (async () => {
    for await (const event of behind.subscribe(run.id, 0)) if (event.event === "end") return;
  })();
  await appendEvents(db, run.id, [{ event: "end", data: {} }]);
  await reading;
  const listeners = () =>
    db.query("select 1 from pg_stat_activity where application_name = 'event reader' and datname = current_database()");
  await waitUntil(
    "this listener and that of the other tests are there",
    async () => (await listeners()).rows.length === 2,
  );
  await behind.stop();
  await waitUntil("only that of the other tests is left", async () => (await listeners()).rows.length === 1);
  proxy.close();
});

test("a connection that is lost inside a transaction is an error of that transaction and of nothing else", async () => {
  await assert.rejects(
    withTransaction(db, async (tx) => {
      await tx.query("select 1");
      await db.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and state = 'idle in transaction'",
      );
      await waitUntil("the connection is gone", async () => {
        const { rows } = await db.query(
          "select 1 from pg_stat_activity where datname = current_database() and state = 'idle in transaction'",
        );
        return rows.length === 0;
      });
      await tx.query("select 1");
    }),
  );
  await withTransaction(db, (tx) => tx.query("select 1"));
});
