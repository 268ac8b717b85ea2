// Word before 2007: the text of the body, of foot- and endnotes, and of text boxes.
import WordExtractor from "word-extractor";
import { damaged } from "../refusal.ts";
import type { OpenDocument } from "./document.ts";

export async function openDoc(path: string): Promise<OpenDocument> {
  const text = await extract(path);
  async function* pieces(): AsyncGenerator<string> {
    yield text;
  }
  return { mostBytes: Buffer.byteLength(text), read: pieces, emptyBecause: "it holds no text" };
}

async function extract(path: string): Promise<string> {
  try {
    const document = await new WordExtractor().extract(path);
    const parts = [document.getBody(), document.getFootnotes(), document.getEndnotes(), document.getTextboxes()];
    return parts.filter((part) => part !== "").join("\n\n");
  } catch (error) {
    throw damaged(error);
  }
}
