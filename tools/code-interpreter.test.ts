import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MAX_CODE_TOLD_LENGTH } from "../contract/limits.ts";
import { CodeReader, describeOutputs, offerCode, readCode } from "./code-interpreter.ts";

test("however arguments are cut, the code comes whole, and only once", () => {
  const anyCode = fc.string({ unit: "grapheme", maxLength: 60 });
  fc.assert(
    fc.property(anyCode, fc.array(fc.nat({ max: 90 }), { maxLength: 8 }), (code, places) => {
      const args = JSON.stringify({ note: "x", code });
      const cuts = places.filter((place) => place < args.length).toSorted((a, b) => a - b);
      const pieces = [0, ...cuts].map((start, index) => args.slice(start, cuts[index] ?? args.length));
      const reader = new CodeReader();
      assert.equal(pieces.map((piece) => reader.take(piece)).join(""), code);
      assert.equal(reader.isWhole, true);
    }),
    { numRuns: 1000 },
  );
});

test("code is told while it is written", () => {
  const reader = new CodeReader();
  assert.equal(reader.take(' {"co'), "");
  assert.equal(reader.take('de": "print('), "print(");
  assert.equal(reader.take("1)"), "1)");
  assert.equal(reader.take("\\"), "");
  assert.equal(reader.isWhole, false);
  assert.equal(reader.take('n"}'), "\n");
  assert.equal(reader.isWhole, true);
});

test("code without JSON around it is taken as it is", () => {
  assert.equal(readCode("x = 1\nprint(x)"), "x = 1\nprint(x)");
  const reader = new CodeReader();
  assert.equal(["  ", "pri", "nt(1)"].map((piece) => reader.take(piece)).join(""), "  print(1)");
});

test("arguments without code are not taken for some", () => {
  for (const args of [
    "",
    "  ",
    "{}",
    '{"code": 1}',
    '{"code": "print(',
    '{"other": "x"}',
    '{"code" "x"}',
    "{nonsense",
  ]) {
    assert.equal(readCode(args), undefined, args);
  }
});

test("of long outputs the model is told beginning and end", () => {
  const told = describeOutputs([{ type: "logs", logs: `BEGIN${"x".repeat(3 * MAX_CODE_TOLD_LENGTH)}END` }]);
  assert.match(told, /^BEGINx+\n\[… \d+ characters are left out …\]\nx+END$/);
  assert.ok(told.length < MAX_CODE_TOLD_LENGTH + 100);
});

test("the model is told what was drawn, what was not printed, and what else there is to know", () => {
  assert.equal(describeOutputs([]), "(nothing was printed)");
  const outputs = [
    { type: "logs" as const, logs: "1\n" },
    { type: "image" as const, image: { file_id: "file-1" } },
  ];
  assert.equal(
    describeOutputs(outputs, ["(note)"]),
    "(note)\n1\n\n[an image, which the user is shown with your answer]",
  );
});

test("the tool is offered with the files that are there", () => {
  assert.match(
    offerCode(["a.csv", 'b "2".txt']).function.description ?? "",
    /"\/mnt\/data\/a\.csv", "\/mnt\/data\/b \\"2\\"\.txt"\.$/,
  );
  assert.doesNotMatch(offerCode([]).function.description ?? "", /Files that are there/);
});
