import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MAX_MARKER_NAME_LENGTH } from "../contract/limits.ts";
import { markerOf, markersOf, readMarker } from "./citation-markers.ts";
import type { PassageNumber } from "./citation-markers.ts";
import { ReferenceFinder } from "./references.ts";
import type { Piece } from "./references.ts";

/** Three passages of the first call, one of the second. */
const isShown = ({ call, passage }: { call: number; passage: number }) => passage < ([3, 1][call] ?? 0);

function find(pieces: readonly string[]): Piece<PassageNumber>[] {
  const finder = new ReferenceFinder([markersOf(isShown)]);
  const found = pieces.flatMap((piece) => finder.take(piece));
  return [...found, ...finder.release()];
}

function citationsIn(pieces: readonly Piece<PassageNumber>[]): string[] {
  return pieces.flatMap((piece) => (piece.kind === "reference" ? [piece.text] : []));
}

const anyBit = fc.constantFrom(
  "【0:0†a.txt】",
  "【0:2†】",
  "【1:0†source】",
  "【1:0†ü😀.md】",
  "【0:3†no such passage】",
  "【2:0†no such call】",
  "【0:0】",
  "【0†a】",
  "【title】",
  "【",
  "】",
  "†",
  "【0:0†a\nb】",
  "【0:0†【0:1†b】",
  "0:0",
  "word ",
  "😀",
  "\n",
);
const anyPieces = fc
  .tuple(fc.array(anyBit, { maxLength: 8 }), fc.array(fc.nat({ max: 80 }), { maxLength: 10 }))
  .map(([bits, places]) => {
    const text = bits.join("");
    const cuts = places.filter((place) => place < text.length).toSorted((a, b) => a - b);
    return [0, ...cuts].map((start, index) => text.slice(start, cuts[index] ?? text.length));
  });

test("however a text is cut, its pieces are the whole text, and its citations those of the uncut text", () => {
  fc.assert(
    fc.property(anyPieces, (pieces) => {
      const text = pieces.join("");
      const found = find(pieces);
      assert.equal(found.map((piece) => piece.text).join(""), text);
      assert.deepEqual(citationsIn(found), citationsIn(find([text])));
    }),
    { numRuns: 2000 },
  );
});

test("markers of passages that were shown are found, and no others", () => {
  const text = "A【0:0†a】B【0:3†a】C【0:0†【0:1†b】D【1:0†】【7:0†x】【00:01†y】";
  assert.deepEqual(citationsIn(find([text])), ["【0:0†a】", "【0:1†b】", "【1:0†】", "【00:01†y】"]);
});

test("text is held back only while it may become a marker", () => {
  const finder = new ReferenceFinder([markersOf(isShown)]);
  const said = (text: string) => finder.take(text).map((piece) => piece.text);
  assert.deepEqual(said("A【"), ["A"]);
  assert.deepEqual(said("0"), []);
  assert.deepEqual(said("x】"), ["【0x】"]);
  assert.deepEqual(said("【0:0†"), []);
  assert.deepEqual(said("\n"), ["【0:0†\n"]);
  assert.deepEqual(said(`【0:0†${"n".repeat(MAX_MARKER_NAME_LENGTH)}`), []);
  assert.deepEqual(said("n").join(""), `【0:0†${"n".repeat(MAX_MARKER_NAME_LENGTH + 1)}`);
  assert.deepEqual(said("B【1:"), ["B"]);
  assert.deepEqual(finder.release(), [{ kind: "text", text: "【1:" }]);
  assert.deepEqual(finder.release(), []);
});

test("the marker of any file can be read again, whatever the file is called", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 600 }),
      fc.nat({ max: 999 }),
      fc.nat({ max: 49 }),
      (...given) => {
        const [name, call, passage] = given;
        assert.deepEqual(readMarker(markerOf({ call, passage }, name)), { call, passage });
      },
    ),
  );
  assert.equal(markerOf({ call: 0, passage: 1 }, "a】\n.txt"), "【0:1†a__.txt】");
});
