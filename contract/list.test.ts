import assert from "node:assert/strict";
import { test } from "node:test";
import { toList } from "./list.ts";

test("a list names its first and its last item", () => {
  const data = [{ id: "a" }, { id: "b" }, { id: "c" }];
  assert.deepEqual(toList({ data, has_more: true }), {
    object: "list",
    data,
    first_id: "a",
    last_id: "c",
    has_more: true,
  });
});

test("an empty list has null for both", () => {
  assert.deepEqual(toList({ data: [], has_more: false }), {
    object: "list",
    data: [],
    first_id: null,
    last_id: null,
    has_more: false,
  });
});
