import assert from "node:assert/strict";
import { test } from "node:test";
import { codeFor, reportCode } from "./demo-code.ts";
import type { ChatTool } from "./request.ts";

/** The tool, as it is offered when these files are there. */
function interpreter(...paths: string[]): ChatTool {
  const files = paths.map((path) => JSON.stringify(path)).join(", ");
  const description = `Runs Python. Files are read from /mnt/data. Files that are there now: ${files}.`;
  return { type: "function", function: { name: "code_interpreter", description } };
}

for (const [text, difference, unknown] of [
  ["Please solve the equation `4x + 9 = 21` for me.", "(4*x + 9) - (21)", "x"],
  ["How do I find x when 5x - 3 = 12?", "(5*x - 3) - (12)", "x"],
  ["what is y in 2.5 y=10-y", "(2.5*y) - (10-y)", "y"],
  ["Solve -3*a + 1 = a.", "(-3*a + 1) - (a)", "a"],
] as const) {
  test(`"${text}" is an equation`, () => {
    const code = codeFor(text, interpreter()) ?? "";
    assert.ok(code.includes(`solve(${difference}, ${unknown})`), code);
  });
}

for (const text of [
  "x^2 = 4",
  "2x^2 + 1x = 4",
  "2x + 3y = 4",
  "1 + 1 = 2",
  "x(3) = 2",
  "f(x) = 2x",
  "size=3",
  "a == 3",
]) {
  test(`"${text}" is nothing that the demo can solve`, () => {
    assert.equal(codeFor(text, interpreter()), undefined);
  });
}

test("the table that the text names is plotted, otherwise the first one", () => {
  const tool = interpreter("/mnt/data/notes.txt", "/mnt/data/a.csv", '/mnt/data/b "c".CSV', "/mnt/data/a_cleaned.csv");
  const read = (text: string) => /read_csv\((".*?[^\\]")/.exec(codeFor(text, tool) ?? "")?.[1];
  assert.equal(read("Plot it, please"), '"/mnt/data/a.csv"');
  assert.equal(read('Draw a chart of b "c".CSV'), String.raw`"/mnt/data/b \"c\".CSV"`);
  assert.equal(codeFor("Tell me about a.csv", tool), undefined);
  assert.equal(codeFor("Plot it", interpreter("/mnt/data/notes.txt")), undefined);
});

test("what code has printed is told, with a link to the table that it has written", () => {
  const code = codeFor("plot", interpreter("/mnt/data/a.csv"));
  const told = reportCode(JSON.stringify({ code }), "5 rows.\n\n[an image, which the user is shown with your answer]");
  assert.equal(
    told,
    "I ran Python, and it says: 5 rows. The tidy table: [a_cleaned.csv](sandbox:/mnt/data/a_cleaned.csv).",
  );
  assert.equal(reportCode('{"code":"print(1)"}', "1"), "I ran Python, and it says: 1");
  assert.equal(reportCode("print(1)", "1"), "I ran Python, and it says: 1");
});

test("of a traceback it tells how it ends, and links nothing", () => {
  const code = codeFor("plot", interpreter("/mnt/data/a.csv"));
  const output = 'Traceback (most recent call last):\n  File "cell"\nTypeError: no numeric data to plot';
  assert.equal(
    reportCode(JSON.stringify({ code }), output),
    "I ran Python, and it failed: TypeError: no numeric data to plot",
  );
});
