// The smallest parts that a text is cut into: a word with the space before it and the line end behind it. Chunks are made
// of whole atoms, so none is cut inside of a word or of a character, and counts are added up instead of made anew.
import { countTokens } from "../../model/tokens.ts";

export interface Atom {
  text: string;
  tokens: number;
}

/** Languages without spaces are cut every twenty characters, and after the end of a sentence. */
const ATOM =
  /[^\S\r\n]{0,8}(?:[^\s。！？]{0,19}[。！？][”’」』）】]?|[^\s。！？]{1,20})(?:[^\S\r\n]{0,4}[\r\n]{1,4})?|\s{1,8}/gu;
/** Further than any atom reaches, in UTF-16 units. */
const LONGEST_ATOM = 128;
/** An atom of more tokens (emoji, rare scripts) is halved: the smallest chunk must hold a few. */
const MAX_ATOM_TOKENS = 24;

/** Texts repeat their words. Longer ones are not kept: they would hold on to the text that they are a slice of. */
const cache = new Map<string, number>();
const MAX_CACHED_LENGTH = 12;
const MAX_CACHED = 50_000;

/** Atoms of a text that comes in pieces, an array for each piece. Where the pieces end makes no difference. */
export async function* readAtoms(pieces: AsyncIterable<string>): AsyncGenerator<Atom[]> {
  let rest = "";
  for await (const piece of pieces) {
    const text = rest + piece;
    const { atoms, end } = takeAtoms(text, text.length - LONGEST_ATOM);
    rest = text.slice(end);
    yield atoms;
  }
  yield takeAtoms(rest, rest.length).atoms;
}

function takeAtoms(text: string, until: number): { atoms: Atom[]; end: number } {
  const atoms: Atom[] = [];
  let end = 0;
  for (const [word] of text.matchAll(ATOM)) {
    if (end + word.length > until) break;
    end += word.length;
    pushAtom(atoms, word);
  }
  return { atoms, end };
}

function pushAtom(atoms: Atom[], word: string): void {
  const tokens = countWord(word);
  if (tokens <= MAX_ATOM_TOKENS) {
    atoms.push({ text: word, tokens });
    return;
  }
  const characters = Array.from(word);
  const middle = Math.ceil(characters.length / 2);
  pushAtom(atoms, characters.slice(0, middle).join(""));
  pushAtom(atoms, characters.slice(middle).join(""));
}

function countWord(word: string): number {
  if (word.length > MAX_CACHED_LENGTH) return countTokens(word);
  let tokens = cache.get(word);
  if (tokens === undefined) {
    tokens = countTokens(word);
    if (cache.size >= MAX_CACHED) cache.clear();
    cache.set(word, tokens);
  }
  return tokens;
}
