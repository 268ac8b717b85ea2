// The message and the step that a run has open, closed before they are finished.
import type { AnnotationDelta } from "../contract/events.ts";
import type { Annotation, ContentPart, Message, MessageIncompleteReason } from "../contract/message.ts";
import type { LastError, Usage } from "../contract/run.ts";
import type { RunStep, StepStatus } from "../contract/run-step.ts";
import { MESSAGE_COLUMNS } from "./messages.ts";
import type { Queryable } from "./pool.ts";
import type { NewEvent } from "./run-events.ts";
import { STEP_COLUMNS } from "./run-steps.ts";
import type { RunKey } from "./scope.ts";

/**
 * Marks a run's unfinished message `incomplete`, with the text that readers have seen of it so far.
 * Returns the event to append; none when no message is open.
 */
export async function closeOpenMessage(
  tx: Queryable,
  key: RunKey,
  reason: MessageIncompleteReason,
): Promise<NewEvent[]> {
  const open = await tx.query<{ id: string }>(
    "select id from messages where run_id = $1 and project_id = $2 and status = 'in_progress'",
    [key.id, key.project_id],
  );
  const id = open.rows[0]?.id;
  if (id === undefined) return [];
  // Holds back flushes of deltas until the end of the transaction, or some would come behind the text they belong to.
  await tx.query("select 1 from run_cursors where run_id = $1 for update", [key.id]);
  const { rows } = await tx.query<Message>(
    `update messages set status = 'incomplete', incomplete_at = clock_timestamp(), incomplete_reason = $3, content = $4
     where id = $1 and project_id = $2 returning ${MESSAGE_COLUMNS}`,
    [id, key.project_id, reason, JSON.stringify(await readPartialContent(tx, key.id, id))],
  );
  return rows.map((data) => ({ event: "thread.message.incomplete", data }));
}

/** What the deltas of a message add up to. */
async function readPartialContent(tx: Queryable, runId: string, messageId: string): Promise<Message["content"]> {
  const { rows } = await tx.query<PartialPart>(
    `select part ->> 'type' as type,
       string_agg(coalesce(part -> 'text' ->> 'value', part ->> 'refusal', ''), '' order by d.seq) as value,
       json_agg(part #> '{text,annotations,0}' order by d.seq)
         filter (where part #> '{text,annotations,0}' is not null) as annotations,
       min(part #>> '{image_file,file_id}') as file_id
     from run_deltas d, json_array_elements(d.data -> 'delta' -> 'content') part
     where d.run_id = $1 and d.event = 'thread.message.delta' and d.data ->> 'id' = $2
     group by (part ->> 'index')::int, part ->> 'type' order by (part ->> 'index')::int`,
    [runId, messageId],
  );
  return rows.map(toPart);
}

interface PartialPart {
  type: "text" | "refusal" | "image_file";
  value: string;
  annotations: AnnotationDelta[] | null;
  file_id: string;
}

function toPart({ type, value, annotations, file_id }: PartialPart): ContentPart {
  switch (type) {
    case "image_file":
      return { type, image_file: { file_id } };
    case "refusal":
      return { type, refusal: value };
    case "text":
      return { type, text: { value, annotations: (annotations ?? []).map(toAnnotation) } };
  }
}

/** Without what only deltas have. */
function toAnnotation(delta: AnnotationDelta): Annotation {
  const { text, start_index, end_index } = delta;
  const place = { text, start_index, end_index };
  if (delta.type === "file_path") return { type: delta.type, ...place, file_path: delta.file_path };
  return { type: delta.type, ...place, file_citation: { file_id: delta.file_citation.file_id } };
}

const CLOSED_AT: Record<Exclude<StepStatus, "in_progress">, string> = {
  cancelled: "cancelled_at",
  failed: "failed_at",
  completed: "completed_at",
  expired: "expired_at",
};

export interface StepEnd {
  status: Exclude<StepStatus, "in_progress">;
  error?: LastError | undefined;
  usage?: Usage | undefined;
}

/** Closes a run's open step. Returns the event to append; none when no step is open. */
export async function closeOpenStep(tx: Queryable, key: RunKey, end: StepEnd): Promise<NewEvent[]> {
  // A step's error has no code for refused prompts.
  const error = end.error && {
    ...end.error,
    code: end.error.code === "invalid_prompt" ? "server_error" : end.error.code,
  };
  const { rows } = await tx.query<RunStep>(
    `update run_steps set status = $3, ${CLOSED_AT[end.status]} = clock_timestamp(), last_error = $4,
       usage = coalesce($5, usage, '${JSON.stringify(NO_USAGE)}'::json)
     where run_id = $1 and project_id = $2 and status = 'in_progress' returning ${STEP_COLUMNS}`,
    [
      key.id,
      key.project_id,
      end.status,
      error === undefined ? null : JSON.stringify(error),
      end.usage === undefined ? null : JSON.stringify(end.usage),
    ],
  );
  return rows.map((data) => ({ event: `thread.run.step.${end.status}`, data }));
}

export const NO_USAGE: Usage = {
  prompt_tokens: 0,
  completion_tokens: 0,
  total_tokens: 0,
  prompt_token_details: { cached_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0 },
};
