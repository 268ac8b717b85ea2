// Lines out of bytes that may be anything, cut anywhere; and what is done with what they print.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MAX_SANDBOX_LINE_BYTES } from "../contract/limits.ts";
import { DEFAULT_LIMITS } from "./default-limits.ts";
import { readLines } from "./lines.ts";
import { createPictures } from "./pictures.ts";
import { createPrintedText } from "./printed-text.ts";

test("lines come out as they went in, wherever the bytes were cut", async () => {
  const line = fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\n", ""));
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.array(fc.nat({ max: 200 })), async (lines, cuts) => {
      const bytes = Buffer.from(lines.map((each) => `${each}\n`).join(""));
      assert.deepEqual(await read(cut(bytes, cuts)), lines);
    }),
  );
});

test("a line may be as long as the bound, and no longer", async () => {
  const longest = Buffer.from(`${"x".repeat(MAX_SANDBOX_LINE_BYTES)}\n`);
  assert.equal((await read(cut(longest, [100_000])))[0]?.length, MAX_SANDBOX_LINE_BYTES);
  await assert.rejects(read([Buffer.concat([Buffer.from("x"), longest])]), { name: "BadLine" });
  await assert.rejects(read(cut(Buffer.alloc(MAX_SANDBOX_LINE_BYTES + 1, "x"), [1000])), { name: "BadLine" });
});

test("what is not UTF-8 is refused, and what follows the last newline is dropped", async () => {
  await assert.rejects(read([Buffer.from([0xff, 10])]), { name: "BadLine" });
  assert.deepEqual(await read([Buffer.from("a\nb")]), ["a"]);
});

test("printed text is kept up to the bound in whole characters, and the rest is counted", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" })), fc.nat({ max: 60 }), (texts, bound) => {
      const printed = createPrintedText(bound);
      const kept = texts.map((text) => printed.add(text)).join("");
      const all = texts.map((text) => text.toWellFormed());
      assert.ok(Buffer.byteLength(kept) <= bound);
      assert.ok(!kept.includes("\ufffd") || all.join("").includes("\ufffd"));
      assert.equal(Buffer.byteLength(kept) + printed.droppedBytes, Buffer.byteLength(all.join("")));
    }),
  );
});

test("a picture has to be a PNG, and all of them fit into the bounds", () => {
  const png = (size: number) => Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), Buffer.alloc(size)]);
  const add = (pictures: ReturnType<typeof createPictures>, content: Buffer) => {
    const half = Math.ceil(content.length / 2);
    assert.equal(pictures.add(content.subarray(0, half).toString("base64"), false), undefined);
    return pictures.add(content.subarray(half).toString("base64"), true);
  };
  const pictures = createPictures({ ...DEFAULT_LIMITS, images: 3, imageBytes: 1000 });
  assert.deepEqual(add(pictures, png(100)), png(100));
  assert.equal(add(pictures, Buffer.from("<svg onload=alert(1)>")), undefined);
  assert.deepEqual(add(pictures, png(0)), png(0));
  assert.equal(add(pictures, png(0)), undefined, "there were three");
  assert.equal(add(createPictures({ ...DEFAULT_LIMITS, imageBytes: 1000 }), png(1000)), undefined);
});

async function read(chunks: Iterable<Buffer>): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of readLines(stream(chunks))) lines.push(line);
  return lines;
}

async function* stream(chunks: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* chunks;
}

/** In pieces of these lengths, in turns. */
function* cut(bytes: Buffer, lengths: readonly number[]): Generator<Buffer> {
  const usable = lengths.filter((length) => length > 0);
  let start = 0;
  for (let turn = 0; start < bytes.length; turn += 1) {
    const end = start + (usable[turn % usable.length] ?? bytes.length);
    yield bytes.subarray(start, end);
    start = end;
  }
}
