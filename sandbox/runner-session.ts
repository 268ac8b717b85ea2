// A session whose code is run by runner/session.py, over whichever line that is reached. The process at the other end may be in
// the hands of its code: it can only ever harm what it says about itself.
import type { Writable } from "node:stream";
import { SANDBOX_CELL_TIMEOUT_MS, SANDBOX_STOP_MS, SANDBOX_TRANSFER_MS } from "../contract/limits.ts";
import type { CellDone, CellEvent, ExecOptions, FileStat, Loss, SandboxLimits, SandboxSession } from "./driver.ts";
import { checkFilePath } from "./file-path.ts";
import { Frame } from "./frames.ts";
import { createPictures } from "./pictures.ts";
import { createPrintedText } from "./printed-text.ts";
import { FileRefused, SessionLost } from "./sandbox-error.ts";
import { createTurns } from "./turns.ts";

/** The process of a session. */
export interface RunnerProcess {
  /** Lines that it says. Reading them may fail. */
  lines: AsyncGenerator<string, undefined>;
  input: Writable;
  /** Lets it compute, until `rest`. */
  go(): void;
  rest(): void;
  interrupt(): void;
  kill(): void;
  /** Why it has ended. Never fails. */
  ended: Promise<Loss>;
}

/** Bytes in one line to the session. */
const PIECE_BYTES = 192 * 1024;
/** What a byte takes in a frame at the most, as text and as base64. */
const ESCAPED = 6;
const BASE64 = 1.5;
/** Frames that are dropped may be said, but not without end. */
const SLACK_BYTES = 1024 * 1024;

interface Request {
  id: number;
  /** Bytes that may still be said meanwhile. */
  left: number;
}

export class RunnerSession implements SandboxSession {
  readonly id: string;
  readonly limits: SandboxLimits;
  readonly #process: RunnerProcess;
  readonly #noteUse: () => void;
  readonly #turns = createTurns();
  #lastRequest = 0;
  #loss: Loss | undefined;

