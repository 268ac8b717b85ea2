// The least that makes a Word or PowerPoint file, and PDFs.
import PDFDocument from "pdfkit";
import { zip } from "./zip.ts";
import type { ZipPart } from "./zip.ts";

const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const PACKAGE = "http://schemas.openxmlformats.org/package/2006";
const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main";
const PRESENTATION = "http://schemas.openxmlformats.org/presentationml/2006/main";
const WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
const TYPE = "application/vnd.openxmlformats-officedocument";

/** `body` is what stands in `w:body`. */
export function docx(body: string, more: readonly ZipPart[] = []): Buffer {
  return zip([
    contentTypes("word/document.xml", `${TYPE}.wordprocessingml.document.main+xml`),
    relationships("_rels/.rels", [["officeDocument", "word/document.xml"]]),
    part("word/document.xml", `<w:document xmlns:w="${WORD}"><w:body>${body}</w:body></w:document>`),
    ...more,
  ]);
}

export function wordParagraph(text: string): string {
  return `<w:p><w:r><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`;
}

export function wordTable(rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[]) => row.map((cell) => `<w:tc>${wordParagraph(cell)}</w:tc>`).join("");
  return `<w:tbl>${rows.map((row) => `<w:tr>${cells(row)}</w:tr>`).join("")}</w:tbl>`;
}

export interface Slide {
  /** Where the slide lies in the file, which says nothing of its place in the show. */
  file: number;
  /** What stands in `p:spTree`. */
  shapes: string;
  notes?: string;
}

/** Slides in the order of the show. */
export function pptx(slides: readonly Slide[]): Buffer {
  const ids = slides.map((_, index) => `<p:sldId id="${256 + index}" r:id="rId${index + 1}"/>`).join("");
  return zip([
    contentTypes("ppt/presentation.xml", `${TYPE}.presentationml.presentation.main+xml`),
    relationships("_rels/.rels", [["officeDocument", "ppt/presentation.xml"]]),
    part(
      "ppt/presentation.xml",
      `<p:presentation xmlns:p="${PRESENTATION}" xmlns:r="${OFFICE}"><p:sldIdLst>${ids}</p:sldIdLst></p:presentation>`,
    ),
    relationships(
      "ppt/_rels/presentation.xml.rels",
      slides.map(({ file }) => ["slide", `slides/slide${file}.xml`]),
    ),
    ...slides.flatMap(slideParts),
  ]);
}

export function slideText(...paragraphs: string[]): string {
  const lines = paragraphs.map((text) => `<a:p><a:r><a:t>${text}</a:t></a:r></a:p>`).join("");
  return `<p:sp><p:txBody>${lines}</p:txBody></p:sp>`;
}

function slideParts({ file, shapes, notes }: Slide): ZipPart[] {
  const tree = (root: string, content: string) =>
    `<p:${root} xmlns:p="${PRESENTATION}" xmlns:a="${DRAWING}"><p:cSld><p:spTree>${content}</p:spTree></p:cSld></p:${root}>`;
  const slide = part(`ppt/slides/slide${file}.xml`, tree("sld", shapes));
  if (notes === undefined) return [slide];
  return [
    slide,
    relationships(`ppt/slides/_rels/slide${file}.xml.rels`, [["notesSlide", `../notesSlides/notesSlide${file}.xml`]]),
    part(`ppt/notesSlides/notesSlide${file}.xml`, tree("notes", slideText(notes))),
  ];
}

function contentTypes(name: string, type: string): ZipPart {
  const override = `<Override PartName="/${name}" ContentType="${type}"/>`;
  const rels = `<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>`;
  return part("[Content_Types].xml", `<Types xmlns="${PACKAGE}/content-types">${rels}${override}</Types>`);
}

function relationships(name: string, targets: readonly (readonly [type: string, target: string])[]): ZipPart {
  const each = targets.map(
    ([type, target], index) => `<Relationship Id="rId${index + 1}" Type="${OFFICE}/${type}" Target="${target}"/>`,
  );
  return part(name, `<Relationships xmlns="${PACKAGE}/relationships">${each.join("")}</Relationships>`);
}

function part(name: string, xml: string): ZipPart {
  return { name, content: HEAD + xml };
}

/** A PDF that `draw` draws. */
export async function pdf(
  draw: (page: PDFKit.PDFDocument) => void,
  options: PDFKit.PDFDocumentOptions = {},
): Promise<Buffer> {
  const document = new PDFDocument(options);
  const parts: Buffer[] = [];
  document.on("data", (bytes: Buffer) => parts.push(bytes));
  const ended = new Promise((resolve) => document.once("end", resolve));
  draw(document);
  document.end();
  await ended;
  return Buffer.concat(parts);
}
