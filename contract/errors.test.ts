import assert from "node:assert/strict";
import { test } from "node:test";
import { incorrectApiKey, outputsMismatch, runNotFound } from "./errors.ts";

test("all four keys are present in every body, null when unused", () => {
  assert.deepEqual(runNotFound("run_A").toBody(), {
    error: { message: "No run found with id 'run_A'.", type: "invalid_request_error", param: null, code: null },
  });
});

test("a refused key is shown, but never enough of it to use it", () => {
  const shown = (key: string) => /provided: (.*?)\. You/.exec(incorrectApiKey(key).message)?.[1];
  assert.equal(shown("sk-abcdefghijklmnopqrstuvwxyz"), "sk-ab***yz");
  assert.equal(shown("short-secret"), "***");
  assert.equal(shown(""), "''");
});

test("pending calls are listed as Python lists them", () => {
  assert.equal(
    outputsMismatch(["call_a", "call_b"], ["call_a"]).message,
    "Expected tool outputs for call_ids ['call_a', 'call_b'], got ['call_a']",
  );
});
