// HTML as text that reads well: headings, lists, tables, and where links lead. Read as a stream, so no tree is built.
import { Parser } from "htmlparser2";
import { MAX_MARKUP_DEPTH } from "../../contract/limits.ts";
import { unreadable } from "../refusal.ts";
import type { OpenDocument } from "./document.ts";
import { openPlainText } from "./plain-text.ts";
import { createTextWriter } from "./text-writer.ts";
import type { TextWriter } from "./text-writer.ts";

/** What is not said to the reader of a page, or only leads elsewhere. */
const SKIPPED = new Set(
  "script style template noscript svg math iframe object canvas audio video select nav dialog".split(" "),
);
const PARAGRAPHS = new Set(
  "p h1 h2 h3 h4 h5 h6 ul ol dl table blockquote pre figure section article header footer main aside hr form details".split(
    " ",
  ),
);
const LINES = new Set(
  "div li dt dd tr br caption figcaption address summary option legend fieldset title tbody thead".split(" "),
);
const HEADING = /^h([1-6])$/;
const WEB_ADDRESS = /^(?:https?:\/\/|mailto:)/i;
/** A longer address is one of a tracker or a picture. */
const MAX_ADDRESS_LENGTH = 300;

/** What a page has come to so far. */
interface Place {
  writer: TextWriter;
  depth: number;
  /** Depth at which the skipped element is that everything is in now; 0 when there is none. */
  skippedAt: number;
  preformatted: number;
  /** Open links: where they lead, and how long the text was when they began. */
  links: { address: string; at: number }[];
  /** Whether a cell was there before in the row. One for each open table. */
  cells: boolean[];
}

export async function openHtml(path: string): Promise<OpenDocument> {
  const source = await openPlainText(path);
  return { ...source, read: () => readHtml(source.read()), emptyBecause: "the page holds no text" };
}

export async function* readHtml(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  const place: Place = { writer: createTextWriter(), depth: 0, skippedAt: 0, preformatted: 0, links: [], cells: [] };
  const parser = new Parser(
    {
      onopentag: (name, attributes) => open(place, name, attributes),
      onclosetag: (name) => close(place, name),
      ontext: (text) => {
        if (place.skippedAt === 0) place.writer.write(text, place.preformatted > 0);
      },
    },
    { decodeEntities: true, lowerCaseTags: true, lowerCaseAttributeNames: true },
  );
  for await (const piece of pieces) {
    parser.write(piece);
    yield place.writer.take();
  }
  parser.end();
  yield place.writer.take();
}

function open(place: Place, name: string, attributes: Record<string, string>): void {
  place.depth += 1;
  if (place.depth > MAX_MARKUP_DEPTH) {
    throw unreadable(`its elements are nested more than ${MAX_MARKUP_DEPTH.toLocaleString("en")} deep`);
  }
  if (place.skippedAt > 0) return;
  if (SKIPPED.has(name) || "hidden" in attributes) {
    place.skippedAt = place.depth;
    return;
  }
  const { writer } = place;
  separate(place, name);
  if (name === "pre") place.preformatted += 1;
  if (name === "table") place.cells.push(false);
  if (name === "tr") place.cells[place.cells.length - 1] = false;
  if (name === "td" || name === "th") openCell(place);
  if (name === "li") {
    writer.write("- ", true);
    writer.ignoreBreaks();
  }
  if (name === "a") place.links.push({ address: attributes["href"] ?? "", at: writer.length() });
  if (name === "img" && attributes["alt"]) writer.write(`[${attributes["alt"]}]`, false);
  const level = HEADING.exec(name)?.[1];
  if (level !== undefined) writer.write(`${"#".repeat(Number(level))} `, true);
}

function close(place: Place, name: string): void {
  const wasSkipped = place.skippedAt > 0;
  if (place.depth === place.skippedAt) place.skippedAt = 0;
  place.depth -= 1;
  if (wasSkipped) return;
  if (name === "pre") place.preformatted -= 1;
  if (name === "table") place.cells.pop();
  if (name === "a") closeLink(place);
  if (name === "td" || name === "th") place.writer.joinLine();
  separate(place, name);
}

/** In a table, lines stand close together. */
function separate({ writer, cells }: Place, name: string): void {
  if (PARAGRAPHS.has(name)) writer.breakLine(cells.length > 0 && name !== "table" ? 1 : 2);
  else if (LINES.has(name)) writer.breakLine(1);
}

/** The first block of a cell stands in the row all the same. */
function openCell({ writer, cells }: Place): void {
  if (cells.at(-1) === true) {
    writer.joinLine();
    writer.write(" | ", true);
  }
  writer.ignoreBreaks();
  cells[Math.max(0, cells.length - 1)] = true;
}

function closeLink({ links, writer }: Place): void {
  const link = links.pop();
  if (link === undefined || writer.length() === link.at) return;
  const address = link.address.trim();
  if (WEB_ADDRESS.test(address) && address.length <= MAX_ADDRESS_LENGTH && !writer.endsWith(address)) {
    writer.write(` (${address})`, true);
  }
}
