// Reads small files of plain text in processes that go on to the next one: to start a process takes longer than to read such
// a file. Only what no parser interprets is read so: a document that might take its process over always has one of its own.
import { copyFile, link, mkdtemp, realpath, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import {
  MAX_IDLE_TEXT_PARSERS,
  MAX_SHARED_TEXT_BYTES,
  TEXT_PARSER_FILES,
  TEXT_PARSER_IDLE_MS,
} from "../contract/limits.ts";
import type { Chunk } from "./chunks.ts";
import { createPatience, Line, parserCommandFor, PARSER_LIMITS, startParser, whyItEnded } from "./parser-child.ts";
import type { Child, ParserLimits } from "./parser-child.ts";
import type { Parsing } from "./parser-process.ts";
import { readStart } from "./parser/plain-text.ts";
import { findSignature } from "./parser/signatures.ts";
import { DocumentRefused } from "./refusal.ts";

const SIGNATURE_BYTES = 16;
const FOLDER_PREFIX = "durable-assistants-parser-";

/** Whether a document is small and text, by its name and by its first bytes. */
export async function isSmallText({ path, kind }: Parsing): Promise<boolean> {
  if (kind !== "text" || (await stat(path)).size > MAX_SHARED_TEXT_BYTES) return false;
  return findSignature(await readStart(path, SIGNATURE_BYTES)) === null;
}

interface TextParser {
  child: Child;
  /** The one folder that it may read: the file in hand is linked into it. */
  folder: string;
  files: number;
  hasEnded: boolean;
}

export interface TextParsersOptions {
  limits?: ParserLimits;
  /** Files that a process reads before it is replaced. */
  filesEach?: number;
}

/** Processes are started when they are needed. A few that have nothing to do are kept for a while. */
export class TextParsers {
  readonly #limits: ParserLimits;
  readonly #filesEach: number;
  readonly #idle: TextParser[] = [];
  /** Processes so far. */
  started = 0;

  constructor({ limits = PARSER_LIMITS, filesEach = TEXT_PARSER_FILES }: TextParsersOptions = {}) {
    this.#limits = limits;
    this.#filesEach = filesEach;
  }

  /** As `parseInProcess`. Whatever does not end well ends the process, too. */
  async *parse(
    { path, max_chunk_size_tokens, chunk_overlap_tokens }: Parsing,
    signal: AbortSignal,
  ): AsyncGenerator<Chunk> {
    const parser = await this.#take();
    const { child, folder } = parser;
    const own = join(folder, "content");
    const kill = () => child.kill();
    const patience = createPatience(this.#limits.waitMs, kill);
    signal.addEventListener("abort", kill, { once: true });
    let finished = false;
    try {
      signal.throwIfAborted();
      await link(path, own).catch(() => copyFile(path, own));
      child.tell(JSON.stringify({ path: own, max_chunk_size_tokens, chunk_overlap_tokens }));
      for await (const line of patience.wait(child.lines)) {
        const said = Line.parse(JSON.parse(line));
        if ("refused" in said) throw new DocumentRefused(said.refused.code, said.refused.message);
        if ("chunks" in said) finished = true;
        else yield said;
        if (finished) break;
      }
      signal.throwIfAborted();
      if (!finished) throw whyItEnded(await child.ended, patience.isOver(), this.#limits);
    } finally {
      signal.removeEventListener("abort", kill);
      parser.files += 1;
      await rm(own, { force: true });
      if (finished && !signal.aborted) await this.#giveBack(parser);
      else await end(parser);
    }
  }

  async #take(): Promise<TextParser> {
    for (let parser = this.#idle.pop(); parser !== undefined; parser = this.#idle.pop()) {
      if (parser.hasEnded) continue;
      parser.child.hold(true);
      return parser;
    }
    this.started += 1;
    const folder = await realpath(await mkdtemp(join(tmpdir(), FOLDER_PREFIX)));
    const child = startParser(parserCommandFor(["texts/main.ts"], join(folder, "*"), this.#limits), "pipe");
    const parser: TextParser = { child, folder, files: 0, hasEnded: false };
    void child.ended.then(() => {
      parser.hasEnded = true;
      return rm(folder, { recursive: true, force: true });
    });
    return parser;
  }

  async #giveBack(parser: TextParser): Promise<void> {
    if (parser.files >= this.#filesEach || this.#idle.length >= MAX_IDLE_TEXT_PARSERS) return end(parser);
    parser.child.hold(false);
    this.#idle.push(parser);
    const files = parser.files;
    void wait(TEXT_PARSER_IDLE_MS, undefined, { ref: false }).then(() => {
      const place = this.#idle.indexOf(parser);
      if (place === -1 || parser.files !== files) return undefined;
      this.#idle.splice(place, 1);
      return end(parser);
    });
  }
}

async function end({ child }: TextParser): Promise<void> {
  child.kill();
  child.stopReading();
  await child.ended;
}
