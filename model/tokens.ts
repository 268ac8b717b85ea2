// How many tokens a text costs, in o200k_base: an estimate for other vocabularies, used to fit a context window.
import { countTokens as countPiece, setMergeCacheSize } from "gpt-tokenizer/encoding/o200k_base";
import type { ContentPart } from "../contract/message.ts";

const TOKENS_PER_MESSAGE = 4;
const TOKENS_PER_IMAGE = 765;
const TOKENS_PER_SMALL_IMAGE = 85;
/** Texts name no special tokens: `<|endoftext|>` in a message is twelve ordinary characters. */
const PLAIN_TEXT = { disallowedSpecial: new Set<string>() };

/**
 * Up to 32 words with their white space. The tokenizer's work grows with the square of the longest word or gap, so
 * those are cut, at the price of a token or so per cut.
 */
const PIECE = /\s{0,32}\S{1,128}(?:\s{1,32}\S{1,128}){0,31}|\s{1,128}/gu;

setMergeCacheSize(10_000);

/** Tokens of a text, in time that grows with its length and not faster. */
export function countTokens(text: string): number {
  let total = 0;
  for (const [piece] of text.matchAll(PIECE)) total += countPiece(piece, PLAIN_TEXT);
  return total;
}

/** Tokens of a message, its envelope included. Images count as many as a large picture would. */
export function countContentTokens(content: readonly ContentPart[]): number {
  return content.reduce((total, part) => total + countPart(part), TOKENS_PER_MESSAGE);
}

function countPart(part: ContentPart): number {
  switch (part.type) {
    case "text":
      return countTokens(part.text.value);
    case "refusal":
      return countTokens(part.refusal);
    case "image_file":
      return part.image_file.detail === "low" ? TOKENS_PER_SMALL_IMAGE : TOKENS_PER_IMAGE;
    case "image_url":
      return part.image_url.detail === "low" ? TOKENS_PER_SMALL_IMAGE : TOKENS_PER_IMAGE;
  }
}