  /** `noteUse` is called whenever something has been asked of it. */
  constructor(id: string, limits: SandboxLimits, process: RunnerProcess, noteUse: () => void = () => {}) {
    this.id = id;
    this.#noteUse = noteUse;
    this.limits = limits;
    this.#process = process;
    process.input.on("error", () => {}); // that the process is gone is noticed where its lines are read
    void process.ended.then((loss) => (this.#loss ??= loss));
    process.rest();
  }

  get loss(): Loss | undefined {
    return this.#loss;
  }

  get isBusy(): boolean {
    return this.#turns.isTaken();
  }

  exec(code: string, options: ExecOptions = {}): AsyncGenerator<CellEvent, void> {
    return this.#inTurn(() => this.#runCell(code, options));
  }

  async putFile(name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    checkFilePath(name);
    const end = await this.#turns.take();
    await this.#send(name, content).finally(end);
  }

  async linkFile(name: string, alias: string): Promise<void> {
    for (const each of [name, alias]) checkFilePath(each);
    const end = await this.#turns.take();
    await this.#link(name, alias).finally(end);
  }

  getFile(name: string, maxBytes: number): AsyncGenerator<Uint8Array, void> {
    checkFilePath(name);
    return this.#inTurn(() => this.#fetch(name, maxBytes));
  }

  async listFiles(): Promise<FileStat[]> {
    const files: FileStat[] = [];
    for await (const each of this.#inTurn(() => this.#list())) files.push(each);
    return files;
  }

  async destroy(): Promise<void> {
    this.#process.kill();
    this.#loss ??= "killed";
    await this.#process.ended;
  }

  async *#inTurn<T>(work: () => AsyncGenerator<T, void>): AsyncGenerator<T, void> {
    const end = await this.#turns.take();
    try {
      yield* work();
    } finally {
      end();
    }
  }

  async *#runCell(code: string, options: ExecOptions): AsyncGenerator<CellEvent, void> {
    const { timeoutMs = SANDBOX_CELL_TIMEOUT_MS, signal } = options;
    signal?.throwIfAborted();
    const { outputBytes, imageBytes } = this.limits;
    const request = this.#begin(ESCAPED * outputBytes + BASE64 * imageBytes + SLACK_BYTES);
    const stop = this.#createStop();
    const timer = setTimeout(stop.because, timeoutMs, "timeout");
    const onAbort = () => stop.because("abort");
    signal?.addEventListener("abort", onAbort, { once: true });
    let done: CellDone | undefined;
    try {
      this.#say({ id: request.id, op: "exec", code });
      for await (const event of this.#readCell(request)) {
        if (event.type === "done") done = event;
        else yield event;
      }
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      if (done === undefined) {
        // Nobody wants to know the rest.
        stop.because("abort");
        await drain(this.#readCell(request));
      }
      stop.clear();
      this.#rest();
    }
    if (done === undefined) return;
    if (stop.reason() === "abort") signal?.throwIfAborted();
    yield stop.reason() === "timeout" ? { ...done, status: "timeout" } : done;
  }

  /** Events of a cell, until it is done or its process has ended. */
  async *#readCell(request: Request): AsyncGenerator<CellEvent, void> {
    const printed = createPrintedText(this.limits.outputBytes);
    const pictures = createPictures(this.limits);
    for (;;) {
      const frame = await this.#next(request);
      if (frame === undefined) {
        const loss = await this.#whyItEnded();
        yield { type: "done", status: "lost", loss, droppedBytes: printed.droppedBytes };
        return;
      }
      if (frame.type === "logs") {
        const text = printed.add(frame.text);
        if (text !== "") yield { type: "logs", stream: frame.stream, text };
      } else if (frame.type === "image") {
        const data = pictures.add(frame.data, frame.last);
        if (data !== undefined) yield { type: "image", mime: "image/png", data };
      } else if (frame.type === "done") {
        const { traceback } = frame;
        const droppedBytes = printed.droppedBytes + frame.dropped;
        if (traceback === undefined) yield { type: "done", status: "ok", droppedBytes };
        else yield { type: "done", status: "error", traceback: traceback.toWellFormed(), droppedBytes };
        return;
      }
    }
  }

  /** Interrupts the cell, and kills it when that does not help. */
  #createStop() {
    let reason: "timeout" | "abort" | undefined;
    let timer: NodeJS.Timeout | undefined;
    return {
      because: (why: "timeout" | "abort") => {
        if (reason !== undefined) return;
        reason = why;
        const until = Date.now() + SANDBOX_STOP_MS;
        const press = () => (Date.now() < until ? this.#process.interrupt() : this.#process.kill());
        press();
        // Again, since it may not have begun when it was told the first time.
        timer = setInterval(press, SANDBOX_STOP_MS / 5);
      },
      reason: () => reason,
      clear: () => clearInterval(timer),
    };
  }

  async #link(name: string, alias: string): Promise<void> {
    const request = this.#begin(SLACK_BYTES);
    try {
      this.#say({ id: request.id, op: "link", name, alias });
      refuse(await this.#answer(request), alias);
    } finally {
      this.#rest();
    }
  }

  async #send(name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    const request = this.#begin(SLACK_BYTES);
    try {
      this.#say({ id: request.id, op: "put", name });
      const failure = await this.#sayContent(request, name, content).catch((error: unknown) => ({ error }));
      this.#say({ id: request.id, op: failure === undefined ? "finish" : "abandon" });
      const frame = await this.#answer(request);
      if (failure !== undefined) throw failure.error;
      refuse(frame, name);
    } finally {
      this.#rest();
    }
  }

