// What a client has that knows only `created` events and deltas: objects put together by the SDKs' rules. Strings are
// concatenated, numbers added, null is replaced, objects are merged, arrays by index; `type` and `index` may be repeated.
import assert from "node:assert/strict";
import type { StreamedEvent } from "./event-grammar.ts";

type Json = Record<string, unknown>;

/** The messages and steps of the events, by id, as created and with all their deltas; never as completed. */
export function accumulate(events: readonly StreamedEvent[]): Map<string, Json> {
  const objects = new Map<string, Json>();
  for (const { event, data } of events) {
    const { id, delta } = data as { id?: string; delta?: Json };
    if (id === undefined) continue;
    if (event === "thread.message.created" || event === "thread.run.step.created") {
      objects.set(id, structuredClone(data as Json));
    } else if (delta !== undefined) {
      const object = objects.get(id);
      assert.ok(object, `${event} of ${id}, which was not created`);
      objects.set(id, merge(object, delta));
    }
  }
  return objects;
}

/** The same value without what only deltas have: places, and the quotes of citations. */
export function withoutIndexes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutIndexes);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([key]) => key !== "index" && key !== "quote");
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutIndexes(inner)]));
}

function merge(object: Json, delta: Json): Json {
  const merged = { ...object };
  for (const [key, value] of Object.entries(delta)) {
    const isRepeated = key === "type" || key === "index";
    merged[key] = isRepeated ? value : mergeValue(merged[key], value, key);
  }
  return merged;
}

function mergeValue(old: unknown, value: unknown, key: string): unknown {
  if (old === undefined || old === null) return Array.isArray(value) ? mergeArray([], value) : value;
  if (value === null) return old;
  if (typeof old === "string" && typeof value === "string") return old + value;
  if (typeof old === "number" && typeof value === "number") return old + value;
  if (Array.isArray(old) && Array.isArray(value)) return mergeArray(old, value);
  if (isObject(old) && isObject(value)) return merge(old, value);
  return assert.fail(`${key}: a delta of another type`);
}

function mergeArray(old: readonly unknown[], entries: readonly unknown[]): unknown[] {
  const merged = [...old];
  for (const entry of entries) {
    assert.ok(isObject(entry) && Number.isInteger(entry["index"]), "an entry of a delta's list names its place");
    const index = entry["index"] as number;
    assert.ok(index <= merged.length, `the place ${index} comes before its predecessors`);
    merged[index] = mergeValue(merged[index], entry, String(index));
  }
  return merged;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
