// How files are called in the workspace of code: as their users call them, and no two the same. Pure.
import { MAX_SANDBOX_NAME_BYTES } from "../contract/limits.ts";

/** The name of each file, in their order. A second one of a name is told apart by a number before its ending. */
export function nameFiles(filenames: readonly string[]): string[] {
  const taken = new Set<string>();
  return filenames.map((filename) => {
    const wanted = toComponent(filename);
    let name = wanted;
    for (let number = 2; taken.has(name); number += 1) name = withNumber(wanted, number);
    taken.add(name);
    return name;
  });
}

/** Whether a file that code has written, in folders perhaps, can be given to a user by its name. */
export function isPlainPath(path: string): boolean {
  return path.split("/").every((name) => name === toComponent(name));
}

/** One component of a path: without slashes, control characters and halves of characters, and not too long. */
function toComponent(filename: string): string {
  const name = filename.toWellFormed().replaceAll(/[/\\\p{Cc}\uFFFD]/gu, "_");
  const { stem, ending } = split(name === "." || name === ".." || name === "" ? "_" : name);
  return shortened(stem, MAX_SANDBOX_NAME_BYTES - Buffer.byteLength(ending)) + ending;
}

function withNumber(name: string, number: number): string {
  const { stem, ending } = split(name);
  const suffix = ` (${number})`;
  return shortened(stem, MAX_SANDBOX_NAME_BYTES - Buffer.byteLength(suffix + ending)) + suffix + ending;
}

function split(name: string): { stem: string; ending: string } {
  const { stem = name, ending = "" } = /^(?<stem>.+?)(?<ending>(\.\w{1,10}){1,2})$/u.exec(name)?.groups ?? {};
  return { stem, ending };
}

function shortened(text: string, bytes: number): string {
  const letters = Array.from(text);
  while (Buffer.byteLength(letters.join("")) > bytes) letters.pop();
  return letters.join("");
}
