// How many tokens a text costs, in o200k_base: an estimate for other vocabularies, used to fit a context window.
import { countTokens as countPiece, setMergeCacheSize } from "gpt-tokenizer/encoding/o200k_base";
import type { ContentPart } from "../contract/message.ts";

const TOKENS_PER_MESSAGE = 4;
const TOKENS_PER_IMAGE = 765;
const TOKENS_PER_SMALL_IMAGE = 85;

/** Longer texts are not counted but estimated, from stretches of them, so that no text holds up the process. */
const MAX_COUNTED_LENGTH = 65_536;
const STRETCHES = 64;
const STRETCH_LENGTH = MAX_COUNTED_LENGTH / STRETCHES;

/**
 * Up to 32 words with their white space. The tokenizer's work grows with the square of the longest word or gap, so
 * those are cut, at the price of a token or so per cut.
 */
const PIECE = /\s{0,32}\S{1,128}(?:\s{1,32}\S{1,128}){0,31}(?:\s{1,32}$)?|\s{1,128}/gu;

/** Texts name no special tokens: `<|endoftext|>` in a message is thirteen ordinary characters. */
const PLAIN_TEXT = { disallowedSpecial: new Set<string>() };

// The tokenizer's cache slows down as it grows: with its own size of 100,000 some texts take 100 times longer.
setMergeCacheSize(100);

/** Does at the start what the first count would take longer for. */
export function loadVocabulary(): void {
  countAll("Hello, world! 你好 42");
}

/** Tokens of a text. However long: English takes some 8 ms of CPU, the worst that can be sent some 200 ms. */
export function countTokens(text: string): number {
  if (text.length <= MAX_COUNTED_LENGTH) return countAll(text);
  let tokens = 0;
  for (let stretch = 0; stretch < STRETCHES; stretch += 1) {
    const start = Math.floor((stretch * text.length) / STRETCHES);
    tokens += countAll(text.slice(start, start + STRETCH_LENGTH));
  }
  return Math.ceil((tokens * text.length) / MAX_COUNTED_LENGTH);
}

/** Tokens of a message, its envelope included. An image counts as much as a large picture would. */
export function countContentTokens(content: readonly ContentPart[]): number {
  const images = content.map(countImage).reduce((total, tokens) => total + tokens, 0);
  return TOKENS_PER_MESSAGE + images + countTokens(content.map(textOf).join(""));
}

function countAll(text: string): number {
  let tokens = 0;
  for (const [piece] of text.matchAll(PIECE)) tokens += countPiece(piece, PLAIN_TEXT);
  return tokens;
}

function textOf(part: ContentPart): string {
  if (part.type === "text") return part.text.value;
  return part.type === "refusal" ? part.refusal : "";
}

function countImage(part: ContentPart): number {
  if (part.type !== "image_file" && part.type !== "image_url") return 0;
  const image = part.type === "image_file" ? part.image_file : part.image_url;
  return image.detail === "low" ? TOKENS_PER_SMALL_IMAGE : TOKENS_PER_IMAGE;
}
