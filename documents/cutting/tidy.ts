// What is done to every text before it is cut: one kind of line end, no characters that Postgres or JSON cannot hold, and
// no long stretches of white space, which would be paid for and found by nobody.

/** Longest white space that is kept as it is: deep indents and columns of tables are shorter. */
const MAX_SPACE = 64;
const LONG_SPACE = /\s{65,}/g;
/** Held white space is shortened when there is this much of it. */
const MAX_HELD = 4096;

/** White space at the end is dropped. A text of nothing else comes out as nothing. */
export async function* tidyText(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let held = "";
  for await (const piece of pieces) {
    const text = held + piece;
    const end = endOfWords(text);
    held = text.slice(end);
    if (held.length > MAX_HELD) held = shorten(held);
    if (end > 0) yield tidy(text.slice(0, end));
  }
  if (held.trim() !== "") yield tidy(held);
}

/** Where white space, or half a character, begins at the end of a text. */
function endOfWords(text: string): number {
  const end = text.trimEnd().length;
  return /[\uD800-\uDBFF]/.test(text.charAt(end - 1)) && end === text.length ? end - 1 : end;
}

function tidy(text: string): string {
  const lines = text.includes("\r") ? text.replaceAll(/\r\n?/g, "\n") : text;
  const clean = lines.includes("\0") ? lines.replaceAll("\0", "") : lines;
  return clean.replaceAll(LONG_SPACE, shorten).toWellFormed();
}

function shorten(space: string): string {
  if (space.length <= MAX_SPACE) return space;
  const lines = space.replaceAll(/\r\n?/g, "\n").split("\n").length - 1;
  return lines === 0 ? " " : "\n".repeat(Math.min(lines, 2));
}
