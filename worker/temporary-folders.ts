// The folders of documents that are being read. One that its worker could not remove, because it was killed, is removed when
// the next one starts.
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { INGEST_STEP_TIMEOUT_MS } from "../contract/limits.ts";

/** With what the folders of this module and of the parsers begin. */
const NAME = /^durable-assistants-(?:document|parser)-/;
const OWN_NAME = /^durable-assistants-document-(.+)-(\d+)-[^-]+$/;

/** A new folder, whose name says whose it is. */
export function makeDocumentFolder(base = tmpdir()): Promise<string> {
  return mkdtemp(join(base, `durable-assistants-document-${hostname()}-${process.pid}-`));
}

/**
 * Removes folders whose process is gone, and any that are older than reading a file may take. To be called when a worker
 * starts: a folder with its own number is then an earlier process's. Returns how many.
 */
export async function removeLeftFolders(base = tmpdir()): Promise<number> {
  let removed = 0;
  for (const name of await readdir(base)) {
    if (!NAME.test(name) || !(await isLeft(base, name))) continue;
    await rm(join(base, name), { recursive: true, force: true });
    removed += 1;
  }
  return removed;
}

async function isLeft(base: string, name: string): Promise<boolean> {
  const [, host, pid] = OWN_NAME.exec(name) ?? [];
  if (host === hostname() && (Number(pid) === process.pid || !isRunning(Number(pid)))) return true;
  try {
    return Date.now() - (await stat(join(base, name))).mtimeMs > 2 * INGEST_STEP_TIMEOUT_MS;
  } catch {
    return false; // gone meanwhile
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // somebody else's
  }
}
