// What a file may be used for by the end of its name. One without an ending is taken: its content will tell.
import { extensionOf } from "./document-types.ts";

export const IMAGE_ENDINGS: readonly string[] = [".jpeg", ".jpg", ".png", ".gif", ".webp"];

/** Whether a file of that name is surely none of those. */
export function isOther(filename: string, endings: readonly string[]): boolean {
  const ending = extensionOf(filename);
  return ending !== "" && !endings.includes(ending);
}

/** By which bytes the images that models take begin. */
const IMAGE_SIGNATURES: readonly [type: string, hex: RegExp][] = [
  ["image/png", /^89504e470d0a1a0a/],
  ["image/jpeg", /^ffd8ff/],
  ["image/gif", /^47494638(?:37|39)61/],
  ["image/webp", /^52494646.{8}57454250/],
];

/** The media type of an image, by its first bytes; undefined when they are of none. */
export function imageTypeOf(content: Uint8Array): string | undefined {
  const start = Array.from(content.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return IMAGE_SIGNATURES.find(([, hex]) => hex.test(start))?.[0];
}
