// Documents to be read and searched: the same each time.
import { pdf } from "../test/support/office-files.ts";

/** How they are cut, as they are unless a client says otherwise. */
export const CHUNKING = { max_chunk_size_tokens: 800, chunk_overlap_tokens: 400 };

/** Words that repeat as those of a language do, in sentences and paragraphs, the same each time. */
export function prose(bytes: number): string {
  const words = Array.from({ length: 20_000 }, (_, n) => wordOf(n));
  let [text, seed, length] = [[] as string[], 1, 0];
  for (let n = 1; length < bytes; n += 1) {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    const word = words[Math.floor((seed / 2 ** 31) ** 4 * words.length)] as string;
    const end = n % 90 === 0 ? ".\n\n" : n % 15 === 0 ? ". " : " ";
    text.push(word, end);
    length += word.length + end.length;
  }
  return text.join("");
}

const SYLLABLES = ["ba", "ter", "lo", "ing", "mi", "son", "re", "ca", "ly", "en", "do", "st", "er", "pa", "ion", "the"];

function wordOf(number: number): string {
  const syllable = SYLLABLES[number % SYLLABLES.length] as string;
  return number < SYLLABLES.length ? syllable : syllable + wordOf(Math.floor(number / SYLLABLES.length));
}

/** A PDF of so many pages of 3,000 characters. */
export function manyPages(pages: number): Promise<Buffer> {
  const text = prose(pages * 3000);
  return pdf((page) => {
    for (let number = 0; number < pages; number += 1) {
      if (number > 0) page.addPage();
      page.fontSize(11).text(text.slice(number * 3000, (number + 1) * 3000));
    }
  });
}
