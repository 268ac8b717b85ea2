// Pictures of a cell, which come in pieces. What is no PNG, or too much, is left out.
import type { SandboxLimits } from "./driver.ts";

const PNG = Buffer.from("89504e470d0a1a0a", "hex");

export interface Pictures {
  /** The picture, when this was its last piece and it is one. */
  add(piece: string, isLast: boolean): Buffer | undefined;
}

export function createPictures(limits: SandboxLimits): Pictures {
  let pieces: Buffer[] = [];
  let bytes = 0;
  let count = 0;
  return {
    add(piece, isLast) {
      const content = Buffer.from(piece, "base64");
      bytes += content.length;
      if (bytes <= limits.imageBytes) pieces.push(content);
      if (!isLast) return undefined;
      const picture = Buffer.concat(pieces);
      pieces = [];
      count += 1;
      const isShown =
        bytes <= limits.imageBytes && count <= limits.images && picture.subarray(0, PNG.length).equals(PNG);
      return isShown ? picture : undefined;
    },
  };
}
