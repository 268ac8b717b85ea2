// What a file may be used for by the end of its name. One without an ending is taken: its content will tell.

export const IMAGE_ENDINGS: readonly string[] = [".jpeg", ".jpg", ".png", ".gif", ".webp"];

/** What File Search reads. */
export const SEARCHED_ENDINGS: readonly string[] =
  ".c .cs .cpp .css .doc .docx .go .html .java .js .json .md .pdf .php .pptx .py .rb .sh .tex .ts .txt".split(" ");

/** With its dot, in lower case; empty when there is none. */
export function endingOf(filename: string): string {
  return /\.[^./\\]+$/.exec(filename)?.[0].toLowerCase() ?? "";
}

/** Whether a file of that name is surely none of those. */
export function isOther(filename: string, endings: readonly string[]): boolean {
  const ending = endingOf(filename);
  return ending !== "" && !endings.includes(ending);
}
