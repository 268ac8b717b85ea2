// From pieces of text with their places on a page to text in the order in which people read it: columns one after the
// other, rows of tables in lines. What does not look like columns of prose is read from line to line.
import { MAX_PAGE_ITEMS } from "../../contract/limits.ts";

/** In points, from the top left. */
export interface TextBox {
  text: string;
  left: number;
  right: number;
  baseline: number;
  size: number;
  /** Runs up or down the page. */
  turned: boolean;
  rightToLeft: boolean;
}

/** Boxes of one row without wide gaps: a line of a column, or a cell. */
interface Segment {
  boxes: TextBox[];
  left: number;
  right: number;
  baseline: number;
  size: number;
}

interface Span {
  start: number;
  end: number;
}

/** In heights of letters. */
const SAME_LINE = 0.4;
const WORD_GAP = 0.15;
const SEGMENT_GAP = 1;
const CELL_GAP = 1.5;
const PARAGRAPH_GAP = 1.75;
/** A gutter lies in the middle of the page and is crossed by few lines, compared with the densest place: titles, abstracts. */
const GUTTER_FROM = 0.15;
const GUTTER_TO = 0.85;
const MAX_CROSSING = 0.4;
const MIN_GUTTER_POINTS = 6;
/** Less than that on a side is no column. */
const MIN_COLUMN_LINES = 4;
const MIN_COLUMN_TEXT = 14;
const MIN_COLUMN_FILL = 0.5;
/** The dots of a table of contents. */
const LEADERS = /\s*(?:\. ?){5,}\s*/g;
const MAX_BINS = 2000;
const MAX_COLUMN_DEPTH = 3;

export function layOutPage(boxes: readonly TextBox[]): string {
  if (boxes.length > MAX_PAGE_ITEMS) return boxes.map(({ text }) => text).join("\n"); // as it was drawn
  const upright = boxes.filter(({ turned }) => !turned);
  const turned = boxes.filter((box) => box.turned).map(({ text }) => text);
  const blocks = readBlocks(toSegments(upright), 0).map(renderBlock);
  return joinHyphens([...blocks, turned.join(" ")].filter((text) => text !== "").join("\n\n"));
}

function toSegments(boxes: readonly TextBox[]): Segment[] {
  return toRows(boxes).flatMap((row) => {
    const segments: Segment[] = [];
    for (const box of row.toSorted((a, b) => a.left - b.left)) {
      const last = segments.at(-1);
      if (last !== undefined && box.left - last.right <= SEGMENT_GAP * box.size) {
        last.boxes.push(box);
        last.right = Math.max(last.right, box.right);
        last.size = Math.max(last.size, box.size);
      } else segments.push({ ...box, boxes: [box] });
    }
    return segments;
  });
}

/** Boxes on about the same baseline, from top to bottom. */
function toRows<T extends { baseline: number; size: number }>(boxes: readonly T[]): T[][] {
  const rows: T[][] = [];
  let baseline = Number.NaN;
  for (const box of boxes.toSorted((a, b) => a.baseline - b.baseline)) {
    if (box.baseline - baseline <= SAME_LINE * box.size) rows.at(-1)?.push(box);
    else {
      rows.push([box]);
      baseline = box.baseline;
    }
  }
  return rows;
}

/** Blocks of segments in reading order. What crosses the gutter stands between what is above it and what is below. */
function readBlocks(segments: readonly Segment[], depth: number): Segment[][] {
  const gutter = depth < MAX_COLUMN_DEPTH ? findGutter(segments) : null;
  if (gutter === null) return segments.length === 0 ? [] : [[...segments]];
  const blocks: Segment[][] = [];
  let [left, right, crossing]: Segment[][] = [[], [], []];
  const flushColumns = () => {
    blocks.push(...readBlocks(left ?? [], depth + 1), ...readBlocks(right ?? [], depth + 1));
    [left, right] = [[], []];
  };
  for (const segment of segments) {
    const side = segment.right <= gutter.end ? left : segment.left >= gutter.start ? right : undefined;
    if (side === undefined) {
      flushColumns();
      crossing?.push(segment);
      continue;
    }
    if (crossing !== undefined && crossing.length > 0) blocks.push(crossing);
    crossing = [];
    side.push(segment);
  }
  flushColumns();
  if (crossing !== undefined && crossing.length > 0) blocks.push(crossing);
  return blocks;
}

