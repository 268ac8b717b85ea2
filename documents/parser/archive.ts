// The parts of an Office file, which is a ZIP archive. What its directory promises is not believed: bytes are counted
// while they inflate.
import yauzl from "yauzl";
import type { Entry, ZipFile } from "yauzl";
import { MAX_ARCHIVE_BYTES, MAX_ARCHIVE_ENTRIES } from "../../contract/limits.ts";
import { damaged, unreadable } from "../refusal.ts";

export interface Archive {
  names: readonly string[];
  /** Bytes of a part when it is inflated, as the directory has it; 0 when there is no such part. */
  sizeOf: (name: string) => number;
  /** The XML of a part; null when there is no such part. */
  readXml: (name: string) => Promise<string | null>;
  close: () => void;
}

export async function openArchive(path: string): Promise<Archive> {
  const zip = await yauzl.openPromise(path, { lazyEntries: true, autoClose: false }).catch((error: unknown) => {
    throw damaged(error);
  });
  try {
    const entries = await readDirectory(zip);
    let inflated = 0;
    const grow = (bytes: number) => {
      inflated += bytes;
      if (inflated > MAX_ARCHIVE_BYTES) throw unreadable(`it inflates to more than ${MAX_ARCHIVE_BYTES / 2 ** 20} MiB`);
    };
    return {
      names: [...entries.keys()],
      sizeOf: (name) => entries.get(name)?.uncompressedSize ?? 0,
      readXml: async (name) => {
        const entry = entries.get(name);
        return entry === undefined ? null : decodeXml(name, await inflate(zip, entry, grow));
      },
      close: () => zip.close(),
    };
  } catch (error) {
    zip.close();
    throw error;
  }
}

async function readDirectory(zip: ZipFile): Promise<Map<string, Entry>> {
  if (zip.entryCount > MAX_ARCHIVE_ENTRIES) {
    throw unreadable(`it is an archive of more than ${MAX_ARCHIVE_ENTRIES.toLocaleString("en")} files`);
  }
  const entries = new Map<string, Entry>();
  try {
    for await (const entry of zip.eachEntry()) entries.set(entry.fileName, entry);
  } catch (error) {
    throw damaged(error);
  }
  return entries;
}

async function inflate(zip: ZipFile, entry: Entry, grow: (bytes: number) => void): Promise<Buffer> {
  if (entry.isEncrypted()) throw unreadable("it is protected by a password");
  if (entry.uncompressedSize > MAX_ARCHIVE_BYTES) grow(entry.uncompressedSize);
  const parts: Buffer[] = [];
  const stream = await zip.openReadStreamPromise(entry).catch((error: unknown) => {
    throw damaged(error);
  });
  try {
    for await (const part of stream as AsyncIterable<Buffer>) {
      grow(part.length);
      parts.push(part);
    }
  } catch (error) {
    throw damaged(error);
  }
  return Buffer.concat(parts);
}

/** Office never declares a document type; who does plays with entities, which then grow without end or read files. */
function decodeXml(name: string, bytes: Buffer): string {
  const mark = bytes.toString("hex", 0, 2);
  const encoding = mark === "fffe" ? "utf-16le" : mark === "feff" ? "utf-16be" : "utf-8";
  let xml: string;
  try {
    xml = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (error) {
    throw damaged(error);
  }
  if (/<!(?:DOCTYPE|ENTITY)/i.test(xml))
    throw unreadable(`its part ${name} declares a document type, which Office files must not`);
  return xml;
}
