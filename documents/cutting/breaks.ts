// How good a place between two words is for ending a chunk.

const BLANK_LINE = /\n\n$|\r\n\r\n$/;
const LINE_END = /[\r\n]$/;
const SENTENCE_END = /[.!?…]["')\]”’»]*$|[。！？][”’」』）】]?$/;
const CLAUSE_END = /[,;:，；：、)}\]>|]$/;

/** 4: end of a paragraph, 3: of a sentence, 2: of a line, 1: of a clause, 0: of a word. */
export function rankBreak(atom: string, next: string | undefined): number {
  if (next === undefined || BLANK_LINE.test(atom)) return 4;
  const word = atom.trimEnd();
  const pauses = LINE_END.test(atom) || /^\s/.test(next);
  if (SENTENCE_END.test(word) && (pauses || word.endsWith("。"))) return 3;
  if (LINE_END.test(atom) || LINE_END.test(next.slice(0, next.length - next.trimStart().length))) return 2;
  return CLAUSE_END.test(word) ? 1 : 0;
}
