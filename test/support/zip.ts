// Writes ZIP archives, honest ones and such that lie about what they hold.
import { crc32, deflateRawSync } from "node:zlib";

export interface ZipPart {
  name: string;
  content: string | Buffer;
  /** What the directory says of its size, when that is not the truth. */
  claimedSize?: number;
  encrypted?: boolean;
}

const compressed = new WeakMap<Buffer, Buffer>();

export function zip(parts: readonly ZipPart[]): Buffer {
  const [files, directory]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const { name, content, claimedSize, encrypted = false } of parts) {
    const bytes = Buffer.from(content);
    const data = compress(typeof content === "string" ? bytes : content);
    const size = claimedSize ?? bytes.length;
    const head = Buffer.alloc(26);
    [20, encrypted ? 1 : 0, 8, 0, 0].forEach((value, index) => head.writeUInt16LE(value, index * 2));
    [crc32(bytes), data.length, size].forEach((value, index) => head.writeUInt32LE(value, 10 + index * 4));
    head.writeUInt16LE(Buffer.byteLength(name), 22);
    files.push(Buffer.from("PK\u0003\u0004"), head, Buffer.from(name), data);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.from("PK\u0001\u0002\u0014\0"), head, tail, Buffer.from(name));
    offset += 30 + Buffer.byteLength(name) + data.length;
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(parts.length, 4);
  end.writeUInt16LE(parts.length, 6);
  end.writeUInt32LE(Buffer.concat(directory).length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...files, ...directory, Buffer.from("PK\u0005\u0006"), end]);
}

/** The same buffer is compressed once, so that a bomb of many parts is quickly made. */
function compress(content: Buffer): Buffer {
  const known = compressed.get(content);
  if (known !== undefined) return known;
  const data = deflateRawSync(content);
  compressed.set(content, data);
  return data;
}
