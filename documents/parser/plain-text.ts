// Text as it stands in the file: utf-8, which ASCII is a part of, or utf-16. Read in pieces, as often as asked.
import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { unreadable } from "../refusal.ts";
import type { OpenDocument } from "./document.ts";

type Encoding = "utf-8" | "utf-16le" | "utf-16be";

const PIECE_BYTES = 64 * 1024;
/** UTF-16 of two bytes becomes up to three bytes in UTF-8. */
const GROWTH = { "utf-8": 1, "utf-16le": 1.5, "utf-16be": 1.5 };

export async function openPlainText(path: string): Promise<OpenDocument> {
  const { size } = await stat(path);
  const encoding = detectEncoding(await readStart(path, PIECE_BYTES));
  return {
    mostBytes: size * GROWTH[encoding],
    read: () => (encoding === "utf-8" ? readUtf8(path) : readUtf16(path, encoding)),
    emptyBecause: "it is empty",
  };
}

/** The first bytes of a file. */
export async function readStart(path: string, bytes: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** By the byte order mark; without one, text with zeros in every other byte only is UTF-16. Everything else must be UTF-8. */
function detectEncoding(start: Buffer): Encoding {
  const mark = start.toString("hex", 0, 4);
  if (mark === "fffe0000" || mark === "0000feff") throw wrongEncoding("it is UTF-32");
  if (mark.startsWith("fffe")) return "utf-16le";
  if (mark.startsWith("feff")) return "utf-16be";
  const zeros: [even: number, odd: number] = [0, 0];
  for (const [index, byte] of start.entries()) if (byte === 0) zeros[(index & 1) as 0 | 1] += 1;
  if (zeros[0] === 0 && zeros[1] === 0) return "utf-8";
  // Languages of other alphabets have a zero with each space and line end at least.
  const few = start.length / 100;
  if (zeros[0] === 0 && zeros[1] > few) return "utf-16le";
  if (zeros[1] === 0 && zeros[0] > few) return "utf-16be";
  throw unreadable("it holds binary data, not text");
}

async function* readUtf8(path: string): AsyncGenerator<string> {
  let [rest, offset] = [Buffer.alloc(0), 0];
  for await (const bytes of createReadStream(path, { highWaterMark: PIECE_BYTES }) as AsyncIterable<Buffer>) {
    const piece = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    const end = endOfCharacters(piece);
    yield decodeUtf8(piece.subarray(0, end), offset);
    rest = Buffer.from(piece.subarray(end));
    offset += end;
  }
  if (rest.length > 0) yield decodeUtf8(rest, offset);
}

/** Where a character begins that goes on in the next piece. */
function endOfCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] as number;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

function decodeUtf8(bytes: Buffer, offset: number): string {
  if (!isUtf8(bytes)) {
    const wrong = firstInvalid(bytes);
    const value = (bytes[wrong] as number).toString(16).padStart(2, "0");
    throw wrongEncoding(`byte ${(offset + wrong).toLocaleString("en")} (0x${value}) is not valid UTF-8`);
  }
  const text = bytes.toString("utf8");
  return offset === 0 && text.startsWith("\uFEFF") ? text.slice(1) : text;
}

/** Where the first character begins that is none. */
function firstInvalid(bytes: Buffer): number {
  let [valid, invalid] = [0, bytes.length];
  while (invalid - valid > 1) {
    const middle = Math.floor((valid + invalid) / 2);
    const head = bytes.subarray(0, middle);
    if (isUtf8(head.subarray(0, endOfCharacters(head)))) valid = middle;
    else invalid = middle;
  }
  return endOfCharacters(bytes.subarray(0, valid));
}

async function* readUtf16(path: string, encoding: "utf-16le" | "utf-16be"): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const decode = (bytes?: Buffer) => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch (error) {
      throw wrongEncoding("it begins as UTF-16 and holds half characters", error);
    }
  };
  for await (const bytes of createReadStream(path, { highWaterMark: PIECE_BYTES }) as AsyncIterable<Buffer>) {
    yield decode(bytes);
  }
  yield decode();
}

function wrongEncoding(what: string, cause?: unknown): Error {
  return unreadable(`${what}. Text must be encoded in UTF-8, UTF-16 or ASCII: save it as UTF-8`, cause);
}
