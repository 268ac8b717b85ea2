// Text that a model sends in pieces, as Postgres can hold it: without U+0000, and without half a character.

export class StorableText {
  /** Half of a surrogate pair that waits for its other half. */
  #half = "";

  take(piece: string): string {
    let text = (this.#half + piece).replaceAll("\u0000", "\uFFFD");
    this.#half = "";
    const last = text.charCodeAt(text.length - 1);
    if (last >= 0xd8_00 && last <= 0xdb_ff) {
      this.#half = text.slice(-1);
      text = text.slice(0, -1);
    }
    return text.toWellFormed();
  }

  /** A half that stayed alone becomes a replacement character. */
  release(): string {
    const isAlone = this.#half !== "";
    this.#half = "";
    return isAlone ? "\uFFFD" : "";
  }
}
