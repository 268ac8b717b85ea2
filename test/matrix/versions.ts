// What an object looks like through each version of the API, whichever of them it was made with.
import assert from "node:assert/strict";

export const V1_HEADERS = { "OpenAI-Beta": "assistants=v1" };
export const V2_HEADERS = { "OpenAI-Beta": "assistants=v2" };
/** Newer models were refused to version 1. */
export const V1_MODEL = "gpt-4-turbo";

/** An assistant of version 1 with these files. */
export function v1Assistant(file_ids: string[]) {
  return {
    model: V1_MODEL,
    tools: [{ type: "retrieval" as const }, { type: "code_interpreter" as const }],
    file_ids,
  };
}

/** An assistant of version 2 with what version 1 never had. */
export const V2_ASSISTANT = {
  model: "gpt-4o",
  tools: [{ type: "file_search" as const }, { type: "code_interpreter" as const }],
  temperature: 0.5,
  top_p: 0.5,
};

const V1_ASSISTANT_FIELDS =
  "id, object, created_at, name, description, model, instructions, tools, file_ids, metadata".split(", ");

/** Checks an assistant with both tools, as version 1 shows it. */
export function checkV1Assistant(assistant: object, file_ids: string[]): void {
  assert.deepEqual(Object.keys(assistant).toSorted(), V1_ASSISTANT_FIELDS.toSorted());
  assert.partialDeepStrictEqual(assistant, { tools: [{ type: "retrieval" }, { type: "code_interpreter" }] });
  checkFileIds(assistant, file_ids);
}

/** Checks an assistant with both tools, as version 2 shows it. */
export function checkV2Assistant(assistant: object, file_ids: string[]): void {
  const { tools, tool_resources: resources } = assistant as {
    tools: { type: string }[];
    tool_resources: { code_interpreter?: { file_ids: string[] } };
  };
  assert.deepEqual(
    tools.map(({ type }) => type),
    ["file_search", "code_interpreter"],
  );
  assert.deepEqual(resources.code_interpreter?.file_ids ?? [], file_ids);
  checkFields(assistant, { without: ["file_ids"] });
}

export function checkV1Thread(thread: object): void {
  checkFields(thread, { without: ["tool_resources"] });
}

export function checkV1Message(message: object, file_ids: string[]): void {
  checkFields(message, { without: ["attachments"] });
  checkFileIds(message, file_ids);
}

export function checkV2Message(message: object, file_ids: string[]): void {
  checkFields(message, { without: ["file_ids"] });
  const { attachments } = message as { attachments: { file_id: string }[] };
  assert.deepEqual(
    attachments.map(({ file_id }) => file_id),
    file_ids,
  );
}

export function checkV1Run(run: object): void {
  checkFields(run, { without: ["tool_resources", "top_p", "parallel_tool_calls", "reasoning_effort"] });
}

function checkFileIds(object: object, expected: string[]): void {
  assert.deepEqual((object as { file_ids: unknown }).file_ids, expected);
}

function checkFields(object: object, { without }: { without: string[] }): void {
  const found = without.filter((field) => field in object);
  assert.deepEqual(found, [], "fields of the other version");
}
