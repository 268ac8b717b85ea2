// The log of one part, in a file that cannot grow without end: the current file and the one before it.
import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";

const LOG_FILE_MAX_BYTES = 20_000_000;
const REMEMBERED_LINES = 12;
/** Of one piece of output: a flood is not worth reading. */
const REMEMBERED_BYTES = 4000;

export interface LogFile {
  path: string;
  write(chunk: Buffer): void;
  /** The newest lines, for the message when the part fails. */
  newestLines(): string[];
}

/** Opens the log at `path` for the life of this process. What an earlier start left there becomes `path.1`. */
export function openLogFile(path: string): LogFile {
  let file: number | undefined;
  let bytes = 0;
  let newest: string[] = [];

  function startNewFile(): number {
    if (file !== undefined) closeSync(file);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    if (existsSync(path)) renameSync(path, `${path}.1`);
    bytes = 0;
    return openSync(path, "a", 0o600);
  }

  function write(chunk: Buffer): void {
    try {
      if (file === undefined || bytes > LOG_FILE_MAX_BYTES) file = startNewFile();
      bytes += writeSync(file, chunk);
    } catch {
      // A full disk must not stop the server: its log is what it can do without.
    }
    const lines = chunk.subarray(-REMEMBERED_BYTES).toString("utf8").split("\n");
    newest = [...newest, ...lines.filter((line) => line.trim() !== "")].slice(-REMEMBERED_LINES);
  }

  return { path, write, newestLines: () => newest };
}
