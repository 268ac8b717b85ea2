// Texts with words in them that are nowhere else, by which each part of them is found again.
import type { Random } from "./random.ts";

/** Cuts a text into chunks without overlaps, so that each word is in one of them. */
export const EXACT_CHUNKING = {
  type: "static",
  static: { max_chunk_size_tokens: 200, chunk_overlap_tokens: 0 },
} as const;

export interface PlantedFile {
  filename: string;
  content: Buffer;
  /** Undefined when nothing can be read of it. */
  text: string | undefined;
  /** Each is once in the text. */
  words: readonly string[];
  /** How it is to end in a vector store: undefined as completed, else as failed with this code. */
  fails: "invalid_file" | "unsupported_file" | "server_error" | undefined;
}

/** The embedding endpoint refuses texts with this word in them. */
export const REFUSED_WORD = "unembeddable";

const WORDS = ["rain", "größer", "雨", "seldom", "🌧️", "with", "a", "word", "that", "falls", "silently"];
const KB = 1024;

/** Mostly a page or two, sometimes a book. */
export function plantFile(random: Random): PlantedFile {
  return toFile(random, random.chance(0.12) ? random.int(150 * KB, 400 * KB) : random.int(50, 6 * KB));
}

/** A few hundred kB. */
export function plantLargeFile(random: Random): PlantedFile {
  return toFile(random, random.int(250 * KB, 400 * KB));
}

/** One that rightly fails. */
export function plantBadFile(random: Random): PlantedFile {
  const bad = { text: undefined, words: [] };
  return random.pick<() => PlantedFile>([
    () => ({ ...bad, filename: "blank.txt", content: Buffer.from(" \n ".repeat(20)), fails: "invalid_file" }),
    () => ({ ...bad, filename: "table.csv", content: Buffer.from("a,b\n1,2\n"), fails: "unsupported_file" }),
    () => ({
      ...bad,
      filename: "broken.pdf",
      content: Buffer.from("%PDF-1.7 and then nothing"),
      fails: "invalid_file",
    }),
    () => ({ ...toFile(random, 2 * KB, REFUSED_WORD), words: [], text: undefined, fails: "server_error" }),
  ])();
}

function toFile(random: Random, length: number, also = ""): PlantedFile {
  const words = [0, 1, 2].map(() => newWord(random));
  const lines: string[] = [];
  for (let size = 0, line = 0; size < length || line < words.length + 1; line += 1) {
    // Numbered, so that no two chunks have the same text.
    const said = Array.from({ length: 8 }, () => random.pick(WORDS)).join(" ");
    lines.push(`${line}. ${said}.`);
    size += said.length + 8;
  }
  const places = [0, Math.floor(lines.length / 2), lines.length - 1];
  for (const [index, place] of places.entries()) lines[place] += ` Here is ${words[index]}.`;
  lines[1] += also === "" ? "" : ` ${also}`;
  const text = lines.join("\n");
  return { filename: `${words[0]}.txt`, content: Buffer.from(text), text, words, fails: undefined };
}

/** Letters only, so that searches take it as it is. */
function newWord(random: Random): string {
  return `q${Array.from({ length: 15 }, () => String.fromCodePoint(97 + random.int(0, 25))).join("")}`;
}
