// What check 6 says and expects in every language of the matrix: some notes, and an answer that cites them.
import assert from "node:assert/strict";
import type { ScriptedTurn } from "../support/scripts.ts";

export interface Note {
  name: string;
  text: string;
}

export const HERON: Note = { name: "heron.txt", text: "The heron stands in shallow water." };
export const OWL: Note = { name: "owl.md", text: "The owl hunts at night." };
export const WREN: Note = { name: "Zaunkönig 🐦.txt", text: "The wren is small, and its song is loud." };

/** Asks for what is expected at the first place of what is found. */
export const QUERY = "Who hunts at night?";
/** The characters before the marker are more UTF-16 units than characters. */
const BEFORE = "🦉 It is the owl – 你好, 🦊 – ";

/** A turn that searches, and one whose answer cites the first passage that is found, in pieces that cut the marker. */
export function searchAndCite({ name }: Note): ScriptedTurn[] {
  const chunks = [BEFORE, "【0:", `0†${name}`, "】", "."];
  return [{ tool_calls: [{ name: "file_search", arguments: { queries: [QUERY] } }] }, { chunks, chunk_ms: 2 }];
}

export interface CitedText {
  value: string;
  annotations: Annotation[];
}

export interface Annotation {
  type: string;
  text: string;
  start_index: number;
  end_index: number;
  file_citation?: { file_id: string; quote?: string };
}

/** Checks an answer of `searchAndCite`: its text, and a citation whose indexes count characters. */
export function checkCitation({ value, annotations }: CitedText, { name }: Note, file_citation: object): void {
  const text = `【0:0†${name}】`;
  assert.equal(value, `${BEFORE}${text}.`);
  const start_index = Array.from(BEFORE).length;
  const end_index = start_index + Array.from(text).length;
  assert.deepEqual(annotations, [{ type: "file_citation", text, start_index, end_index, file_citation }]);
}
