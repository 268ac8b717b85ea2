// What an answer refers to, found in a text that comes in pieces, however it is cut. Pure.

/** Knows one kind of reference. */
export interface Matcher<Reference> {
  /** The character with which each of them begins. */
  readonly first: string;
  /** How much of a text it has to see, from there, to be sure. */
  readonly reach: number;
  /**
   * The reference with which a text begins, and how long it is. "maybe" when what follows may yet make it one, or a longer
   * one; never when the text `isWhole`.
   */
  match(text: string, isWhole: boolean): { length: number; reference: Reference } | "maybe" | undefined;
}

export type Piece<Reference> =
  | { kind: "text"; text: string }
  | { kind: "reference"; text: string; reference: Reference };

/** What may become a reference is held back until it is one, or cannot be any more. */
export class ReferenceFinder<Reference> {
  readonly #matchers: readonly Matcher<Reference>[];
  #held = "";

  constructor(matchers: readonly Matcher<Reference>[]) {
    this.#matchers = matchers;
  }

  /** What can be said now that `text` has come. */
  take(text: string): Piece<Reference>[] {
    const said = this.#held + text;
    const { pieces, end } = this.#scan(said, false);
    this.#held = said.slice(end);
    return pieces;
  }

  /** What was held back: nothing follows. */
  release(): Piece<Reference>[] {
    const { pieces } = this.#scan(this.#held, true);
    this.#held = "";
    return pieces;
  }

  /** The pieces of a text up to `end`; from there on it depends on what follows. */
  #scan(said: string, isWhole: boolean): { pieces: Piece<Reference>[]; end: number } {
    const pieces: Piece<Reference>[] = [];
    let plainFrom = 0;
    const endPlain = (end: number) => {
      if (end > plainFrom) pieces.push({ kind: "text", text: said.slice(plainFrom, end) });
    };
    for (let at = 0; at < said.length; at += 1) {
      const matcher = this.#matchers.find(({ first }) => first === said[at]);
      if (matcher === undefined) continue;
      const rest = said.slice(at, at + matcher.reach);
      const found = matcher.match(rest, isWhole || at + rest.length < said.length);
      if (found === undefined) continue;
      endPlain(at);
      plainFrom = at;
      if (found === "maybe") return { pieces, end: at };
      plainFrom += found.length;
      pieces.push({ kind: "reference", text: said.slice(at, plainFrom), reference: found.reference });
      at = plainFrom - 1;
    }
    endPlain(said.length);
    return { pieces, end: said.length };
  }
}
