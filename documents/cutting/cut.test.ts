import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MAX_CHUNK_LENGTH } from "../../contract/limits.ts";
import { countTokens } from "../../model/tokens.ts";
import type { Chunk, Chunking } from "../chunks.ts";
import { cutChunks } from "./cut.ts";

const chunkings = fc
  .integer({ min: 100, max: 400 })
  .chain((max) =>
    fc.record({ max_chunk_size_tokens: fc.constant(max), chunk_overlap_tokens: fc.nat({ max: max >> 1 }) }),
  );

/** Words of all kinds, long ones, none-words, line ends, and stretches of white space. */
const words = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom("the ", "house", " stands", ". ", ".\n\n", "\r\n", "\n", "\t", ", ", "Überfluß "),
  },
  { weight: 2, arbitrary: fc.constantFrom("東京都に住んでいます。", "你好，世界！", "👩‍👩‍👧‍👦", "🏳️‍🌈", "𒀀𒀁", "ⴰⵣⵓⵍ") },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom("=", " ", "a", "\n", "é", "🎉", "x9Z/"), fc.integer({ min: 1, max: 600 }))
      .map(([unit, count]) => unit.repeat(count)),
  },
);
const texts = fc.array(words, { maxLength: 200, size: "max" });

test("chunks without their overlaps are the text, in any script, however it comes in pieces", async () => {
  await fc.assert(
    fc.asyncProperty(texts, chunkings, async (pieces, chunking) => {
      const chunks = await cut(pieces, chunking);
      assertCovers(chunks, pieces.join(""));
      assert.deepEqual(await cut([pieces.join("")], chunking), chunks);
    }),
  );
});

test("chunks that shall not overlap are, joined, the text", async () => {
  await fc.assert(
    fc.asyncProperty(texts, chunkings, async (pieces, chunking) => {
      const chunks = await cut(pieces, { ...chunking, chunk_overlap_tokens: 0 });
      assert.equal(chunks.map(({ text }) => text).join(""), pieces.join(""));
    }),
  );
});

test("no chunk has more tokens than asked when it is counted again, nor half a character", async () => {
  await fc.assert(
    fc.asyncProperty(texts, chunkings, async (pieces, chunking) => {
      for (const [index, chunk] of (await cut(pieces, chunking)).entries()) {
        assert.equal(chunk.index, index);
        assert.equal(chunk.tokens, countTokens(chunk.text));
        assert.ok(chunk.tokens <= chunking.max_chunk_size_tokens, `${chunk.tokens} tokens`);
        assert.ok(chunk.text.isWellFormed());
      }
    }),
  );
});

const PROSE = Array.from(
  { length: 3000 },
  (_, n) => `Sentence ${n} tells of house ${n * 7}.${n % 5 === 4 ? "\n\n" : " "}`,
);

test("chunks of prose overlap by the tokens asked for, within a word", async () => {
  for (const [max, overlap] of [
    [800, 400],
    [800, 100],
    [100, 50],
    [4096, 2048],
    [200, 0],
  ] as const) {
    const chunks = await cut(PROSE, { max_chunk_size_tokens: max, chunk_overlap_tokens: overlap });
    assert.ok(chunks.length > 5);
    for (const [index, chunk] of chunks.entries()) {
      if (index === 0) continue;
      const tokens = countTokens(chunk.text.slice(0, overlapLength(chunks[index - 1] as Chunk, chunk)));
      assert.ok(tokens <= overlap + 4 && tokens >= overlap - 4, `${tokens} of ${overlap} tokens`);
    }
  }
});

test("words that count more together than alone make no chunk too large", async () => {
  let close = 0;
  for (let max = 100; max <= 800; max += 7) {
    const chunks = await cut(PROSE.slice(0, 600), { max_chunk_size_tokens: max, chunk_overlap_tokens: max >> 1 });
    for (const { text } of chunks) {
      const tokens = countTokens(text);
      assert.ok(tokens <= max, `${tokens} of ${max} tokens`);
      if (tokens === max) close += 1;
    }
  }
  assert.ok(close > 0, "none came near the limit");
});

test("chunks of prose are nearly as large as asked and end with a paragraph", async () => {
  const chunks = await cut(PROSE, { max_chunk_size_tokens: 800, chunk_overlap_tokens: 400 });
  for (const chunk of chunks.slice(0, -1)) {
    assert.ok(chunk.tokens >= 640, `${chunk.tokens} tokens`);
    assert.ok(chunk.text.endsWith(".\n\n"), chunk.text.slice(-20));
  }
});

test("chunks end with a sentence where there are no paragraphs, and with a line where there are no sentences", async () => {
  const chunking = { max_chunk_size_tokens: 100, chunk_overlap_tokens: 20 };
  const sentences = await cut(["All houses stand on a hill, and none of them has fallen yet. ".repeat(100)], chunking);
  for (const { text } of sentences.slice(0, -1)) assert.match(text, /yet\.$/);
  const lines = await cut(["let first = second + third * fourth - fifth\n".repeat(100)], chunking);
  for (const { text } of lines.slice(0, -1)) assert.match(text, /fifth\n$/);
  const japanese = await cut(["東京都に住んでいます。家は丘の上にあります。".repeat(100)], chunking);
  for (const { text } of japanese.slice(0, -1)) assert.match(text, /。$/);
});

test("a token that stands for a lot of text does not make chunks longer than allowed", async () => {
  const chunks = await cut([`${"=".repeat(16)}\t        `.repeat(40_000)], {
    max_chunk_size_tokens: 4096,
    chunk_overlap_tokens: 2048,
  });
  for (const { text } of chunks) assert.ok(text.length <= MAX_CHUNK_LENGTH, `${text.length} characters`);
});

async function cut(pieces: readonly string[], chunking: Chunking): Promise<Chunk[]> {
  async function* read(): AsyncGenerator<string> {
    yield* pieces;
  }
  const chunks: Chunk[] = [];
  for await (const chunk of cutChunks(read(), chunking)) chunks.push(chunk);
  return chunks;
}

/** Each chunk begins where the one before ended, or earlier, and goes on further. A text that repeats itself has it in several places. */
function assertCovers(chunks: readonly Chunk[], text: string): void {
  let covered = new Set([0]);
  for (const chunk of chunks) {
    const next = new Set<number>();
    const most = Math.max(...covered);
    for (let at = text.indexOf(chunk.text); at >= 0 && at <= most; at = text.indexOf(chunk.text, at + 1)) {
      const end = at + chunk.text.length;
      for (const from of covered) if (at <= from && end > from) next.add(end);
    }
    assert.ok(next.size > 0, `chunk ${chunk.index} leaves a gap or adds nothing`);
    covered = next;
  }
  assert.ok(covered.has(text.length), "the end is missing");
}

function overlapLength(before: Chunk, after: Chunk): number {
  for (let length = Math.min(before.text.length, after.text.length); length > 0; length -= 1) {
    if (before.text.endsWith(after.text.slice(0, length))) return length;
  }
  return 0;
}
