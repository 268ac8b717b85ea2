// The temporary files in which documents are read: they are gone when a document is read.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, beforeEach, test } from "node:test";
import { BlobsUnavailable, newBlobKey } from "../blobs/blobs.ts";
import type { Blobs } from "../blobs/blobs.ts";
import { createDocumentReader } from "./document-reader.ts";

const usual = process.env["TMPDIR"];
const folder = mkdtempSync(join(tmpdir(), "durable-assistants-temporary-"));
process.env["TMPDIR"] = folder;
beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
});
after(() => {
  if (usual === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = usual;
  rmSync(folder, { recursive: true });
});

const CHUNKING = { max_chunk_size_tokens: 100, chunk_overlap_tokens: 0 };

const oneDocument = { read: async () => Readable.from([Buffer.from("Some words.")]) };

/** Reads a small document, and calls `meanwhile` while its temporary file is there. */
async function read(meanwhile: () => void, blobs: Pick<Blobs, "read"> = oneDocument): Promise<string> {
  const readDocument = createDocumentReader(blobs);
  const document = { blob: newBlobKey(), filename: "a.txt", contentType: null };
  let text = "";
  for await (const chunk of readDocument(document, CHUNKING, new AbortController().signal)) {
    meanwhile();
    text += chunk.text;
  }
  return text;
}

/** The temporary files of documents; the parsers' own folders stay with their processes. */
function temporary(): string[] {
  return readdirSync(folder).filter((name) => name.startsWith("durable-assistants-document-"));
}

test("a document is read from a temporary file that bears the process in its name and is gone afterwards", async () => {
  let seen: string[] = [];
  assert.equal(await read(() => (seen = temporary())), "Some words.");
  assert.equal(seen.length, 1);
  assert.ok(seen[0]?.startsWith(`durable-assistants-document-${hostname()}-${process.pid}-`), seen[0]);
  assert.deepEqual(temporary(), []);
});

test("a content that breaks off is the blob store's failure, and not the database's", async () => {
  async function* breakOff() {
    yield Buffer.from("Some ");
    throw Object.assign(new Error("aborted"), { code: "ECONNRESET" });
  }
  const reading = read(() => undefined, { read: async () => Readable.from(breakOff()) });
  await assert.rejects(reading, BlobsUnavailable);
  assert.deepEqual(temporary(), []);
});
