// The objects of version 1, field by field. Version 2 has fields that clients of that time never saw.
import assert from "node:assert/strict";

const USAGE = ["completion_tokens", "prompt_tokens", "total_tokens"];
const RUN_FIELDS = [
  "assistant_id",
  "cancelled_at",
  "completed_at",
  "created_at",
  "expires_at",
  "failed_at",
  "file_ids",
  "id",
  "incomplete_details",
  "instructions",
  "last_error",
  "max_completion_tokens",
  "max_prompt_tokens",
  "metadata",
  "model",
  "object",
  "required_action",
  "response_format",
  "started_at",
  "status",
  "temperature",
  "thread_id",
  "tool_choice",
  "tools",
  "truncation_strategy",
  "usage",
];
const MESSAGE_FIELDS = [
  "assistant_id",
  "completed_at",
  "content",
  "created_at",
  "file_ids",
  "id",
  "incomplete_at",
  "incomplete_details",
  "metadata",
  "object",
  "role",
  "run_id",
  "status",
  "thread_id",
];
const STEP_FIELDS = [
  "assistant_id",
  "cancelled_at",
  "completed_at",
  "created_at",
  "expired_at",
  "failed_at",
  "id",
  "last_error",
  "metadata",
  "object",
  "run_id",
  "status",
  "step_details",
  "thread_id",
  "type",
  "usage",
];
const FIELDS: Record<string, string[]> = {
  thread: ["created_at", "id", "metadata", "object"],
  "thread.run": RUN_FIELDS,
  "thread.message": MESSAGE_FIELDS,
  "thread.run.step": STEP_FIELDS,
};

/** Checks that an object has the fields of version 1 and no other, and that nothing counts tokens in the new way. */
export function assertV1(value: unknown): void {
  const object = value as { object: string; usage?: object | null };
  const fields = FIELDS[object.object];
  if (fields !== undefined) assert.deepEqual(Object.keys(object).toSorted(), fields);
  if (object.usage) assert.deepEqual(Object.keys(object.usage).toSorted(), USAGE);
}
