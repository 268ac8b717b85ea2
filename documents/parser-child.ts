// A process that parses, as its parent holds it: bounded, read line by line, and explained when it ends.
import { spawn } from "node:child_process";
import type { Socket } from "node:net";
import { join } from "node:path";
import { z } from "zod";
import { PARSER_CPU_SECONDS, PARSER_HEAP_MIB, PARSER_MEMORY_MIB, PARSER_WAIT_MS } from "../contract/limits.ts";
import { unreadable } from "./refusal.ts";

export interface ParserLimits {
  heapMiB: number;
  memoryMiB: number;
  cpuSeconds: number;
  waitMs: number;
}

export const PARSER_LIMITS: ParserLimits = {
  heapMiB: PARSER_HEAP_MIB,
  memoryMiB: PARSER_MEMORY_MIB,
  cpuSeconds: PARSER_CPU_SECONDS,
  waitMs: PARSER_WAIT_MS,
};

/** What the process says, one line of JSON each. A parser that was taken over by its document could say anything. */
export const Line = z.union([
  z.object({ index: z.int(), text: z.string(), tokens: z.int() }),
  z.object({ refused: z.object({ code: z.enum(["unsupported_file", "invalid_file"]), message: z.string() }) }),
  z.object({ chunks: z.int() }),
]);

const ROOT = join(import.meta.dirname, "..");
/** What the parser loads. The folders of data and settings beside them stay closed to it. */
const CODE = ["documents/*", "contract/*", "model/*", "node_modules/*", "package.json"];
/** The kernel asks first (SIGXCPU), so that the reason is known. */
const KILLED_AFTER_SECONDS = 5;
/** Of what the process says for the log. */
const MAX_STDERR_LENGTH = 4000;
/** Far above the longest chunk, however JSON writes it. */
const MAX_LINE_LENGTH = 1_000_000;
/** What V8 says and does when it has no more memory. A crash in native code counts as the same: a bound was hit. */
const OUT_OF_MEMORY = /out of memory|allocation failed|ERR_MEMORY_ALLOCATION_FAILED/i;
const CRASHES: ReadonlySet<NodeJS.Signals> = new Set(["SIGABRT", "SIGBUS", "SIGILL", "SIGSEGV", "SIGTRAP"]);

export interface Child {
  lines: AsyncGenerator<string>;
  /** Gives it a line to read, where it was started to read some. */
  tell: (line: string) => void;
  kill: () => void;
  /** Drops what was not read yet: a process only counts as ended when nothing of it is waiting to be read. */
  stopReading: () => void;
  /** Never fails. */
  ended: Promise<End>;
  /** Whether this process stays up for its sake. */
  hold: (isHeld: boolean) => void;
}

export interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
  error?: Error;
}

export interface Command {
  command: string;
  args: string[];
  cwd: string;
  env: Record<string, string>;
}

/** @param script inside parser/, with its arguments @param readable what it may read besides the code */
export function parserCommandFor(script: readonly string[], readable: string, limits: ParserLimits): Command {
  const [main = "", ...scriptArgs] = script;
  const node = [
    `--max-old-space-size=${limits.heapMiB}`,
    "--permission",
    ...[...CODE.map((name) => join(ROOT, name)), readable].map((each) => `--allow-fs-read=${each}`),
    "--disallow-code-generation-from-strings",
    "--disable-warning=SecurityWarning",
    join(import.meta.dirname, "parser", main),
    ...scriptArgs,
  ];
  const [command, args] = withLimits(process.execPath, node, limits);
  return { command, args, cwd: ROOT, env: {} };
}

export function startParser({ command, args, ...where }: Command, stdin: "ignore" | "pipe"): Child {
  const child = spawn(command, args, { ...where, stdio: [stdin, "pipe", "pipe"] });
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-MAX_STDERR_LENGTH);
  });
  // One that has ended reads nothing any more: what became of it is told by how it ended.
  child.stdin?.on("error", () => undefined);
  const ended = new Promise<End>((resolve) => {
    child.once("error", (error) => resolve({ code: null, signal: null, stderr, error }));
    child.once("close", (code, signal) => resolve({ code, signal, stderr }));
  });
  const pipes = [child.stdin, child.stdout, child.stderr] as (Socket | null)[];
  return {
    lines: splitLines(child.stdout?.setEncoding("utf8") as AsyncIterable<string>),
    tell: (line) => child.stdin?.write(`${line}\n`),
    kill: () => child.kill("SIGKILL"),
    stopReading: () => child.stdout?.destroy(),
    ended,
    hold(isHeld) {
      for (const each of [child, ...pipes])
        if (isHeld) each?.ref();
        else each?.unref();
    },
  };
}

/** The shell sets what Node cannot: bounds on CPU time and on all memory, and that the kernel, short of memory, takes this process first. */
function withLimits(command: string, args: string[], limits: ParserLimits): [command: string, args: string[]] {
  if (process.platform === "win32") return [command, args];
  const memory =
    process.platform === "linux" ? `ulimit -d ${limits.memoryMiB * 1024}; echo 1000 > /proc/self/oom_score_adj; ` : "";
  return [
    "/bin/sh",
    [
      "-c",
      `{ ulimit -c 0; ulimit -S -t ${limits.cpuSeconds}; ulimit -H -t ${limits.cpuSeconds + KILLED_AFTER_SECONDS}; ${memory}} 2>/dev/null; exec "$0" "$@"`,
      command,
      ...args,
    ],
  ];
}

async function* splitLines(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of texts) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > MAX_LINE_LENGTH) throw new Error("The parser of a document says something that is not a chunk");
    yield* lines;
  }
}

/** Gives up on a silent process: adds up the time for which items are waited, and not what is done with them. */
export function createPatience(ms: number, giveUp: () => void) {
  let left = ms;
  async function* wait<T>(items: AsyncGenerator<T>): AsyncGenerator<T> {
    for (;;) {
      const since = performance.now();
      const timer = setTimeout(giveUp, left);
      const { value, done } = await items.next().finally(() => clearTimeout(timer));
      left -= performance.now() - since;
      if (done) return;
      yield value;
    }
  }
  return { wait, isOver: () => left <= 0 };
}

/** The document is at fault when a bound of ours was reached; what else ended the process may not happen again. */
export function whyItEnded({ code, signal, stderr, error }: End, overdue: boolean, limits: ParserLimits): Error {
  if (error !== undefined) return new Error("The parser of a document cannot be started", { cause: error });
  if (overdue) return unreadable(`that takes too long: more than ${limits.waitMs / 1000} seconds`);
  if (signal === "SIGXCPU")
    return unreadable(`that takes too long: more than ${limits.cpuSeconds} seconds of computing`);
  if (OUT_OF_MEMORY.test(stderr) || (signal !== null && CRASHES.has(signal))) {
    return unreadable(`that takes too much memory: more than ${limits.heapMiB} MiB`);
  }
  return new Error(`The parser of a document ended (${signal ?? `exit code ${code}`}): ${stderr.trim()}`);
}
