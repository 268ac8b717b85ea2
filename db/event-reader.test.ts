import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createTestDatabase } from "../test/support/database.ts";
import type { TestDatabase } from "../test/support/database.ts";
import { EventReader } from "./event-reader.ts";
import type { EventSubscription } from "./event-reader.ts";
import { createPool } from "./pool.ts";
import type { Pool } from "./pool.ts";
import { appendEvents } from "./run-events.ts";

let database: TestDatabase;
let pool: Pool;
before(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.url, max: 2, name: "test", onError: () => undefined });
});
after(async () => {
  await pool.end();
  await database.drop();
});

test("a run that is followed while positions are being read is not taken for a deleted one", async () => {
  const [first, second] = [await insertRun("run_first"), await insertRun("run_second")];
  const late = Promise.withResolvers<EventSubscription>();
  // The real pool, but the second run is followed just before the answer about the first one is used.
  const query = async (text: string, values: unknown[]) => {
    const result = await pool.query(text, values);
    if (text.includes("last_seq")) late.resolve(reader.subscribe(second, 0));
    return result;
  };
  const onError = (error: Error) => late.reject(error);
  const reader = new EventReader({ url: database.url, pool: { query } as unknown as Pool, onError });
  await reader.start();
  try {
    reader.subscribe(first, 0);
    const subscription = await late.promise;
    await appendEvents(pool, second, [{ event: "thread.run.created", data: {} }]);
    for await (const { event } of subscription) {
      assert.equal(event, "thread.run.created");
      return;
    }
    assert.fail("the subscription ended without its event");
  } finally {
    await reader.stop();
  }
});

async function insertRun(id: string): Promise<string> {
  await pool.query("insert into projects (id, name) values ('proj_1', 'test') on conflict do nothing");
  await pool.query("insert into threads (id, project_id, metadata, tool_resources) values ($1, 'proj_1', '{}', '{}')", [
    `thread_${id}`,
  ]);
  await pool.query(
    `insert into runs (id, project_id, thread_id, assistant_id, status, expires_at, model, instructions, tools,
       tool_resources, metadata, temperature, top_p, response_format, tool_choice, parallel_tool_calls,
       truncation_strategy, check_at)
     values ($1, 'proj_1', $2, 'asst_1', 'queued', now() + interval '1 hour', 'm', '', '[]',
       '{}', '{}', 1, 1, '"auto"', '"auto"', true, '{}', now())`,
    [id, `thread_${id}`],
  );
  return id;
}
