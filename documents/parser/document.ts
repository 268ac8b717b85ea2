// Opens a document as what it holds. Its name says what it should be; a PDF or an Office file is told by its content.
import { readFile } from "node:fs/promises";
import type { DocumentKind } from "../../contract/document-types.ts";
import { unreadable, unsupported } from "../refusal.ts";
import { openPlainText, readStart } from "./plain-text.ts";
import { findSignature } from "./signatures.ts";

export interface OpenDocument {
  /** The text is not longer than this in UTF-8. */
  mostBytes: number;
  /** The text in pieces. It can be read again. */
  read: () => AsyncIterable<string>;
  /** Why there is no text, if there is none: goes on "The file could not be parsed because …". */
  emptyBecause: string;
}

const START_BYTES = 4096;

export async function openDocument(path: string, named: DocumentKind): Promise<OpenDocument> {
  const kind = await findKind(path, named);
  // Only what this document needs is loaded: the process is started for it alone.
  switch (kind) {
    case "text":
      return openPlainText(path);
    case "html":
      return (await import("./html.ts")).openHtml(path);
    case "pdf":
      return (await import("./pdf.ts")).openPdf(path);
    case "docx":
      return (await import("./docx.ts")).openDocx(path);
    case "pptx":
      return (await import("./pptx.ts")).openPptx(path);
    case "doc":
      return (await import("./doc.ts")).openDoc(path);
  }
}

async function findKind(path: string, named: DocumentKind): Promise<DocumentKind> {
  const start = await readStart(path, START_BYTES);
  const signature = findSignature(start);
  if (signature === "zip") return findOfficeKind(path);
  if (signature === "ole") return findOleKind(path);
  if (signature === "pdf") return "pdf";
  if (signature !== null) throw unsupported(`The file holds ${signature}, which is not supported for retrieval.`);
  if (named === "text" || named === "html") return named;
  // Readers of PDF put up with something before its beginning, and programs called web pages .doc.
  if (named === "pdf" && start.includes("%PDF-")) return "pdf";
  const text = start.toString("latin1");
  if (text.startsWith("{\\rtf"))
    throw unsupported("The file holds rich text (RTF), which is not supported for retrieval.");
  if (named === "doc" && /^[^<]{0,9}<(?:!doctype\s+)?html/i.test(text)) return "html";
  throw unreadable(`it is not what its extension .${named} says: it may be damaged, or another type of file renamed`);
}

async function findOfficeKind(path: string): Promise<DocumentKind> {
  const { openArchive } = await import("./archive.ts");
  const archive = await openArchive(path);
  try {
    const types = await archive.readXml("[Content_Types].xml");
    if (types === null) throw unsupported("The file holds a ZIP archive, which is not supported for retrieval.");
    if (/word[^"]*\.(?:document|template)[^"]*\.?main\+xml/i.test(types)) return "docx";
    if (/(?:presentationml|powerpoint)[^"]*\.(?:presentation|slideshow|template)[^"]*\.?main\+xml/i.test(types))
      return "pptx";
    const what = /spreadsheetml|excel/i.test(types) ? "an Excel workbook" : "an archive";
    throw unsupported(`The file holds ${what}, which is not supported for retrieval.`);
  } finally {
    archive.close();
  }
}

/** OLE files name their streams in UTF-16: Word's own, or that of an encrypted file. */
async function findOleKind(path: string): Promise<DocumentKind> {
  const bytes = await readFile(path);
  const has = (stream: string) => bytes.includes(Buffer.from(stream, "utf16le"));
  if (has("EncryptedPackage")) throw unreadable("it is protected by a password");
  if (has("WordDocument")) return "doc";
  throw unsupported("The file holds an older Office file that is not of Word, which is not supported for retrieval.");
}
