// Picks out of a part's JSON log what the person at the terminal should see: warnings and errors, a few at a time.
import type { Say } from "./say.ts";

/** pino's numbers, and the names that others write. */
const WARNING_LEVELS: ReadonlySet<unknown> = new Set([40, "warn"]);
const ERROR_LEVELS: ReadonlySet<unknown> = new Set([50, 60, "error", "fatal"]);
const WINDOW_MS = 10_000;
const NOTICES_PER_WINDOW = 5;

/**
 * Returns a function that takes the part's output and says its warnings and errors in one line each.
 * A part that floods its log is cut short: the rest is in the file at `logPath`.
 */
export function createNotices(options: { part: string; logPath: string; say: Say }): (chunk: Buffer) => void {
  const { part, logPath, say } = options;
  let unfinished = "";
  let windowEndsAt = 0;
  let saidInWindow = 0;

  function notice(line: string): void {
    const text = describeProblem(line);
    if (text === undefined) return;
    if (Date.now() > windowEndsAt) {
      windowEndsAt = Date.now() + WINDOW_MS;
      saidInWindow = 0;
    }
    saidInWindow += 1;
    if (saidInWindow <= NOTICES_PER_WINDOW) say(`${part}: ${text} (more in ${logPath})`);
    if (saidInWindow === NOTICES_PER_WINDOW) say(`${part}: further warnings go to ${logPath} only`);
  }

  return (chunk) => {
    const lines = (unfinished + chunk.toString("utf8")).split("\n");
    unfinished = lines.pop() ?? "";
    for (const line of lines) notice(line);
  };
}

function describeProblem(line: string): string | undefined {
  if (!line.startsWith("{")) return undefined;
  let entry: { level?: unknown; msg?: unknown; err?: { message?: unknown } };
  try {
    entry = JSON.parse(line);
  } catch {
    return undefined; // not a log entry after all
  }
  const isError = ERROR_LEVELS.has(entry.level);
  if (!isError && !WARNING_LEVELS.has(entry.level)) return undefined;
  const text = [entry.msg, entry.err?.message].filter((part) => typeof part === "string" && part !== "");
  return `${isError ? "error" : "warning"}: ${[...new Set(text)].join(": ")}`;
}
