// PowerPoint: the text of each slide in the order of the show, its tables and diagrams, and the speaker's notes.
import { posix } from "node:path";
import { damaged } from "../refusal.ts";
import type { Archive } from "./archive.ts";
import { openArchive } from "./archive.ts";
import type { OpenDocument } from "./document.ts";
import { createTextWriter } from "./text-writer.ts";
import { walkXml } from "./xml.ts";
import type { XmlElement } from "./xml.ts";

interface Relationship {
  /** Last word of its type: `slide`, `notesSlide`, `diagramData`. */
  type: string;
  target: string;
}

const PRESENTATION = "ppt/presentation.xml";
const RELATIONSHIPS = /^http:\/\/(?:schemas\.openxmlformats|purl\.oclc)\.org\/.*\/relationships$/;
const DRAWING = /\/drawingml\/(?:2006\/)?main$/;
/** A heading and blank lines for each slide. */
const ADDED_BYTES_PER_PART = 64;

export async function openPptx(path: string): Promise<OpenDocument> {
  const archive = await openArchive(path);
  const names = archive.names.filter((name) => name.startsWith("ppt/"));
  const mostBytes = names.reduce((bytes, name) => bytes + archive.sizeOf(name) + ADDED_BYTES_PER_PART, 0);
  archive.close();
  return { mostBytes, read: () => readSlides(path), emptyBecause: "none of its slides holds text" };
}

async function* readSlides(path: string): AsyncGenerator<string> {
  const archive = await openArchive(path);
  try {
    const slides = await findSlides(archive);
    for (const [index, slide] of slides.entries()) {
      const text = await readSlide(archive, slide);
      if (text !== "") yield `# Slide ${index + 1}\n\n${text}\n\n`;
    }
  } finally {
    archive.close();
  }
}

async function findSlides(archive: Archive): Promise<string[]> {
  const xml = await archive.readXml(PRESENTATION);
  if (xml === null) throw damaged(new Error(`There is no ${PRESENTATION}`));
  const relationships = await readRelationships(archive, PRESENTATION);
  const slides: string[] = [];
  walkXml(xml, {
    open: (element) => {
      if (element.name !== "sldId") return;
      const target = relationships.get(relationshipId(element))?.target;
      if (target !== undefined) slides.push(target);
    },
  });
  return slides;
}

async function readSlide(archive: Archive, name: string): Promise<string> {
  const xml = await archive.readXml(name);
  if (xml === null) throw damaged(new Error(`There is no ${name}`));
  const texts = [readDrawing(xml)];
  for (const { type, target } of (await readRelationships(archive, name)).values()) {
    if (type !== "notesSlide" && type !== "diagramData") continue;
    const text = readDrawing((await archive.readXml(target)) ?? "<none/>");
    if (text !== "") texts.push(type === "notesSlide" ? `Notes: ${text}` : text);
  }
  return texts.filter((text) => text !== "").join("\n\n");
}

/** Paragraphs of a drawing, rows of its tables in lines. */
function readDrawing(xml: string): string {
  const writer = createTextWriter();
  /** Depth within elements whose text is a copy, or a number that the program fills in. */
  let skipped = 0;
  let [inText, rowHasCells] = [false, false];
  walkXml(xml, {
    open: (element) => {
      if (skipped > 0 || isCopy(element)) skipped += 1;
      if (skipped > 0) return;
      const { name } = element;
      if (name === "sp" || name === "graphicFrame" || name === "pt") writer.breakLine(2);
      if (!DRAWING.test(element.namespace)) return;
      if (name === "t") inText = true;
      if (name === "br") writer.breakLine(1);
      if (name === "tab") writer.write("\t", true);
      if (name === "tr") rowHasCells = false;
      if (name === "tc") {
        if (rowHasCells) {
          writer.joinLine();
          writer.write(" | ", true);
        }
        writer.ignoreBreaks();
        rowHasCells = true;
      }
    },
    close: (element) => {
      if (skipped > 0) {
        skipped -= 1;
        return;
      }
      if (!DRAWING.test(element.namespace)) return;
      if (element.name === "t") inText = false;
      if (element.name === "tr" || element.name === "p") writer.breakLine(1);
    },
    text: (text) => {
      if (inText && skipped === 0) writer.write(text, true);
    },
  });
  return writer.take().trim();
}

function isCopy({ name, attributes }: XmlElement): boolean {
  return name === "Fallback" || (name === "fld" && attributes.get("type") === "slidenum");
}

async function readRelationships(archive: Archive, of: string): Promise<Map<string, Relationship>> {
  const found = new Map<string, Relationship>();
  const folder = posix.dirname(of);
  const xml = await archive.readXml(`${folder}/_rels/${posix.basename(of)}.rels`);
  if (xml === null) return found;
  walkXml(xml, {
    open: ({ name, attributes }) => {
      const [id, type, target] = ["Id", "Type", "Target"].map((key) => attributes.get(key));
      if (name !== "Relationship" || id === undefined || type === undefined || target === undefined) return;
      if (attributes.get("TargetMode") === "External") return;
      found.set(id, { type: posix.basename(type), target: posix.resolve("/", folder, target).slice(1) });
    },
  });
  return found;
}

/** `r:id`, whatever the prefix is; `id` alone is another number. */
function relationshipId({ attributes }: XmlElement): string {
  for (const [name, value] of attributes) {
    const [, namespace] = /^\{(.*)\}id$/.exec(name) ?? [];
    if (namespace !== undefined && RELATIONSHIPS.test(namespace)) return value;
  }
  return "";
}
