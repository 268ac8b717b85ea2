// What a cell prints, up to a bound. The rest is counted.

export interface PrintedText {
  /** As much of the text as there is room for. */
  add(text: string): string;
  readonly droppedBytes: number;
}

export function createPrintedText(mostBytes: number): PrintedText {
  let left = mostBytes;
  let droppedBytes = 0;
  return {
    add(text) {
      const whole = text.toWellFormed();
      const size = Buffer.byteLength(whole);
      const kept = size <= left ? whole : cutToBytes(whole, left);
      const keptSize = kept === whole ? size : Buffer.byteLength(kept);
      left -= keptSize;
      droppedBytes += size - keptSize;
      return kept;
    },
    get droppedBytes() {
      return droppedBytes;
    },
  };
}

/** Whole characters only. */
function cutToBytes(text: string, bytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytes));
  return text.slice(0, read);
}
