// What clients received, held against what is stored: nothing that was accepted is lost, nothing that was shown has
// become untrue. For tests that play the clients and know what they were told.
import { endsStream } from "../contract/events.ts";
import { isTerminal } from "../contract/run-state.ts";
import type { RunStatus } from "../contract/run-state.ts";
import type { Pool } from "../db/pool.ts";
import { compareStream, readStoredStream } from "./received-stream.ts";
import type { ReceivedEvent } from "./received-stream.ts";
import type { Tally } from "./tally.ts";
import { inSnapshot, walk } from "./walk.ts";

/** All parts may be left out. An answer that never came is not to be listed: what it said is not known. */
export interface Received {
  /** Runs that were accepted: the API answered 200, or began to stream. */
  runs?: readonly { id: string; thread_id: string }[];
  /** Messages that were accepted. */
  messages?: readonly { id: string; thread_id: string }[];
  /** Ids of the threads and messages that clients asked to delete, whatever came of it. */
  deleted?: readonly string[];
  /** Statuses that a run was shown with; only terminal ones bind. */
  statuses?: readonly { run_id: string; thread_id: string; status: RunStatus }[];
  /** Outputs whose submission was accepted. */
  outputs?: readonly { run_id: string; thread_id: string; tool_call_id: string; output: string }[];
  /** What came on one connection each, in its order, as version 2 of the API shows it. */
  streams?: readonly { run_id: string; events: readonly ReceivedEvent[] }[];
}

export const RECEIVED_CATALOGUE = {
  "accepted-runs-kept": "A run that was accepted is there, unless its thread was deleted.",
  "accepted-messages-kept": "A message that was accepted is there, unless it or its thread was deleted.",
  "accepted-outputs-kept": "An output that was accepted is that of its call.",
  "shown-ends-stand": "A run that was shown as ended has the status that was shown.",
  "streams-as-stored": "A stream brings the stored events in their order, each once, and ends where its run rests.",
  "streamed-text":
    "The deltas of a message on one stream add up to the text that it ends with, which is the stored one.",
  "only-clients-delete": "The message of a completed step is there, unless a client asked to delete it.",
};

/** Rows that are asked for in one query. */
const BATCH = 500;

export async function checkReceived(db: Pool, tally: Tally, received: Received): Promise<void> {
  const deleted = new Set(received.deleted);
  const isExcused = ({ id, thread_id }: { id: string; thread_id: string }) => deleted.has(id) || deleted.has(thread_id);
  await checkKept(db, tally, "accepted-runs-kept", RUNS_THERE, (received.runs ?? []).filter(not(isExcused)));
  await checkKept(
    db,
    tally,
    "accepted-messages-kept",
    MESSAGES_THERE,
    (received.messages ?? []).filter(not(isExcused)),
  );
  await checkEnds(db, tally, received.statuses ?? [], deleted);
  await checkOutputs(db, tally, received.outputs ?? [], deleted);
  for (const stream of received.streams ?? []) await checkStream(db, tally, stream.run_id, stream.events);
  await checkDeletions(db, tally, deleted);
}

const RUNS_THERE = "select id, thread_id from runs where id = any($1)";
const MESSAGES_THERE = "select id, thread_id from messages where id = any($1)";

async function checkKept(
  db: Pool,
  tally: Tally,
  name: keyof typeof RECEIVED_CATALOGUE,
  sql: string,
  accepted: readonly { id: string; thread_id: string }[],
): Promise<void> {
  for (const batch of inBatches(accepted)) {
    const { rows } = await db.query<{ id: string; thread_id: string }>(sql, [batch.map(({ id }) => id)]);
    const threadOf = new Map(rows.map(({ id, thread_id }) => [id, thread_id]));
    tally.checked(name, batch.length);
    for (const { id, thread_id } of batch) {
      const found = threadOf.get(id);
      if (found === undefined) tally.violation(name, id, "is gone");
      else if (found !== thread_id) tally.violation(name, id, `is on ${found}`);
    }
  }
}

