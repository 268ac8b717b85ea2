// Vectors without a model: texts that share words, parts of words, or words of the same small table of synonyms come out
// near each other. It is no understanding: what no table says and no spelling shows, is far apart here.

const MAX_TEXT_CHARS = 65_536;
const MIN_GRAM_WORD = 4;
const GRAM_LENGTH = 3;
/** How much a word itself, its meaning by the table, and each of its parts weigh. */
const WEIGHTS = { word: 1, concept: 1.5, gram: 0.25 };

/** Numbers of a vector that a feature changes. */
const PLACES = 4;

/** Each line: words that mean about the same. */
const CONCEPTS = `
  car automobile vehicle auto
  doctor physician medic
  buy purchase acquire order
  begin start commence launch
  end finish stop terminate
  error fault failure problem bug defect
  fast quick rapid speedy
  big large huge enormous
  small little tiny
  money cash payment refund price cost fee
  holiday vacation leave
  employee worker staff colleague
  house home residence apartment
  delete remove erase
  fix repair mend
  cat feline kitten
  dog canine puppy
  phone telephone mobile
  film movie
  child kid infant`;

const CONCEPT_OF = new Map(
  CONCEPTS.trim()
    .split("\n")
    .flatMap((line, index) =>
      line
        .trim()
        .split(" ")
        .map((word): [string, number] => [stem(word), index]),
    ),
);

const COMMON = new Set(
  "a an and are as at be been but by can do does for from had has have how i in is it its may me my no not of on or our so than that the their them then there these they this to was we were what when where which who why will with would you your".split(
    " ",
  ),
);

/** The features of a text, with their weights. */
export function featuresOf(text: string): Map<string, number> {
  const features = new Map<string, number>();
  const add = (feature: string, weight: number) => features.set(feature, (features.get(feature) ?? 0) + weight);
  for (const [raw] of text
    .slice(0, MAX_TEXT_CHARS)
    .normalize("NFKC")
    .toLowerCase()
    .matchAll(/[\p{L}\p{M}\p{N}]+/gu)) {
    if (COMMON.has(raw)) continue;
    const word = stem(raw);
    const concept = CONCEPT_OF.get(word);
    add(`w${word}`, WEIGHTS.word);
    if (concept !== undefined) add(`c${concept}`, WEIGHTS.concept);
    if (word.length < MIN_GRAM_WORD) continue;
    for (let at = 0; at + GRAM_LENGTH <= word.length; at += 1)
      add(`g${word.slice(at, at + GRAM_LENGTH)}`, WEIGHTS.gram);
  }
  return features;
}

/** A unit vector. Each feature has a direction of its own, made from its hash: the same everywhere and at all times. */
export function meaningOf(text: string, dimensions: number): number[] {
  const vector = Array.from({ length: dimensions }, () => 0);
  for (const [feature, weight] of featuresOf(text)) {
    const strength = Math.sqrt(weight); // a word said twice does not mean twice as much
    let hash = hashOf(feature);
    for (let place = 0; place < PLACES; place += 1) {
      hash = scramble(hash + place);
      const at = (hash >>> 1) % dimensions;
      vector[at] = (vector[at] ?? 0) + (hash & 1 ? strength : -strength);
    }
  }
  const length = Math.hypot(...vector);
  if (length > 0) return vector.map((value) => value / length);
  vector[0] = 1; // a text without words has a direction, too
  return vector;
}

/** FNV-1a, and the last step of MurmurHash3: quick, and the same everywhere. */
function hashOf(feature: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < feature.length; at += 1) hash = Math.imul(hash ^ feature.charCodeAt(at), 0x01000193);
  return hash;
}

function scramble(hash: number): number {
  const first = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35);
  return second ^ (second >>> 16);
}

/** How much of the query's features the text has: 0 to 1. */
export function relevanceOf(query: string, text: string): number {
  const wanted = featuresOf(query);
  const had = featuresOf(text);
  let [shared, total] = [0, 0];
  for (const [feature, weight] of wanted) {
    total += weight;
    if (had.has(feature)) shared += weight;
  }
  return total === 0 ? 0 : shared / total;
}

function stem(word: string): string {
  return word.length > 4 ? word.replace(/(?:ing|ed|es|s)$/, "") : word.replace(/(?<=\w{3})s$/, "");
}
