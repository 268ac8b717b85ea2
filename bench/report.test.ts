import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { goalsOf, readSections } from "./report.ts";

test("the README has the goals and figures of results.md, all of them and no others", () => {
  const readme = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
  const [, table = ""] = readme.split(/<!-- the goals .*-->|<!-- end of the goals -->/);
  const cells = (text: string) => text.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
  const rows = (text: string) => cells(text.trim()).filter((row) => !/^-+$/.test(row[1] ?? ""));
  const expected = goalsOf(readSections().map(([, section]) => section));
  assert.ok(rows(expected).length > 5);
  assert.deepEqual(rows(table), rows(expected));
});
