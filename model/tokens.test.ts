import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { countContentTokens, countTokens } from "./tokens.ts";

const SOURCE = readFileSync(new URL("tokens.ts", import.meta.url), "utf8");
const ENGLISH = "The quick brown fox jumps over the lazy dog, doesn't it? Yes: 1234567 times.\n\n";

function exactCount(text: string): number {
  return encode(text, { disallowedSpecial: new Set() }).length;
}

function assertClose(count: number, exact: number, tolerance: number): void {
  const error = Math.abs(count / exact - 1);
  assert.ok(error <= tolerance, `${count} is ${(error * 100).toFixed(2)} % off ${exact}`);
}

test("no text has no tokens", () => {
  assert.equal(countTokens(""), 0);
});

test("short texts are counted exactly", () => {
  for (const text of [
    "Hi",
    "Hello, world!",
    ENGLISH,
    "你好，世界",
    "👩‍👩‍👧‍👦 naïve café",
    "  indented\n\tcode();  ",
    "\n\n\n",
  ]) {
    assert.equal(countTokens(text), exactCount(text), text);
  }
});

test("ordinary texts are counted to within one percent", () => {
  assertClose(countTokens(SOURCE), exactCount(SOURCE), 0.01);
  assertClose(countTokens(ENGLISH.repeat(100)), exactCount(ENGLISH.repeat(100)), 0.01);
});

test("very long texts are estimated to within two percent", () => {
  const text = SOURCE.repeat(Math.ceil(300_000 / SOURCE.length));
  assertClose(countTokens(text), exactCount(text), 0.02);
});

test("names of special tokens are text like any other", () => {
  assert.ok(countTokens("<|endoftext|>") > 1);
});

describe("texts made to be slow to count take no more than a moment of CPU", () => {
  const length = 256_000;
  const random = (next: () => number) => Array.from({ length }, () => String.fromCharCode(next())).join("");
  const texts: Record<string, string> = {
    "one letter": "a".repeat(length),
    spaces: " ".repeat(length),
    "line breaks": "\n".repeat(length),
    "spaces and line breaks": " \n".repeat(length / 2),
    dots: ".".repeat(length),
    digits: "0".repeat(length),
    contractions: "'s".repeat(length / 2),
    "changing case": "aA".repeat(length / 2),
    "special tokens": "<|endoftext|>".repeat(length / 13),
    "families of emoji": "👩‍👩‍👧‍👦".repeat(length / 11),
    "combining marks": `a${"\u0301".repeat(length)}`,
    "halves of surrogate pairs": "\ud800".repeat(length),
    "random letters": random(() => 97 + Math.random() * 26),
    "random Chinese": random(() => 0x4e00 + Math.random() * 0x5000),
    "random characters": random(() => Math.random() * 0xffff),
  };
  for (const [name, text] of Object.entries(texts)) {
    test(name, () => {
      const before = process.cpuUsage();
      const tokens = countTokens(text);
      // Twenty times what it takes; the tokenizer alone takes from 30 s to several minutes for half of these.
      assert.ok(process.cpuUsage(before).user < 4_000_000);
      assert.ok(tokens > 0 && tokens <= 3 * text.length);
    });
  }
});

test("a message costs its texts, its images and its envelope", () => {
  const text = (value: string) => ({ type: "text" as const, text: { value, annotations: [] } });
  const image = (detail: "auto" | "low") => ({
    type: "image_file" as const,
    image_file: { file_id: "file-A", detail },
  });
  assert.equal(countContentTokens([]), 4);
  assert.equal(countContentTokens([text("Hello"), text(" there")]), 4 + exactCount("Hello there"));
  assert.equal(countContentTokens([image("auto"), image("low")]), 4 + 765 + 85);
  assert.equal(countContentTokens([{ type: "refusal", refusal: "No." }]), 4 + exactCount("No."));
});
