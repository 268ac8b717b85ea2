// Makes sure that only one process works in a data folder. The lock is the operating system's, held through
// SQLite, so it is gone the moment its owner dies: there is no stale lock. What the owner left running is written beside it.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { CannotStart } from "./cannot-start.ts";

const SQLITE_BUSY = 5;

/** The processes of a start, by the name of the part. */
export type Parts = Record<string, number>;

export interface FolderLock {
  /** Processes that the previous owner had started and may have left behind. */
  leftBehind: Parts;
  /** Writes down a process of ours, so that the next owner can end it if we cannot. */
  record(part: string, pid: number): void;
  /** Gives the folder free, with nothing left behind. */
  release(): void;
}

/** Locks `dataDir`, which must exist. Throws `CannotStart` when another process holds it. */
export function lockFolder(dataDir: string): FolderLock {
  const database = takeLock(dataDir);
  const noteFile = join(dataDir, "running.json");
  const leftBehind = readNote(noteFile)?.parts ?? {};
  const parts: Parts = { ...leftBehind };

  function write(): void {
    writeFileSync(noteFile, `${JSON.stringify({ pid: process.pid, parts }, null, 2)}\n`, { mode: 0o600 });
  }
  function record(part: string, pid: number): void {
    parts[part] = pid;
    write();
  }
  function release(): void {
    writeFileSync(noteFile, `${JSON.stringify({ parts: {} }, null, 2)}\n`, { mode: 0o600 });
    database.close();
  }
  write();
  return { leftBehind, record, release };
}

function takeLock(dataDir: string): DatabaseSync {
  const database = new DatabaseSync(join(dataDir, "lock.sqlite"), { timeout: 0 });
  try {
    database.exec("begin exclusive");
    return database;
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    const pid = readNote(join(dataDir, "running.json"))?.pid;
    const owner = pid === undefined ? "another process" : `process ${pid}`;
    const stop =
      pid === undefined ? "Stop that one first" : `Stop that one first (Ctrl-C in its terminal, or: kill ${pid})`;
    throw new CannotStart(
      `The data folder ${dataDir} is in use by ${owner}.\n${stop}, or set DATA_DIR to another folder to run a second server.`,
      { cause: error },
    );
  }
}

function readNote(noteFile: string): { pid?: number; parts: Parts } | undefined {
  try {
    return JSON.parse(readFileSync(noteFile, "utf8"));
  } catch {
    return undefined; // none yet, or its writer died while writing
  }
}
