// After a scenario: whether code has left anything behind. Ends the workers for that, and lets a new one show that threads
// whose Python is gone go on.
import type pg from "pg";
import type { Run } from "../../../contract/run.ts";
import { scripted } from "../../support/scripts.ts";
import { callOf, expectCells, planCell } from "./cells.ts";
import { accepted, expectAnswer, untilRest } from "./conversations.ts";
import type { Talk } from "./conversations.ts";
import { bodyOf } from "./stored-files.ts";
import type { World } from "./world.ts";

/** Threads that are tried at the end. */
const TRIED = 4;

/** Complains of what is left. Only in worlds in which code is run; there are no workers but a new one behind it. */
export async function judgeSandboxes(world: World, talk: Talk): Promise<string[]> {
  const { sandboxes, stack } = world;
  if (sandboxes === undefined) return [];
  await world.stopWorkers();
  const outlived = await sandboxes.outlived();
  await stack.startWorker();
  await tryThreads(stack.db, talk);
  await Promise.all(stack.workers.map((worker) => worker.stop()));
  const left = [...(await sandboxes.outlived()), ...sandboxes.leftFolders()];
  // For what is left to do behind the ends of runs.
  await stack.startWorker();
  return [...outlived, ...left, ...(await complainOfDoubles(stack.db))];
}

/** The worker that had the Python of these threads is gone. */
async function tryThreads(db: pg.Pool, talk: Talk): Promise<void> {
  const { rows } = await db.query<{ thread_id: string }>(
    `select thread_id from code_sessions s where not exists (
       select 1 from runs r where r.thread_id = s.thread_id and r.status in ('queued', 'in_progress', 'requires_action'))
     order by used_at desc limit $1`,
    [TRIED],
  );
  for (const { thread_id } of rows) {
    await tryThread(talk, thread_id).catch((error: unknown) =>
      talk.client.told.complain(`${thread_id}: ${String(error)}`),
    );
  }
}

async function tryThread(talk: Talk, thread_id: string): Promise<void> {
  const [cell, key] = [planCell(talk.random, { draws: true }), talk.random.key()];
  const content = scripted([{ tool_calls: [callOf(cell)] }, { text: "So it is." }], key);
  bodyOf("a message", await talk.client.post(`/threads/${thread_id}/messages`, { role: "user", content }));
  const body = { assistant_id: talk.assistantId, tools: [{ type: "code_interpreter" }] };
  const run = accepted(talk, await talk.client.post<Run>(`/threads/${thread_id}/runs`, body));
  const ended = await untilRest(talk, run);
  await expectAnswer(talk, ended, "So it is.");
  // Whatever was there before is gone, which the model has to be told.
  await expectCells(talk, { run: ended, key, cells: [cell], python: { cells: Number.MAX_SAFE_INTEGER } });
}

/** Every image and every file that code makes has a content of its own. */
async function complainOfDoubles(db: pg.Pool): Promise<string[]> {
  const { rows } = await db.query<{ ids: string[] }>(
    `select array_agg(id order by id) as ids from files where purpose = 'assistants_output'
     group by sha256 having count(*) > 1
     union all
     select array_agg(id order by id) from files where purpose = 'assistants_output' group by filename having count(*) > 1`,
  );
  return rows.map(({ ids }) => `${ids.join(" and ")} are the same file of code`);
}