/** The widest upright strip that hardly any line crosses and that has prose on both sides. */
function findGutter(segments: readonly Segment[]): Span | null {
  if (segments.length < 2 * MIN_COLUMN_LINES) return null;
  const start = least(segments.map(({ left }) => left));
  const width = most(segments.map(({ right }) => right)) - start;
  if (!(width > 0)) return null;
  const step = Math.max(1, width / MAX_BINS);
  const crossings = countCrossings(segments, start, step, Math.ceil(width / step));
  const strips = lowStrips(crossings, MAX_CROSSING * most([...crossings])).map((strip) => ({
    start: start + strip.start * step,
    end: start + strip.end * step,
  }));
  const wide = strips
    .filter((strip) => strip.end - strip.start >= MIN_GUTTER_POINTS)
    .filter((strip) => strip.end > start + GUTTER_FROM * width && strip.start < start + GUTTER_TO * width)
    .toSorted((a, b) => b.end - b.start - (a.end - a.start));
  return wide.find((strip) => separatesColumns(segments, strip)) ?? null;
}

/** How many segments lie over each step from left to right. */
function countCrossings(segments: readonly Segment[], start: number, step: number, bins: number): Uint32Array {
  const changes = new Int32Array(bins + 2);
  for (const { left, right } of segments) {
    const from = Math.floor((left - start) / step);
    const to = Math.min(bins, Math.max(from + 1, Math.ceil((right - start) / step)));
    changes[from] = (changes[from] ?? 0) + 1;
    changes[to] = (changes[to] ?? 0) - 1;
  }
  let open = 0;
  return Uint32Array.from(changes.subarray(0, bins), (change) => (open += change));
}

function lowStrips(crossings: Uint32Array, limit: number): Span[] {
  const strips: Span[] = [];
  let start = -1;
  for (let bin = 0; bin <= crossings.length; bin += 1) {
    const low = bin < crossings.length && (crossings[bin] ?? 0) <= limit;
    if (low && start < 0) start = bin;
    if (!low && start >= 0) {
      strips.push({ start, end: bin });
      start = -1;
    }
  }
  return strips;
}

function separatesColumns(segments: readonly Segment[], gutter: Span): boolean {
  const left = segments.filter((segment) => segment.right <= gutter.end);
  const right = segments.filter((segment) => segment.left >= gutter.start);
  return isProse(left) && isProse(right);
}

/** Lines of prose are long and fill their column; rows of a table, on one side of a strip, do not. */
function isProse(segments: readonly Segment[]): boolean {
  const lines = toRows(segments);
  if (lines.length < MIN_COLUMN_LINES) return false;
  const width = most(segments.map(({ right }) => right)) - least(segments.map(({ left }) => left));
  const filled = segments.reduce((total, { left, right }) => total + right - left, 0) / (lines.length * width);
  const text = segments.reduce((total, { boxes }) => total + textLength(boxes), 0) / lines.length;
  return filled >= MIN_COLUMN_FILL && text >= MIN_COLUMN_TEXT;
}

function textLength(boxes: readonly TextBox[]): number {
  return boxes.reduce((total, { text }) => total + text.length, 0);
}

function renderBlock(segments: readonly Segment[]): string {
  let text = "";
  let above: Segment | undefined;
  for (const row of toRows(segments)) {
    const line = renderRow(row.flatMap(({ boxes }) => boxes));
    const first = row[0] as Segment;
    if (above !== undefined) text += isNewParagraph(above, first) ? "\n\n" : "\n";
    text += line;
    above = first;
  }
  return text;
}

function isNewParagraph(above: Segment, below: Segment): boolean {
  return below.baseline - above.baseline > PARAGRAPH_GAP * Math.max(above.size, below.size);
}

function renderRow(boxes: readonly TextBox[]): string {
  const rightToLeft = boxes.filter((box) => box.rightToLeft).length * 2 > boxes.length;
  const ordered = boxes.toSorted((a, b) => (rightToLeft ? b.right - a.right : a.left - b.left));
  let line = "";
  let before: TextBox | undefined;
  for (const box of ordered) {
    if (before !== undefined)
      line += gapText(rightToLeft ? before.left - box.right : box.left - before.right, box.size);
    line += box.text;
    before = box;
  }
  return line.trim().replaceAll(LEADERS, " … ");
}

function gapText(gap: number, size: number): string {
  if (gap > CELL_GAP * size) return "\t";
  return gap > WORD_GAP * size ? " " : "";
}

/** Words that were hyphenated at the end of a line are searched for in one. */
function joinHyphens(text: string): string {
  return text.replaceAll(/(?<=\p{L}\p{L})[-\u2010\u00AD]\n(?=\p{Ll}\p{L})/gu, "");
}

// Not `Math.min(...values)`: a page may have more values than a call takes arguments.
function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b), Infinity);
}

function most(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), -Infinity);
}
