// The markers by which a model cites passages, 【call:passage†file】: made for what it is shown, and found again in what it
// says. Pure.
import { MAX_CITED_NAME_LENGTH, MAX_MARKER_NAME_LENGTH } from "../contract/limits.ts";
import type { Matcher } from "./references.ts";

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

/** Finds the markers of passages that there are; a marker of another one is text like any other. */
export function markersOf(isShown: (passage: PassageNumber) => boolean): Matcher<PassageNumber> {
  return {
    first: OPEN,
    reach: OPEN.length + 2 * 6 + 3 + MAX_MARKER_NAME_LENGTH,
    match(text, isWhole) {
      const marker = MARKER.exec(text)?.[0];
      const reference = marker === undefined ? undefined : readMarker(marker);
      if (marker !== undefined && reference !== undefined && isShown(reference)) {
        return { length: marker.length, reference };
      }
      return !isWhole && BEGINNING.test(text) ? "maybe" : undefined;
    },
  };
}
