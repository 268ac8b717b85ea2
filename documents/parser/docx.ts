// Word: mammoth turns the document into HTML (headings, lists, tables, notes), which is read as any HTML is.
import { readFile } from "node:fs/promises";
import mammoth from "mammoth";
import { damaged } from "../refusal.ts";
import { openArchive } from "./archive.ts";
import type { OpenDocument } from "./document.ts";
import { readHtml } from "./html.ts";

const XML = /\.(?:xml|rels)$/i;
/** From a footnote back to its place in the text. */
const BACK_LINK = /<a href="#[^"]*">↑<\/a>/g;

export async function openDocx(path: string): Promise<OpenDocument> {
  await inspect(path);
  const html = await convert(await readFile(path));
  async function* pieces(): AsyncGenerator<string> {
    yield html;
  }
  return {
    mostBytes: Buffer.byteLength(html),
    read: () => readHtml(pieces()),
    emptyBecause: "it holds no text",
  };
}

/** mammoth inflates and parses whatever it is given: so all that it might read is inflated here first, and counted. */
async function inspect(path: string): Promise<void> {
  const archive = await openArchive(path);
  try {
    for (const name of archive.names) if (XML.test(name)) await archive.readXml(name);
  } finally {
    archive.close();
  }
}

async function convert(buffer: Buffer): Promise<string> {
  const convertImage = mammoth.images.imgElement(() => Promise.resolve({ src: "" }));
  try {
    const { value } = await mammoth.convertToHtml({ buffer }, { convertImage, externalFileAccess: false });
    return value.replaceAll(BACK_LINK, "");
  } catch (error) {
    throw damaged(error);
  }
}
