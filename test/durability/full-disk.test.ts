// Postgres has no room for what a model says: the turn is made again until there is some, and none of its tries counts.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { scripted } from "../support/scripts.ts";
import { startStack } from "../support/stack.ts";
import type { Stack } from "../support/stack.ts";

let stack: Stack;
before(async () => {
  stack = await startStack();
  // A sequence keeps its place when the statement that asked it is rolled back.
  await stack.db.query(`
    create sequence refused;
    create function disk_full() returns trigger language plpgsql as $$ begin
      if nextval('refused') <= 3 then
        raise exception 'could not extend file: No space left on device' using errcode = 'disk_full';
      end if;
      return new;
    end $$;
    create trigger disk_full before insert on messages for each row
      when (new.role = 'assistant') execute function disk_full()`);
});
after(() => stack.stop());

test("a turn that the database had no room for is made again, and its tries are forgiven", async () => {
  const { threads, assistants } = stack.openai.beta;
  const { id: assistant_id } = await assistants.create({ model: "gpt-4o" });
  const thread = { messages: [{ role: "user" as const, content: scripted([{ text: "There is room again." }]) }] };
  const run = await threads.createAndRunPoll({ assistant_id, thread }, { pollIntervalMs: 100 });
  assert.equal(run.status, "completed", JSON.stringify(run.last_error));
  const { rows } = await stack.db.query("select turn_tries, turn_failures, epoch from runs where id = $1", [run.id]);
  assert.deepEqual(rows, [{ turn_tries: 1, turn_failures: 0, epoch: 5 }]);
});
