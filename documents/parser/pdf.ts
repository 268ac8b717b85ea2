// PDF: the text of each page in the order in which it is read.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { PDFDocumentProxy, PDFPageProxy } from "pdfjs-dist/legacy/build/pdf.mjs";
import { damaged, unreadable } from "../refusal.ts";
import type { OpenDocument } from "./document.ts";
import { layOutPage } from "./page-layout.ts";
import type { TextBox } from "./page-layout.ts";

const PDFJS = join(import.meta.dirname, "../../node_modules/pdfjs-dist");

/** All pages are read before the first chunk: a page that cannot be read is known before others are paid for. */
export async function openPdf(path: string): Promise<OpenDocument> {
  const pages = await readPages(path);
  async function* read(): AsyncGenerator<string> {
    for (const page of pages) if (page !== "") yield `${page}\n\n`;
  }
  const bytes = pages.reduce((total, page) => total + Buffer.byteLength(page) + 2, 0);
  const count = pages.length === 1 ? "its page holds no text" : `none of its ${pages.length} pages holds text`;
  return { mostBytes: bytes, read, emptyBecause: `${count}: scanned pages need text recognition (OCR) first` };
}

async function readPages(path: string): Promise<string[]> {
  const pdfjs = await loadLibrary();
  const data = new Uint8Array(await readFile(path));
  try {
    const pdf = await pdfjs.getDocument({
      data,
      verbosity: pdfjs.VerbosityLevel.ERRORS,
      useSystemFonts: false,
      disableFontFace: true,
      useWasm: false,
      // How the fonts of East Asian PDFs number their characters.
      cMapUrl: `${join(PDFJS, "cmaps")}/`,
      cMapPacked: true,
      standardFontDataUrl: `${join(PDFJS, "standard_fonts")}/`,
    }).promise;
    return await readEach(pdf);
  } catch (error) {
    if (error instanceof Error && error.name === "PasswordException") {
      throw unreadable("it is protected by a password", error);
    }
    throw damaged(error);
  }
}

/** What draws pages is missing here, and not needed: only its name must be there when the library is loaded. */
async function loadLibrary() {
  Object.assign(globalThis, { DOMMatrix: class {}, ImageData: class {}, Path2D: class {} });
  return import("pdfjs-dist/legacy/build/pdf.mjs");
}

async function readEach(pdf: PDFDocumentProxy): Promise<string[]> {
  const pages: string[] = [];
  for (let number = 1; number <= pdf.numPages; number += 1) {
    const page = await pdf.getPage(number);
    pages.push(layOutPage(await readBoxes(page)));
    page.cleanup();
  }
  return pages;
}

async function readBoxes(page: PDFPageProxy): Promise<TextBox[]> {
  const { transform } = page.getViewport({ scale: 1 });
  const { items } = await page.getTextContent();
  return items.flatMap((item) =>
    "str" in item && item.str.trim() !== ""
      ? [toBox(item.str, item.width, multiply(transform, item.transform), item.dir === "rtl")]
      : [],
  );
}

type Matrix = readonly number[];

function multiply([a = 1, b = 0, c = 0, d = 1, e = 0, f = 0]: Matrix, by: Matrix): Matrix {
  const [g = 1, h = 0, i = 0, j = 1, k = 0, l = 0] = by;
  return [a * g + c * h, b * g + d * h, a * i + c * j, b * i + d * j, a * k + c * l + e, b * k + d * l + f];
}

function toBox(text: string, width: number, matrix: Matrix, rightToLeft: boolean): TextBox {
  const [a = 1, b = 0, c = 0, d = 1, x = 0, y = 0] = matrix;
  const turned = Math.abs(b) > Math.abs(a);
  return { text, left: x, right: x + width, baseline: y, size: Math.hypot(c, d) || 1, turned, rightToLeft };
}
