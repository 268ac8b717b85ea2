// From text to what the full-text index holds: plain words for Postgres to stem, and identifiers as they are written.
// Postgres's own parser takes `a.b.c` for a host and `readChunks` for one word, so texts are taken apart here.

/** Longest identifier that is found as a whole, in characters; longer ones are found by their parts. */
const MAX_WHOLE_LENGTH = 128;
/** Identifiers of a chunk that are found as a whole. */
const MAX_WHOLES = 4000;

/** Letters and digits, and what joins them inside identifiers, paths, versions and addresses. */
const COMPOUND = /[\p{L}\p{M}\p{N}_$]+(?:[.\-:/\\#@+]{1,2}[\p{L}\p{M}\p{N}_$]+)*/gu;
const JOINERS = /[^\p{L}\p{M}\p{N}]+/u;
/** Between the words of camelCase and HTTPServer, and between letters and digits. */
const HUMPS = /(?<=\p{Ll})(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})|(?<=\p{L})(?=\p{N})|(?<=\p{N})(?=\p{L})/u;
/** Scripts that are written without spaces, and Korean, whose words change their ends: cut into pairs of characters. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー]+/gu;

export interface Words {
  /** Words of letters or digits alone, with single spaces: for `to_tsvector`. */
  plain: string;
  /** Identifiers and their parts as they are, in lower case: each is a lexeme of its own. */
  exact: string[];
}

/** What a chunk is found by. */
export function wordsOfText(text: string): Words {
  const plain: string[] = [];
  const exact = new Set<string>();
  for (const compound of compoundsOf(text)) {
    const parts = partsOf(compound);
    for (const part of parts) plain.push(...gramsOf(part, "text"));
    if (parts.length > 1 && exact.size < MAX_WHOLES) for (const form of formsOf(compound, parts)) exact.add(form);
    else if (/\p{M}/u.test(compound)) for (const form of formsOf(compound, [])) exact.add(form); // some databases part words at marks
  }
  return { plain: plain.join(" "), exact: [...exact] };
}

/** What a query looks for: every word may also be an identifier. Of long queries only the first words count. */
export function wordsOfQuery(text: string, maxWords: number): Words {
  const plain: string[] = [];
  const exact = new Set<string>();
  for (const compound of compoundsOf(text).slice(0, maxWords)) {
    const parts = partsOf(compound);
    for (const part of parts) plain.push(...gramsOf(part, "query"));
    for (const form of formsOf(compound, parts.length > 1 ? parts : [])) exact.add(form);
  }
  const unique = [...new Set(plain)];
  return { plain: unique.slice(0, maxWords).join(" "), exact: [...exact].slice(0, maxWords) };
}

function compoundsOf(text: string): string[] {
  return text.normalize("NFKC").match(COMPOUND) ?? [];
}

function partsOf(compound: string): string[] {
  return compound
    .split(JOINERS)
    .flatMap((part) => part.split(HUMPS))
    .filter((part) => part !== "");
}

/** The whole, what stands between its joiners, and the parts. `v1.2.3` is also `1.2.3`. */
function formsOf(compound: string, parts: readonly string[]): string[] {
  const lower = compound.toLowerCase().replace(/^[_$]+(?=.)/, "");
  const segments = lower.split(/[.\-:/\\#@+]+/);
  const forms = [lower, lower.replace(/^v(?=\p{N})/u, ""), ...segments, ...parts.map((part) => part.toLowerCase())];
  return forms.filter((form) => form !== "" && form.length <= MAX_WHOLE_LENGTH);
}

/** The word itself or, in scripts without spaces, its pairs of characters; a text is found by single ones, too. */
function gramsOf(part: string, where: "text" | "query"): string[] {
  const lower = part.toLowerCase();
  const grams = lower.replace(UNSPACED, (run) => ` ${pairsOf(Array.from(run), where).join(" ")} `);
  return grams.split(" ").filter((gram) => gram !== "");
}

function pairsOf(characters: readonly string[], where: "text" | "query"): string[] {
  const pairs = characters.slice(1).map((character, index) => `${characters[index]}${character}`);
  return where === "text" || pairs.length === 0 ? [...pairs, ...characters] : pairs;
}
