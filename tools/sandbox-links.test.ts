import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ReferenceFinder } from "./references.ts";
import type { Piece } from "./references.ts";
import { linksTo } from "./sandbox-links.ts";
import type { LinkedFile } from "./sandbox-links.ts";

const NAMES = ["a.csv", "a.csv.gz", "my plot (2).png", "größe.txt", "s"];

function find(pieces: readonly string[]): Piece<LinkedFile>[] {
  const finder = new ReferenceFinder([linksTo(NAMES)]);
  return [...pieces.flatMap((piece) => finder.take(piece)), ...finder.release()];
}

function linksIn(pieces: readonly Piece<LinkedFile>[]): [text: string, name: string][] {
  return pieces.flatMap((piece) => (piece.kind === "reference" ? [[piece.text, piece.reference.name]] : []));
}

test("a link is found without the brackets around it, by the name as it is or as addresses write it", () => {
  assert.deepEqual(linksIn(find(["Here: [the table](sandbox:/mnt/data/a.csv), and"])), [
    ["sandbox:/mnt/data/a.csv", "a.csv"],
  ]);
  assert.deepEqual(linksIn(find(["(sandbox:/mnt/data/my%20plot%20(2).png)(sandbox:/mnt/data/my plot (2).png)"])), [
    ["sandbox:/mnt/data/my%20plot%20(2).png", "my plot (2).png"],
    ["sandbox:/mnt/data/my plot (2).png", "my plot (2).png"],
  ]);
  assert.deepEqual(linksIn(find(["sandbox:/mnt/data/gr%C3%B6%C3%9Fe.txt"])), [
    ["sandbox:/mnt/data/gr%C3%B6%C3%9Fe.txt", "größe.txt"],
  ]);
});

test("of two names of which one begins with the other, the longer one is meant where it stands", () => {
  assert.deepEqual(linksIn(find(["sandbox:/mnt/data/a.csv.", "gz and sandbox:/mnt/data/a.csv."])), [
    ["sandbox:/mnt/data/a.csv.gz", "a.csv.gz"],
    ["sandbox:/mnt/data/a.csv", "a.csv"],
  ]);
});

test("files that are not there, and other folders, are not linked", () => {
  const text =
    "sandbox:/mnt/data/b.csv sandbox:/mnt/data/a.csvx sandbox:/mnt/a.csv sandbox:/mnt/data/sub/a.csv sandbox";
  assert.deepEqual(linksIn(find([text])), []);
  assert.equal(
    find([text])
      .map((piece) => piece.text)
      .join(""),
    text,
  );
});

test("however a text is cut, its pieces are the whole text, and its links those of the uncut text", () => {
  const anyBit = fc.constantFrom(
    ...NAMES.map((name) => `sandbox:/mnt/data/${name}`),
    "sandbox:/mnt/data/",
    "sandbox:",
    "s",
    ".gz",
    "(",
    ")",
    " ",
    "😀",
  );
  const anyPieces = fc
    .tuple(fc.array(anyBit, { maxLength: 8 }), fc.array(fc.nat({ max: 120 }), { maxLength: 10 }))
    .map(([bits, places]) => {
      const text = bits.join("");
      const cuts = places.filter((place) => place < text.length).toSorted((a, b) => a - b);
      return [0, ...cuts].map((start, index) => text.slice(start, cuts[index] ?? text.length));
    });
  fc.assert(
    fc.property(anyPieces, (pieces) => {
      const text = pieces.join("");
      const found = find(pieces);
      assert.equal(found.map((piece) => piece.text).join(""), text);
      assert.deepEqual(linksIn(found), linksIn(find([text])));
    }),
    { numRuns: 2000 },
  );
});
