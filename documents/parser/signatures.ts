// What a file is by its first bytes, as far as no text could begin with them. Other types are told by not being text.

const SIGNATURES: readonly [type: string, at: number, hex: string][] = [
  ["pdf", 0, "255044462d312e"],
  ["pdf", 0, "255044462d322e"],
  ["zip", 0, "504b0304"],
  ["zip", 0, "504b0506"],
  ["ole", 0, "d0cf11e0a1b11ae1"],
  ["a PNG image", 0, "89504e470d0a1a0a"],
  ["a JPEG image", 0, "ffd8ff"],
  ["a TIFF image", 0, "49492a00"],
  ["a TIFF image", 0, "4d4d002a"],
  ["a compressed file (gzip)", 0, "1f8b08"],
  ["a compressed file (xz)", 0, "fd377a585a00"],
  ["a compressed file (zstd)", 0, "28b52ffd"],
  ["a 7z archive", 0, "377abcaf271c"],
  ["a RAR archive", 0, "526172211a07"],
  ["a database (SQLite)", 0, "53514c69746520666f726d6174203300"],
  ["a program", 0, "7f454c46"],
];

/** `pdf`, `zip` or `ole`, a description of a type that is not read, or null for all else, text for example. */
export function findSignature(start: Buffer): string | null {
  const found = SIGNATURES.find(([, at, hex]) => start.subarray(at, at + hex.length / 2).toString("hex") === hex);
  return found?.[0] ?? null;
}
