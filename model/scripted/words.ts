// Reads a user's sentence for the demo: which tools it speaks of, and which places or names it asks about. Pure.
import type { ChatTool } from "./request.ts";

const MIN_WORD_LENGTH = 3;
const MAX_SUBJECTS = 8;
const MAX_DESCRIPTION_CHARS = 4000;

/** The tools of which the text uses a word of the name or, if it names none, a word of the description. */
export function mentionedTools(tools: ChatTool[], text: string): ChatTool[] {
  const said = wordsOf(text);
  const byName = tools.filter((tool) => overlaps(wordsOf(tool.function.name), said));
  return byName.length > 0 ? byName : tools.filter((tool) => overlaps(wordsOf(tool.function.description ?? ""), said));
}

/** Places and other names in the text, in order: capitalised names, or what follows "in", "for" and the like. */
export function subjectsOf(text: string): string[] {
  const names = [...text.matchAll(NAME)].filter((found) => !startsSentence(text, found.index)).map(([name]) => name);
  const subjects = names.filter((name) => !NOT_A_NAME.test(name));
  return [...new Set(subjects.length > 0 ? subjects : phrasesOf(text))].slice(0, MAX_SUBJECTS);
}

/** "Paris", "New York", "Rio de Janeiro", "San Francisco, CA", "AAPL". */
const NAME = /\p{Lu}[\p{L}'’-]+(?:\s+(?:(?:de|of|upon|am|la|le)\s+)?\p{Lu}[\p{L}'’-]+)*(?:,\s*[A-Z]{2}\b)?/gu;
const NOT_A_NAME = /^(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|celsius|fahrenheit|json|i['’]\w+)$/i;
const PHRASE = /\b(?:in|for|at|of|near)\s+([^.?!;:\n]+)/i;
const NOT_A_PHRASE = /\b(?:i|you|me|my|what|how|is|are|should|now|today|tomorrow|tonight|please|there|it)\b.*$/i;

function startsSentence(text: string, index: number): boolean {
  return /(?:^|[.?!:\n])["'“(\s]*$/.test(text.slice(Math.max(0, index - 8), index)); // a few characters tell
}

function phrasesOf(text: string): string[] {
  const phrase = PHRASE.exec(text)?.[1] ?? "";
  return phrase
    .split(/,|&|\band\b/i)
    .map((part) =>
      part
        .replace(NOT_A_PHRASE, "")
        .replace(/^\s*the\s+/i, "")
        .trim(),
    )
    .filter((part) => part !== "");
}

/** Words that say nothing about what a tool is for. */
const COMMON = new Set(
  (
    "about all and any are call can current for from function get given has have how its list look make new not now out " +
    "please return returns run set show some specific specified tell that the them then there this tool use used user " +
    "using want was what when where which who will with you your"
  ).split(" "),
);
/** Words that users and tools use for one another. */
const KIN: Record<string, string> = { temperature: "weather", forecast: "weather" };

function wordsOf(text: string): Set<string> {
  const words = text
    .slice(0, MAX_DESCRIPTION_CHARS)
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word.length >= MIN_WORD_LENGTH && !COMMON.has(word))
    .map((word) => word.replace(/(?<=\w{3})s$/, ""));
  return new Set(words.map((word) => KIN[word] ?? word));
}

function overlaps(words: Set<string>, others: Set<string>): boolean {
  return [...words].some((word) => others.has(word));
}
