// Starts the process that parses one document, reads chunks from it, and ends it. It inherits no environment, may read
// the document and our code and nothing else, and the kernel and V8 bound its memory and CPU time.
import { spawn } from "node:child_process";
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { DocumentKind } from "../contract/document-types.ts";
import { PARSER_CPU_SECONDS, PARSER_HEAP_MIB, PARSER_MEMORY_MIB, PARSER_WAIT_MS } from "../contract/limits.ts";
import type { Chunk, Chunking } from "./chunks.ts";
import { DocumentRefused, unreadable } from "./refusal.ts";

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

export interface Parsing extends Chunking {
  path: string;
  kind: DocumentKind;
}

/** What the process says, one line of JSON each. A parser that was taken over by its document could say anything. */
const Line = z.union([
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

/** Chunks, until the process says that there are no more. Time counts while they are waited for. */
export async function* parseInProcess(
  parsing: Parsing,
  signal: AbortSignal,
  limits: ParserLimits,
): AsyncGenerator<Chunk> {
  const child = start({ ...parsing, path: await realpath(parsing.path) }, limits);
  const kill = () => child.kill("SIGKILL");
  const patience = createPatience(limits.waitMs, kill);
  signal.addEventListener("abort", kill, { once: true });
  try {
    signal.throwIfAborted();
    let finished = false;
    for await (const line of patience.wait(splitLines(child.stdout))) {
      const said = Line.parse(JSON.parse(line));
      if ("refused" in said) throw new DocumentRefused(said.refused.code, said.refused.message);
      if ("chunks" in said) finished = true;
      else yield said;
    }
    signal.throwIfAborted();
    if (!finished) throw whyItEnded(await child.ended, patience.isOver(), limits);
  } finally {
    signal.removeEventListener("abort", kill);
    kill();
    child.stopReading();
    await child.ended;
  }
}

interface Child {
  stdout: AsyncIterable<string>;
  kill: (signal: NodeJS.Signals) => void;
  /** Drops what was not read yet: a process only counts as ended when nothing of it is waiting to be read. */
  stopReading: () => void;
  /** Never fails. */
  ended: Promise<End>;
}

interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
  error?: Error;
}

interface Command {
  command: string;
  args: string[];
  cwd: string;
  env: Record<string, string>;
}

/** What is run for a document. */
export function parserCommand(parsing: Parsing, limits: ParserLimits): Command {
  const { path, kind, max_chunk_size_tokens, chunk_overlap_tokens } = parsing;
  const node = [
    `--max-old-space-size=${limits.heapMiB}`,
    "--permission",
    ...[...CODE.map((name) => join(ROOT, name)), path].map((each) => `--allow-fs-read=${each}`),
    "--disallow-code-generation-from-strings",
    "--disable-warning=SecurityWarning",
    join(import.meta.dirname, "parser/main.ts"),
    path,
    kind,
    `${max_chunk_size_tokens}`,
    `${chunk_overlap_tokens}`,
  ];
  const [command, args] = withLimits(process.execPath, node, limits);
  return { command, args, cwd: ROOT, env: {} };
}

function start(parsing: Parsing, limits: ParserLimits): Child {
  const { command, args, ...where } = parserCommand(parsing, limits);
  const child = spawn(command, args, { ...where, stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-MAX_STDERR_LENGTH);
  });
  const ended = new Promise<End>((resolve) => {
    child.once("error", (error) => resolve({ code: null, signal: null, stderr, error }));
    child.once("close", (code, signal) => resolve({ code, signal, stderr }));
  });
  return {
    stdout: child.stdout.setEncoding("utf8"),
    kill: (signal) => child.kill(signal),
    stopReading: () => child.stdout.destroy(),
    ended,
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
function createPatience(ms: number, giveUp: () => void) {
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
function whyItEnded({ code, signal, stderr, error }: End, overdue: boolean, limits: ParserLimits): Error {
  if (error !== undefined) return new Error("The parser of a document cannot be started", { cause: error });
  if (overdue) return unreadable(`that takes too long: more than ${limits.waitMs / 1000} seconds`);
  if (signal === "SIGXCPU")
    return unreadable(`that takes too long: more than ${limits.cpuSeconds} seconds of computing`);
  if (OUT_OF_MEMORY.test(stderr) || (signal !== null && CRASHES.has(signal))) {
    return unreadable(`that takes too much memory: more than ${limits.heapMiB} MiB`);
  }
  return new Error(`The parser of a document ended (${signal ?? `exit code ${code}`}): ${stderr.trim()}`);
}
