// How a run ends other than by its own success: cancelled, expired or failed. Whatever it had open is closed with it.
import { cannotCancel } from "../contract/errors.ts";
import type { MessageIncompleteReason } from "../contract/message.ts";
import type { LastError, Run, RunIncompleteReason, Usage } from "../contract/run.ts";
import type { RunStatus } from "../contract/run-state.ts";
import { isTerminal } from "../contract/run-state.ts";
import type { Pool, Queryable } from "./pool.ts";
import { withTransaction } from "./pool.ts";
import { closeOpenMessage, closeOpenStep } from "./open-work.ts";
import { appendEvents } from "./run-events.ts";
import type { Appended, NewEvent } from "./run-events.ts";
import { changeStatus } from "./run-status.ts";
import type { RunKey, RunScope } from "./scope.ts";

export type RunEnd =
  | { to: "cancelled" }
  | { to: "expired" }
  | { to: "failed"; error: LastError; messageReason?: MessageIncompleteReason; usage?: Usage | undefined }
  | { to: "incomplete"; reason: RunIncompleteReason; usage?: Usage | undefined };

const MESSAGE_REASON = {
  cancelled: "run_cancelled",
  expired: "run_expired",
  failed: "run_failed",
  incomplete: "max_tokens",
} as const satisfies Record<RunEnd["to"], MessageIncompleteReason>;

const STEP_STATUS = { cancelled: "cancelled", expired: "expired", failed: "failed", incomplete: "completed" } as const;

export interface Ended {
  status: RunStatus;
  /** Undefined when nothing was to be done. */
  added?: Appended;
}

/** Ends a run in a transaction of its own. Ending a run that has ended, or is gone, changes nothing. */
export async function endRun(pool: Pool, key: RunKey, end: RunEnd): Promise<Ended | undefined> {
  return withTransaction(pool, async (tx) => {
    const status = await lockRun(tx, key);
    if (status === undefined) return undefined;
    if (isTerminal(status)) return { status };
    const events = await closeRun(tx, key, status, end);
    return { status: end.to, added: await appendEvents(tx, key.id, events) };
  });
}

/** Ends a run only if it is past its time and still waits for someone; returns undefined when it is not. */
export async function expireOverdueRun(pool: Pool, key: RunKey): Promise<Ended | undefined> {
  return withTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ status: RunStatus }>(
      "select status from runs where id = $1 and project_id = $2 and expires_at <= now() for no key update",
      [key.id, key.project_id],
    );
    const status = rows[0]?.status;
    if (status === undefined || isTerminal(status)) return undefined;
    const end: RunEnd = status === "cancelling" ? { to: "cancelled" } : { to: "expired" };
    const events = await closeRun(tx, key, status, end);
    return { status: end.to, added: await appendEvents(tx, key.id, events) };
  });
}

/** `run` is what the caller is answered; `seq` the position of the newest event. */
export interface Cancelled {
  run: Run;
  seq: number;
}

/**
 * Asks a run to stop, inside a transaction. One that no worker has in hand is cancelled at once, so that its thread is
 * free when this is committed; one in progress becomes `cancelling` and its worker ends it.
 * Undefined when there is no such run. Throws (400) when its status does not allow it.
 */
export async function cancelRun(tx: Queryable, scope: RunScope): Promise<Cancelled | undefined> {
  const status = await lockRun(tx, scope, scope.thread_id);
  if (status === undefined) return undefined;
  const cancelling = await changeStatus(tx, scope, { to: "cancelling" });
  if (cancelling === undefined) throw cannotCancel(status);
  const events = [cancelling.event];
  if (status !== "in_progress") events.push(...(await closeRun(tx, scope, "cancelling", { to: "cancelled" })));
  const { seq } = await appendEvents(tx, scope.id, events);
  return { run: cancelling.run, seq };
}

/** Closes what is open and moves the run to its end, within a transaction that has the run locked. */
export async function closeRun(tx: Queryable, key: RunKey, from: RunStatus, end: RunEnd): Promise<NewEvent[]> {
  const events: NewEvent[] = [];
  if (end.to === "cancelled" && from !== "cancelling") {
    const cancelling = await changeStatus(tx, key, { to: "cancelling" });
    if (cancelling !== undefined) events.push(cancelling.event);
  }
  const usage = "usage" in end ? end.usage : undefined;
  const reason = (end.to === "failed" ? end.messageReason : undefined) ?? MESSAGE_REASON[end.to];
  events.push(...(await closeOpenMessage(tx, key, reason)));
  const error = end.to === "failed" ? end.error : undefined;
  events.push(...(await closeOpenStep(tx, key, { status: STEP_STATUS[end.to], error, usage })));
  const ended = await changeStatus(tx, key, {
    to: end.to,
    usage,
    ...(end.to === "failed" ? { last_error: end.error } : {}),
    ...(end.to === "incomplete" ? { incomplete_reason: end.reason } : {}),
  });
  if (ended === undefined) throw new Error(`run ${key.id} cannot go from ${from} to ${end.to}`);
  return [...events, ended.event];
}

async function lockRun(tx: Queryable, key: RunKey, threadId?: string): Promise<RunStatus | undefined> {
  const { rows } = await tx.query<{ status: RunStatus }>(
    `select status from runs where id = $1 and project_id = $2 and ($3::text is null or thread_id = $3)
     for no key update`,
    [key.id, key.project_id, threadId ?? null],
  );
  return rows[0]?.status;
}
