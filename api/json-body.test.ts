import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseJson } from "./json-body.ts";

test("an empty body is no body", () => {
  assert.equal(parseJson(""), undefined);
  assert.equal(parseJson(" \r\n"), undefined);
});

test("any JSON comes out as it went in, once its strings are whole", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.deepEqual(parseJson(JSON.stringify(value)), JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("what is not JSON is refused in the words of the original", () => {
  for (const text of ["{", "{'a': 1}", "undefined", "\ufeff{}", '{"a": 1e}', "\u0000"]) {
    assert.throws(() => parseJson(text), /^ApiError: We could not parse the JSON body of your request\./);
  }
});

test("a NUL character is refused wherever it hides, and the error says where", () => {
  const refusals: Record<string, string> = {
    '{"a": "x\\u0000y"}': "Invalid 'a': the NUL character (U+0000) cannot be stored.",
    '{"a": [{}, {"b": "\\u0000"}]}': "Invalid 'a[1].b': the NUL character (U+0000) cannot be stored.",
    '{"a": {"\\u0000": 1}}': "Invalid 'a.\\u0000': the NUL character (U+0000) cannot be stored.",
  };
  for (const [text, message] of Object.entries(refusals)) assert.throws(() => parseJson(text), { message });
});

test("an escaped backslash before u0000 is no NUL character", () => {
  assert.deepEqual(parseJson('{"a": "\\\\u0000"}'), { a: "\\u0000" });
});

test("half a surrogate pair becomes the replacement character, in keys too", () => {
  assert.deepEqual(parseJson('{"a": "x\\ud83d", "\\ude00": [["\\ud83d\\ude00"]]}'), {
    a: "x\ufffd",
    "\ufffd": [["😀"]],
  });
});

test("a key called __proto__ changes nobody's prototype", () => {
  const body = parseJson('{"__proto__": {"admin": "\\ud800"}}') as object;
  assert.equal(Object.getPrototypeOf(body), Object.prototype);
  assert.equal("admin" in body, false);
});

test("a body nested a million deep is read without running out of stack", () => {
  const depth = 1_000_000;
  const body = parseJson(`${'{"a":'.repeat(depth)}"\\ud800"${"}".repeat(depth)}`);
  assert.equal(typeof body, "object");
});
