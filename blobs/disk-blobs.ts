// Blobs as files of a folder, in 256 sub-folders. A file has its name only when it is complete and on the disk.
import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { BLOB_KEY, BlobNotFound, BlobsUnavailable } from "./blobs.ts";
import type { BlobEntry, Blobs, WrittenBlob } from "./blobs.ts";
import { measure } from "./measure.ts";

/** Beside the sub-folders, so that a rename stays on one file system. */
const UNFINISHED = "unfinished";
const SUB_FOLDER = /^[0-9a-f]{2}$/;

export class DiskBlobs implements Blobs {
  readonly #folder: string;

  /** The folder is made when the first blob is written. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  async write(key: string, content: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<WrittenBlob> {
    const path = this.#pathOf(key);
    const unfinished = join(this.#folder, UNFINISHED, `${key}-${randomUUID()}`);
    const measured = measure(content, signal);
    try {
      await makeFolder(dirname(unfinished));
      await makeFolder(dirname(path));
      const file = await open(unfinished, "wx", 0o600);
      try {
        await file.writeFile(measured.content);
        await file.sync();
      } finally {
        await file.close();
      }
      signal?.throwIfAborted();
      await rename(unfinished, path);
      await syncFolder(dirname(path));
      return measured.result();
    } catch (error) {
      await Promise.all([unfinished, path].map((left) => rm(left, { force: true }).catch(() => undefined)));
      throw measured.explain(error);
    }
  }

  async read(key: string, range?: { start: number; end: number }): Promise<Readable> {
    try {
      const file = await open(this.#pathOf(key), "r");
      return file.createReadStream(range);
    } catch (error) {
      if (isMissing(error)) throw new BlobNotFound(key, { cause: error });
      throw new BlobsUnavailable("a blob could not be read", { cause: error });
    }
  }

  async delete(key: string): Promise<void> {
    try {
      await rm(this.#pathOf(key), { force: true });
    } catch (error) {
      throw new BlobsUnavailable("a blob could not be deleted", { cause: error });
    }
  }

  async *list(): AsyncGenerator<BlobEntry> {
    for (const folder of await namesIn(this.#folder)) {
      if (!SUB_FOLDER.test(folder)) continue;
      for (const key of await namesIn(join(this.#folder, folder))) {
        const writtenAt = await timeOf(join(this.#folder, folder, key));
        if (writtenAt !== undefined && BLOB_KEY.test(key)) yield { key, writtenAt };
      }
    }
  }

  async removeUnfinished(begunBefore: Date): Promise<number> {
    const folder = join(this.#folder, UNFINISHED);
    let removed = 0;
    for (const name of await namesIn(folder)) {
      // Whoever still writes to it has changed it lately.
      const changedAt = await timeOf(join(folder, name));
      if (changedAt === undefined || changedAt >= begunBefore) continue;
      await rm(join(folder, name), { force: true });
      removed += 1;
    }
    return removed;
  }

  #pathOf(key: string): string {
    if (!BLOB_KEY.test(key)) throw new Error(`${key} is not the key of a blob`);
    return join(this.#folder, key.slice(0, 2), key);
  }
}

/** Makes a folder that outlives a power cut, as what is put into it has to. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** In order; none of a folder that is not there. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).toSorted();
  } catch (error) {
    if (isMissing(error)) return [];
    throw new BlobsUnavailable("the folder of the blobs cannot be read", { cause: error });
  }
}

/** When it was last written; undefined when it is gone. */
async function timeOf(path: string): Promise<Date | undefined> {
  try {
    return (await stat(path)).mtime;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new BlobsUnavailable("a blob cannot be looked at", { cause: error });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
