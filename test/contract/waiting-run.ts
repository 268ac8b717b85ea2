// Runs in the states that only a worker brings them to, made by the functions that the worker uses.
import assert from "node:assert/strict";
import { newId } from "../../contract/ids.ts";
import type { RunStatus } from "../../contract/run-state.ts";
import { beginTurn, openToolCalls, requireAction } from "../../db/run-turns.ts";
import { newRun } from "./world.ts";
import type { InThread, World } from "./world.ts";

/** The calls that a waiting run waits for. */
export const CALL_A = `call_${"A".repeat(24)}`;
export const CALL_B = `call_${"B".repeat(24)}`;

const USAGE = {
  prompt_tokens: 7,
  completion_tokens: 5,
  total_tokens: 12,
  prompt_token_details: { cached_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0 },
};

/** A run that waits for the outputs of both calls, on a thread of its own. */
export async function newWaitingRun(world: World): Promise<InThread> {
  const { id, thread_id } = await newRun(world);
  const { db } = world.app;
  const { rows } = await db.query<{ project_id: string }>("select project_id from runs where id = $1", [id]);
  const turn = await beginTurn(db, { id, project_id: rows[0]?.project_id ?? "" });
  assert.ok(turn.kind === "begun");
  const step = newId("step_");
  await openToolCalls(db, turn.run, step);
  const calls = [CALL_A, CALL_B].map((call) => ({
    id: call,
    type: "function" as const,
    function: { name: "lookup", arguments: '{"q":"x"}' },
  }));
  await requireAction(db, turn.run, step, calls, USAGE);
  return world.get(`/threads/${thread_id}/runs/${id}`);
}

/** A run whose row says that it has this status, on a thread of its own. */
export async function newRunIn(world: World, status: RunStatus): Promise<InThread> {
  if (status === "requires_action") return newWaitingRun(world);
  const { id, thread_id } = await newRun(world);
  await world.app.db.query("update runs set status = $2 where id = $1", [id, status]);
  return world.get(`/threads/${thread_id}/runs/${id}`);
}

export const runPath = ({ id, thread_id }: InThread): string => `/threads/${thread_id}/runs/${id}`;
