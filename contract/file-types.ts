// What a file may be used for by the end of its name. One without an ending is taken: its content will tell.
import { extensionOf } from "./document-types.ts";

export const IMAGE_ENDINGS: readonly string[] = [".jpeg", ".jpg", ".png", ".gif", ".webp"];

/** Whether a file of that name is surely none of those. */
export function isOther(filename: string, endings: readonly string[]): boolean {
  const ending = extensionOf(filename);
  return ending !== "" && !endings.includes(ending);
}
