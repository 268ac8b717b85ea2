// The markers by which a model cites passages, 【call:passage†file】: made for what it is shown, and found again in what it
// says, however that is cut into pieces. Pure.
import { MAX_CITED_NAME_LENGTH, MAX_MARKER_NAME_LENGTH } from "../contract/limits.ts";

const OPEN = "【";
const NAME = `[^【】\\n]{0,${MAX_MARKER_NAME_LENGTH}}`;
/** A marker at the beginning of a text. What it calls the file does not matter: models take liberties there. */
const MARKER = new RegExp(`^【(\\d{1,6}):(\\d{1,6})†${NAME}】`);
/** The whole of a text that may yet become a marker. */
const BEGINNING = new RegExp(`^【(?:\\d{0,6}|\\d{1,6}:\\d{0,6}|\\d{1,6}:\\d{1,6}†${NAME})$`);

/** A passage that a model was shown: the number of the call that found it, and its own in what that call found. */
export interface PassageNumber {
  call: number;
  passage: number;
}

export function markerOf({ call, passage }: PassageNumber, filename: string): string {
  return `【${call}:${passage}†${nameIn(filename)}】`;
}

/** A name may hold what would end its marker. */
function nameIn(filename: string): string {
  const name = filename.replaceAll(/[【】\p{Cc}]/gu, "_");
  return Array.from(name).slice(0, MAX_CITED_NAME_LENGTH).join("");
}

/** The passage that a marker names; undefined when the text is none. */
export function readMarker(text: string): PassageNumber | undefined {
  const [whole, call, passage] = MARKER.exec(text) ?? [];
  return whole === text ? { call: Number(call), passage: Number(passage) } : undefined;
}

export type Piece =
  | { kind: "text"; text: string }
  /** A whole marker of a passage that there is. */
  | { kind: "citation"; text: string; passage: PassageNumber };

/** Finds markers in a text that comes in pieces. What may become one is held back until it is, or cannot any more. */
export class MarkerFinder {
  readonly #isShown: (passage: PassageNumber) => boolean;
  #held = "";

  /** @param isShown whether there is such a passage; a marker of another one is text like any other */
  constructor(isShown: (passage: PassageNumber) => boolean) {
    this.#isShown = isShown;
  }

  /** What can be said now that `text` has come. */
  take(text: string): Piece[] {
    const said = this.#held + text;
    this.#held = "";
    const pieces: Piece[] = [];
    let plainFrom = 0;
    const endPlain = (end: number) => {
      if (end > plainFrom) pieces.push({ kind: "text", text: said.slice(plainFrom, end) });
    };
    for (let at = said.indexOf(OPEN); at !== -1; at = said.indexOf(OPEN, at + 1)) {
      const rest = said.slice(at, at + OPEN.length + 2 * 6 + 3 + MAX_MARKER_NAME_LENGTH);
      const marker = MARKER.exec(rest)?.[0];
      const passage = marker === undefined ? undefined : readMarker(marker);
      if (marker !== undefined && passage !== undefined && this.#isShown(passage)) {
        endPlain(at);
        pieces.push({ kind: "citation", text: marker, passage });
        plainFrom = at + marker.length;
      } else if (at + rest.length === said.length && BEGINNING.test(rest)) {
        endPlain(at);
        this.#held = rest;
        return pieces;
      }
    }
    endPlain(said.length);
    return pieces;
  }

  /** What was held back: no marker will come of it any more. */
  release(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }
}
