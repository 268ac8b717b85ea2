import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import pg from "pg";
import { createTestDatabase } from "../test/support/database.ts";
import type { TestDatabase } from "../test/support/database.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import { EventWriter } from "./event-writer.ts";
import { EVENTS_CHANNEL } from "./run-events.ts";

let database: TestDatabase;
before(async () => {
  database = await createTestDatabase();
});
after(() => database.drop());

test("what is announced while no stream is open is told to readers all the same", async () => {
  const notices: unknown[] = [];
  const listener = new pg.Client({ connectionString: database.url });
  await listener.connect();
  listener.on("notification", ({ payload }) => notices.push(JSON.parse(payload ?? "")));
  await listener.query(`listen ${EVENTS_CHANNEL}`);
  const errors: Error[] = [];
  const writer = new EventWriter({ url: database.url, onError: (error) => errors.push(error) });
  try {
    writer.announce("run_1", { seq: 7, events: [{ event: "end", data: "{}" }] });
    await waitUntil("the notice is there", () => notices.length > 0);
    assert.deepEqual(notices, [[["run_1", 7, "end", {}]]]);
    assert.deepEqual(errors, []);
  } finally {
    await writer.close();
    await listener.end();
  }
});
