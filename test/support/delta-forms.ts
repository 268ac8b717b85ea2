// The forms of deltas: what the first of a part or a call carries, and that later ones carry nothing but more text.
import assert from "node:assert/strict";
import type { StreamedEvent } from "./event-grammar.ts";

type Json = Record<string, unknown>;

/** Throws an AssertionError at the first delta that has not the documented form. */
export function checkDeltaForms(events: readonly StreamedEvent[]): void {
  const begun = new Map<string, number>();
  for (const { event, data } of events) {
    if (event === "thread.message.delta") checkMessageDelta(data as Json, begun);
    if (event === "thread.run.step.delta") checkStepDelta(data as Json, begun);
  }
}

function checkMessageDelta({ id, object, delta, ...rest }: Json, begun: Map<string, number>): void {
  assert.equal(object, "thread.message.delta");
  assert.deepEqual(rest, {});
  const { content, ...others } = delta as { content: Json[] };
  assert.deepEqual(others, {});
  assert.ok(content.length > 0);
  for (const { index, type, ...part } of content) {
    const isFirst = begins(begun, id as string, index);
    if (type === "refusal") {
      assert.deepEqual(Object.keys(part), ["refusal"]);
      assert.equal(typeof part["refusal"], "string");
      continue;
    }
    if (type === "image_file") {
      assert.ok(isFirst, "an image comes in one piece");
      const { file_id } = part["image_file"] as Json;
      assert.match(file_id as string, /^file-/);
      assert.deepEqual(part, { image_file: { file_id } });
      continue;
    }
    assert.equal(type, "text");
    assert.deepEqual(Object.keys(part), ["text"]);
    const { value, ...more } = part["text"] as Json;
    assert.equal(typeof value, "string");
    if (!isFirst && "annotations" in more) checkAnnotation(value as string, more, id as string, begun);
    else assert.deepEqual(more, isFirst ? { annotations: [] } : {});
  }
}

/** An annotation comes with its whole text, and with nothing else. */
function checkAnnotation(value: string, more: Json, id: string, begun: Map<string, number>): void {
  const [annotation, ...others] = more["annotations"] as Json[];
  assert.deepEqual([Object.keys(more), others], [["annotations"], []]);
  const { index, start_index, end_index, type, file_citation, file_path, ...rest } = annotation as Json;
  assert.ok(begins(begun, `annotations of ${id}`, index), "an annotation is sent once");
  assert.deepEqual(rest, { text: value });
  assert.equal((end_index as number) - (start_index as number), Array.from(value).length);
  const { file_id, ...quoted } = (type === "file_path" ? file_path : file_citation) as Json;
  assert.match(file_id as string, /^file-/);
  assert.deepEqual(quoted, type === "file_path" ? {} : { quote: "" });
}

function checkStepDelta({ id, object, delta, ...rest }: Json, begun: Map<string, number>): void {
  assert.equal(object, "thread.run.step.delta");
  assert.deepEqual(rest, {});
  const { step_details, ...others } = delta as { step_details: { type: string; tool_calls: Json[] } };
  assert.deepEqual(others, {}, "an id in here breaks the newest SDK");
  assert.deepEqual(Object.keys(step_details).toSorted(), ["tool_calls", "type"]);
  assert.equal(step_details.type, "tool_calls");
  assert.ok(step_details.tool_calls.length > 0);
  for (const { index, ...form } of step_details.tool_calls as Json[]) {
    const calls = begun.get(id as string) ?? 0;
    const isFirst = begins(begun, id as string, index);
    if (form["type"] === "code_interpreter") {
      checkCodeDelta(form, isFirst);
      // What came of the calls is told when all of them are written.
      if (!("input" in (form["code_interpreter"] as Json))) continue;
    }
    // The next call begins only when the one before is finished.
    if (!isFirst) assert.equal(index, calls - 1, "a call that was finished goes on");
    if (form["type"] === "file_search") {
      assert.ok(isFirst, "a search comes in one piece");
      const { ranking_options } = form["file_search"] as { ranking_options: Json };
      assert.deepEqual(Object.keys(ranking_options).toSorted(), ["ranker", "score_threshold"]);
      assert.deepEqual(form, { id: form["id"], type: "file_search", file_search: { ranking_options, results: [] } });
      assert.match(form["id"] as string, /^call_[A-Za-z0-9]+$/);
      continue;
    }
    if (form["type"] === "code_interpreter") continue;
    const { name, arguments: text } = form["function"] as { name: string; arguments: string };
    const first: Json = { id: form["id"], type: "function", function: { name, arguments: "", output: null } };
    assert.deepEqual(form, isFirst ? first : { type: "function", function: { arguments: text } });
    assert.equal(typeof text, "string");
    if (!isFirst) continue;
    assert.match(form["id"] as string, /^call_[A-Za-z0-9]+$/);
    assert.match(name, /^[a-zA-Z0-9_-]{1,64}$/);
  }
}

function checkCodeDelta({ id, type, code_interpreter, ...rest }: Json, isFirst: boolean): void {
  assert.deepEqual([type, rest], ["code_interpreter", {}]);
  const { input, outputs, ...more } = code_interpreter as { input?: unknown; outputs?: Json[] };
  assert.deepEqual(more, {});
  if (isFirst) {
    assert.match(id as string, /^call_[A-Za-z0-9]+$/);
    assert.deepEqual({ input, outputs }, { input: "", outputs: [] });
    return;
  }
  assert.equal(id, undefined);
  if (outputs === undefined) assert.equal(typeof input, "string");
  else assert.equal(input, undefined, "outputs come alone");
  for (const [place, { index, type, ...output }] of (outputs ?? []).entries()) {
    assert.equal(index, place);
    assert.deepEqual(Object.keys(output), [type]);
    if (type === "image") assert.match((output["image"] as Json)["file_id"] as string, /^file-/);
    else assert.deepEqual([type, typeof output["logs"]], ["logs", "string"]);
  }
}

/** Whether this is the first delta at a place. The places of an object are taken one after the other. */
function begins(begun: Map<string, number>, id: string, index: unknown): boolean {
  const places = begun.get(id) ?? 0;
  assert.ok(
    Number.isInteger(index) && (index as number) >= 0 && (index as number) <= places,
    `the place is ${String(index)}`,
  );
  if (index !== places) return false;
  begun.set(id, places + 1);
  return true;
}