async function checkEnds(
  db: Pool,
  tally: Tally,
  statuses: NonNullable<Received["statuses"]>,
  deleted: ReadonlySet<string>,
): Promise<void> {
  const name = "shown-ends-stand";
  for (const batch of inBatches(
    statuses.filter(({ status, thread_id }) => isTerminal(status) && !deleted.has(thread_id)),
  )) {
    const { rows } = await db.query<{ id: string; status: RunStatus }>(
      "select id, status from runs where id = any($1)",
      [batch.map(({ run_id }) => run_id)],
    );
    const statusOf = new Map(rows.map((row) => [row.id, row.status]));
    tally.checked(name, batch.length);
    for (const { run_id, status } of batch) {
      const now = statusOf.get(run_id) ?? "gone";
      if (now !== status) tally.violation(name, run_id, `was shown as ${status} and is ${now}`);
    }
  }
}

async function checkOutputs(
  db: Pool,
  tally: Tally,
  outputs: NonNullable<Received["outputs"]>,
  deleted: ReadonlySet<string>,
): Promise<void> {
  const name = "accepted-outputs-kept";
  for (const batch of inBatches(outputs.filter(({ thread_id }) => !deleted.has(thread_id)))) {
    const { rows } = await db.query<{ run_id: string; tool_call_id: string; is_kept: boolean }>(
      `with given as (
         select * from unnest($1::text[], $2::text[], $3::text[]) as g (run_id, tool_call_id, output)
       ), done as materialized (
         select s.run_id, call ->> 'id' as tool_call_id, call -> 'function' ->> 'output' as output
         from run_steps s cross join json_array_elements(s.step_details -> 'tool_calls') as call
         where s.run_id = any($1) and s.type = 'tool_calls'
       )
       select g.run_id, g.tool_call_id, d.output is not distinct from g.output as is_kept
       from given g left join done d on d.run_id = g.run_id and d.tool_call_id = g.tool_call_id`,
      [
        batch.map(({ run_id }) => run_id),
        batch.map(({ tool_call_id }) => tool_call_id),
        batch.map(({ output }) => output),
      ],
    );
    tally.checked(name, batch.length);
    for (const { run_id, tool_call_id, is_kept } of rows) {
      if (!is_kept) tally.violation(name, run_id, `has not the output of ${tool_call_id} that it took`);
    }
  }
}

async function checkStream(db: Pool, tally: Tally, runId: string, received: readonly ReceivedEvent[]): Promise<void> {
  const stored = await inSnapshot(db, (tx) => readStoredStream(tx, runId));
  if (stored === undefined) return; // the run is gone or its events are: that is looked at elsewhere
  tally.checked("streams-as-stored", 1);
  tally.checked("streamed-text", 1);
  const { order, text } = compareStream(stored, received, endsStream);
  if (order !== undefined) tally.violation("streams-as-stored", runId, order);
  for (const problem of text) tally.violation("streamed-text", runId, problem);
}

/** A try that was given up takes its message with it: its last step has failed, and so it is not asked about. */
async function checkDeletions(db: Pool, tally: Tally, deleted: ReadonlySet<string>): Promise<void> {
  const name = "only-clients-delete";
  await walk(db, "run_steps", async (tx, ids) => {
    const { rows } = await tx.query<{ id: string; message_id: string; is_gone: boolean }>(
      `select s.id, s.step_details -> 'message_creation' ->> 'message_id' as message_id, m.id is null as is_gone
       from run_steps s left join messages m on m.id = s.step_details -> 'message_creation' ->> 'message_id'
       where s.id = any($1) and s.type = 'message_creation' and s.status = 'completed' and not exists (
         select 1 from run_steps later
         where later.run_id = s.run_id and later.turn = s.turn and later.seq > s.seq and later.status = 'failed')`,
      [ids],
    );
    tally.checked(name, rows.length);
    for (const { id, message_id, is_gone } of rows) {
      if (is_gone && !deleted.has(message_id)) tally.violation(name, id, `its ${message_id} is gone`);
    }
  });
}

function not<T>(condition: (item: T) => boolean): (item: T) => boolean {
  return (item) => !condition(item);
}

function* inBatches<T>(items: readonly T[]): Generator<T[], void, void> {
  for (let first = 0; first < items.length; first += BATCH) yield items.slice(first, first + BATCH);
}
