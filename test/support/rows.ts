// Rows for tests of the database, made by the functions that the product makes them with.
import { newId } from "../../contract/ids.ts";
import type { Pool } from "../../db/pool.ts";
import { appendEvents } from "../../db/run-events.ts";
import { insertRun, runState } from "../../db/runs.ts";
import type { NewRun } from "../../db/runs.ts";
import type { RunScope } from "../../db/scope.ts";
import { insertThread } from "../../db/threads.ts";

/** A queued run on a thread of its own, in a project of its own unless one is given, with its first two events. */
export async function makeRun(db: Pool, given: Partial<NewRun> = {}): Promise<RunScope> {
  const project_id = given.project_id ?? newId("proj_");
  await db.query("insert into projects (id, name) values ($1, 'test') on conflict do nothing", [project_id]);
  const thread = await insertThread(db, { project_id, messages: [] });
  const run = await insertRun(db, {
    id: newId("run_"),
    project_id,
    thread_id: thread.id,
    assistant_id: newId("asst_"),
    model: "gpt-4o",
    instructions: "",
    tools: [],
    tool_resources: {},
    metadata: {},
    temperature: 1,
    top_p: 1,
    reasoning_effort: null,
    response_format: "auto",
    tool_choice: "auto",
    parallel_tool_calls: true,
    truncation_strategy: { type: "auto", last_messages: null },
    max_prompt_tokens: null,
    max_completion_tokens: null,
    expires_after_seconds: 600,
    ...given,
  });
  await appendEvents(db, run.id, [
    { event: "thread.run.created", data: runState(run) },
    { event: "thread.run.queued", data: runState(run) },
  ]);
  return { id: run.id, project_id, thread_id: thread.id };
}
