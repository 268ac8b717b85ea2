// A retrieval set with known answers: the documentation of Node's API, as the package @types/node carries it. What is
// asked is taken out of the text that answers it: the first sentence of each entry, or the name of what it describes.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createRandom } from "../search-corpus.ts";

const FOLDER = join(import.meta.dirname, "../../node_modules/@types/node");
const MIN_ANSWER_CHARS = 200;
const MIN_QUESTION_WORDS = 6;

export type Kind = "sentence" | "name";

export interface Question {
  kind: Kind;
  text: string;
  /** Index of the only text that counts as an answer. */
  answer: number;
}

export interface RetrievalSet {
  texts: string[];
  questions: Question[];
}

const ENTRY = /\/\*\*((?:[^*]|\*(?!\/))*)\*\/\s*([^\n]*)/g;

/** Every entry is a text; `count` of them, always the same, are asked for. */
export function makeRetrievalSet(count: number): RetrievalSet {
  const seen = new Set<string>();
  const entries = declarationFiles().flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(ENTRY)].flatMap(([, comment = "", declaration = ""]) => {
      const entry = toEntry(comment, declaration);
      if (entry === undefined || seen.has(entry.question)) return []; // overloads repeat their comment
      seen.add(entry.question);
      return [entry];
    }),
  );
  const random = createRandom(7);
  const asked = entries.map((entry, answer) => ({ ...entry, answer, order: random() }));
  const questions = asked
    .toSorted((a, b) => a.order - b.order)
    .slice(0, count)
    .map(({ question, name, answer }, index): Question => {
      const kind: Kind = index % 4 === 3 && name !== undefined ? "name" : "sentence";
      return { kind, text: kind === "name" ? (name as string) : question, answer };
    });
  return { texts: entries.map((entry) => entry.text), questions };
}

function declarationFiles(): string[] {
  const names = readdirSync(FOLDER, { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => name.endsWith(".d.ts"))
    .toSorted()
    .map((name) => join(FOLDER, name));
}

/** The first sentence asks, without the names of code in it; the rest answers, with the declaration but not its comment's tags. */
function toEntry(comment: string, declaration: string) {
  const lines = comment.split("\n").map((line) => line.replace(/^\s*\* ?/, ""));
  const end = lines.findIndex((line) => line.startsWith("@"));
  const description = lines
    .slice(0, end < 0 ? undefined : end)
    .join("\n")
    .trim();
  const [, first = "", rest = ""] = /^([^]*?[.:])\s+([^]*)$/.exec(description) ?? [];
  const question = first
    .replace(/`[^`]*`|\[([^\]]*)\]\([^)]*\)|\{@link[^}]*\}/g, " $1 ")
    .replace(/\s+/g, " ")
    .trim();
  if (rest.length < MIN_ANSWER_CHARS || question.split(" ").length < MIN_QUESTION_WORDS) return undefined;
  const name = /(?:function|class|const|interface)?\s*([A-Za-z_$][\w$]{3,})\s*[(<:?]/.exec(declaration)?.[1];
  return { question, text: `${rest}\n${declaration.trim()}`, name };
}
