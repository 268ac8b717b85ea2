import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, suite, test } from "node:test";
import { pdf } from "../test/support/office-files.ts";
import { withFile } from "../test/support/read-document.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import { PARSER_LIMITS } from "./parser-child.ts";
import { isSmallText, TextParsers } from "./text-parsers.ts";

const CHUNKING = { max_chunk_size_tokens: 100, chunk_overlap_tokens: 0 };
const never = new AbortController().signal;

const parsingOf = (path: string) => ({ path, kind: "text" as const, ...CHUNKING });

function read(parsers: TextParsers, content: string | Uint8Array, signal = never): Promise<string> {
  return withFile(content, async (path) => {
    let text = "";
    for await (const chunk of parsers.parse(parsingOf(path), signal)) text += chunk.text;
    return text;
  });
}

const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith("durable-assistants-parser-"));

suite("one process for many texts", { concurrency: false }, () => {
  const before = new Set(folders());
  const isWithoutNew = () => folders().every((name) => before.has(name));

  test("reads them one after another, and is replaced after so many", async () => {
    const parsers = new TextParsers({ filesEach: 3 });
    for (const text of ["one", "two two", "東京", "four", "five", "six"]) assert.equal(await read(parsers, text), text);
    assert.equal(parsers.started, 2);
  });

  test("makes chunks as they are asked for, whatever was asked for before", async () => {
    const parsers = new TextParsers({ filesEach: 2 });
    const long = "some words ".repeat(500).trim();
    assert.equal(await read(parsers, long), long);
    const sizes = await withFile(long, async (path) => {
      const found: number[] = [];
      const parsing = { ...parsingOf(path), max_chunk_size_tokens: 400 };
      for await (const { index, tokens } of parsers.parse(parsing, never)) found[index] = tokens;
      return found;
    });
    assert.ok(sizes.length > 1 && Math.max(...sizes) > 200 && Math.max(...sizes) <= 400, sizes.join());
    assert.equal(parsers.started, 1);
  });

  test("is replaced when a text is refused, and when its reader leaves in the middle", async () => {
    const parsers = new TextParsers({ filesEach: 3 });
    await assert.rejects(read(parsers, Buffer.from([0x61, 0xe9, 0x61])), /byte 1 \(0xe9\) is not valid UTF-8/);
    assert.equal(await read(parsers, "next"), "next");
    assert.equal(parsers.started, 2);
    await withFile("words and words ".repeat(20_000), async (path) => {
      for await (const _ of parsers.parse(parsingOf(path), never)) break;
    });
    assert.equal(await read(parsers, "another"), "another");
    assert.equal(parsers.started, 3);
    assert.equal(await read(parsers, "last"), "last");
    assert.equal(await read(parsers, "very last"), "very last");
  });

  test("is ended by its signal, with the signal's reason", async () => {
    const parsers = new TextParsers();
    const leaving = new AbortController();
    await withFile("words and words ".repeat(20_000), async (path) => {
      await assert.rejects(async () => {
        for await (const _ of parsers.parse(parsingOf(path), leaving.signal)) leaving.abort(new Error("enough"));
      }, /enough/);
    });
  });

  test("that was killed while it had nothing to do, or too much, is replaced", async () => {
    const limits = { ...PARSER_LIMITS, waitMs: 1 };
    await assert.rejects(read(new TextParsers({ limits }), "words"), /that takes too long/);
    const parsers = new TextParsers({ filesEach: 2 });
    assert.equal(await read(parsers, "one"), "one");
    const mine = execFileSync("pgrep", ["-P", String(process.pid), "-f", "texts/main"], { encoding: "utf8" });
    for (const pid of mine.trim().split("\n")) process.kill(Number(pid), "SIGKILL");
    await waitUntil("it has ended", isWithoutNew);
    assert.equal(await read(parsers, "two"), "two");
    assert.equal(await read(parsers, "three"), "three");
  });

  test("reads several at once in processes of their own, and leaves no folder behind", async () => {
    const parsers = new TextParsers({ filesEach: 1 });
    const texts = Array.from({ length: 4 }, (_, index) => `text ${index}`);
    assert.deepEqual(await Promise.all(texts.map((text) => read(parsers, text))), texts);
    assert.equal(parsers.started, 4);
  });

  after(() => waitUntil("no folder is left", isWithoutNew));
});

test("only small texts are read so: what a parser would have to interpret is not, whatever it is called", async () => {
  for (const [content, isSmall] of [
    ["words", true],
    ["x".repeat(2 ** 20), true],
    ["x".repeat(2 ** 20 + 1), false],
    [await pdf((document) => void document.text("A PDF")), false],
    [Buffer.from("504b0304aaaa", "hex"), false],
    [Buffer.from("d0cf11e0a1b11ae1", "hex"), false],
  ] as const) {
    assert.equal(await withFile(content, async (path) => isSmallText(parsingOf(path))), isSmall);
  }
  assert.equal(await withFile("<p>", async (path) => isSmallText({ ...parsingOf(path), kind: "html" })), false);
});
