import assert from "node:assert/strict";
import { test } from "node:test";
import { DOCUMENT_EXTENSIONS, extensionOf, findDocumentKind } from "./document-types.ts";

test("exactly the types of OpenAI's list are documents", () => {
  const listed = ".c .cs .cpp .css .doc .docx .go .html .java .js .json .md .pdf .php .pptx .py .rb .sh .tex .ts .txt";
  assert.deepEqual(DOCUMENT_EXTENSIONS, listed.split(" ").toSorted());
});

test("the extension decides, and the media type only when there is none", () => {
  assert.equal(findDocumentKind("Report.v2.PDF", "text/plain"), "pdf");
  assert.equal(findDocumentKind("table.csv", "text/plain"), null);
  assert.equal(findDocumentKind("README", "text/plain; charset=utf-8"), "text");
  assert.equal(findDocumentKind("README"), null);
  assert.equal(findDocumentKind("a.constructor", "constructor"), null);
});

test("an extension is what follows the last dot of a name, unless that begins with it", () => {
  for (const [name, extension] of [
    ["a.b.TxT", ".txt"],
    ["folder.d/name", ""],
    ["c:\\folder.d\\name.md", ".md"],
    [".txt", ""],
    ["name.", ""],
    ["", ""],
  ] as const) {
    assert.equal(extensionOf(name), extension, name);
  }
});