  async #sayContent(request: Request, name: string, content: AsyncIterable<Uint8Array>): Promise<undefined> {
    let size = 0;
    for await (const chunk of content) {
      size += chunk.length;
      if (size > this.limits.diskBytes) throw new FileRefused("too_large", name);
      for (let start = 0; start < chunk.length; start += PIECE_BYTES) {
        await this.#sayPiece(request, chunk.subarray(start, start + PIECE_BYTES));
      }
    }
  }

  async *#fetch(name: string, maxBytes: number): AsyncGenerator<Uint8Array, void> {
    const request = this.#begin(BASE64 * maxBytes + SLACK_BYTES);
    let left = maxBytes;
    let isOpen = true;
    try {
      this.#say({ id: request.id, op: "get", name, maxBytes });
      for (;;) {
        const frame = await this.#answer(request);
        isOpen = frame.type === "data";
        refuse(frame, name);
        if (frame.type !== "data") return;
        const data = Buffer.from(frame.data, "base64");
        left -= data.length;
        if (left < 0) throw this.#violation();
        yield data;
      }
    } finally {
      while (isOpen && this.#loss === undefined) isOpen = (await this.#next(request))?.type === "data";
      this.#rest();
    }
  }

  async *#list(): AsyncGenerator<FileStat, void> {
    const request = this.#begin(SLACK_BYTES + this.limits.maxFiles * PER_FILE_BYTES);
    let left = this.limits.maxFiles;
    try {
      this.#say({ id: request.id, op: "list" });
      for (;;) {
        const frame = await this.#answer(request);
        if (frame.type !== "files") return;
        left -= frame.files.length;
        if (left < 0) throw this.#violation();
        yield* frame.files;
      }
    } finally {
      this.#rest();
    }
  }

  #begin(mostBytes: number): Request {
    if (this.#loss !== undefined) throw new SessionLost(this.#loss);
    this.#lastRequest += 1;
    this.#noteUse();
    this.#process.go();
    return { id: this.#lastRequest, left: mostBytes };
  }

  #rest(): void {
    this.#process.rest();
    this.#noteUse();
  }

  #say(message: object): boolean {
    return this.#process.input.write(`${JSON.stringify(message)}\n`);
  }

  async #sayPiece(request: Request, piece: Uint8Array): Promise<void> {
    const data = Buffer.from(piece).toString("base64");
    if (this.#loss !== undefined || this.#say({ id: request.id, op: "piece", data })) return;
    const { input } = this.#process;
    await this.#inTime(
      new Promise<void>((resolve) => {
        const go = () => {
          input.off("drain", go).off("close", go);
          resolve();
        };
        if (input.destroyed) resolve();
        else input.on("drain", go).on("close", go);
      }),
    );
  }

  /** The next frame about a file. Throws `SessionLost`. */
  async #answer(request: Request): Promise<Frame> {
    const frame = await this.#inTime(this.#next(request));
    if (frame === undefined) throw new SessionLost(await this.#whyItEnded());
    return frame;
  }

  /** Whoever does not move for long is killed. */
  async #inTime<T>(work: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.#process.kill(), SANDBOX_TRANSFER_MS);
    return work.finally(() => clearTimeout(timer));
  }

  /** The next frame about this request; others are dropped. Undefined when there are no more, or what comes makes no sense. */
  async #next(request: Request): Promise<Frame | undefined> {
    for (;;) {
      const line = await this.#process.lines.next().catch((error: unknown) => this.#giveUp(error));
      if (line?.value === undefined) return undefined;
      request.left -= Buffer.byteLength(line.value);
      const frame = request.left < 0 ? undefined : parseFrame(line.value);
      if (frame === undefined) {
        this.#violation();
        return undefined;
      }
      if (frame.id === request.id) return frame;
    }
  }

  /** What it says cannot be read any further. When it has been killed, this is no news. */
  #giveUp(error: unknown): undefined {
    if (error instanceof Error && "code" in error && error.code === "ECONNRESET") return undefined;
    this.#violation();
    return undefined;
  }

  #violation(): SessionLost {
    this.#loss ??= "protocol";
    this.#process.kill();
    return new SessionLost(this.#loss);
  }

  async #whyItEnded(): Promise<Loss> {
    // It may have closed its line only.
    const timer = setTimeout(() => this.#process.kill(), SANDBOX_STOP_MS / 4);
    const loss = await this.#process.ended;
    clearTimeout(timer);
    return this.#loss ?? loss;
  }
}

/** A path, its size and its stamp, with all that JSON adds. */
const PER_FILE_BYTES = 8192;

function parseFrame(line: string): Frame | undefined {
  try {
    return Frame.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function refuse(frame: Frame, name: string): void {
  if (frame.type === "refused") throw new FileRefused(frame.code, name);
}

async function drain(events: AsyncGenerator<unknown, void>): Promise<void> {
  for await (const _ of events);
}
