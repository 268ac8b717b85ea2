// Puts text together as a page shows it: white space runs together, and breaks between blocks do not add up.

export interface TextWriter {
  /** `exactly`: white space stays as it is. */
  write: (text: string, exactly: boolean) => void;
  /** Ends a line (1) or a paragraph (2). */
  breakLine: (lines: 1 | 2) => void;
  /** Takes back a break after which nothing was written. */
  joinLine: () => void;
  /** No breaks until the next words. */
  ignoreBreaks: () => void;
  /** Takes what has been written since the last time. */
  take: () => string;
  /** Characters that were ever written. */
  length: () => number;
  endsWith: (end: string) => boolean;
}

export function createTextWriter(): TextWriter {
  let parts: string[] = [];
  let [last, total] = ["", 0];
  let [lines, space, ignoring] = [0, false, false];
  const add = (text: string) => {
    parts.push(text);
    last = text;
    total += text.length;
  };
  return {
    write(text, exactly) {
      const words = exactly ? text : text.replaceAll(/\s+/g, " ").trim();
      const before = !exactly && /^\s/.test(text);
      if (words === "") {
        space ||= text !== "";
        return;
      }
      if (lines > 0) {
        if (total > 0) add("\n".repeat(lines));
      } else if ((space || before) && total > 0 && !/\s$/.test(last)) add(" ");
      [lines, space, ignoring] = [0, !exactly && /\s$/.test(text), false];
      add(words);
    },
    breakLine(count) {
      if (ignoring) return;
      lines = Math.max(lines, count);
      space = false;
    },
    joinLine() {
      [lines, space] = [0, false];
    },
    ignoreBreaks() {
      ignoring = true;
    },
    take() {
      const text = parts.join("");
      parts = [];
      return text;
    },
    length: () => total,
    endsWith: (end) => last.endsWith(end),
  };
}
