// The process that forks sessions (runner/main.py). Everything that it starts ends with it, and it ends with us.
import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { SANDBOX_SESSION_START_MS, SANDBOX_START_MS } from "../contract/limits.ts";
import { openArrivals } from "./arrivals.ts";
import type { Arrivals } from "./arrivals.ts";
import { makeDriverFolder } from "./driver-folder.ts";
import type { LocalIsolation, Loss, SandboxLimits } from "./driver.ts";
import { Beginning, ZygoteReport } from "./frames.ts";
import { environment, PRELOAD } from "./python-process.ts";
import type { RunnerProcess } from "./runner-session.ts";
import { SandboxCrashed, wasShot } from "./sandbox-error.ts";
import type { SessionMaker } from "./session-maker.ts";
import { within } from "./within.ts";

export interface ZygoteOptions {
  python: string;
  isolation: LocalIsolation;
  /** Folder in which every zygote has one of its own. It may hold the files of sessions. */
  folder: string;
}

const MAIN = join(import.meta.dirname, "runner/main.py");
/** Users that sessions run as when we are root: a hundred of them for each server. No account should have these numbers. */
const FIRST_USER = 50_000;
const USERS_PER_DRIVER = 100;
const USER_RANGES = 100;
const MAX_STDERR_LENGTH = 4000;
const STOP_MS = 2000;

/** Starts one, and waits until its libraries are loaded. */
export async function startZygote(options: ZygoteOptions): Promise<Zygote> {
  const folder = await makeDriverFolder(options.folder);
  const zygote = new Zygote(options, folder, await openArrivals(folder));
  await zygote.begin();
  return zygote;
}

export class Zygote implements SessionMaker {
  readonly folder: string;
  readonly ended: Promise<Error>;
  readonly #arrivals: Arrivals;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ready = Promise.withResolvers<void>();
  readonly #losses = new Map<number, (loss: Loss) => void>();
  readonly #removals: ((count: number) => void)[] = [];
  #lastId = 0;
  #failure: string | undefined;
  #isGone = false;
  #stderr = "";

  constructor({ python, isolation, folder: parent }: ZygoteOptions, folder: string, arrivals: Arrivals) {
    this.folder = folder;
    this.#arrivals = arrivals;
    this.#child = spawn(python, ["-I", "-B", "-X", "utf8", MAIN], {
      cwd: folder,
      env: environment(join(parent, "cache")),
      detached: true, // a Ctrl+C is for us alone
    });
    this.#child.stdin.on("error", () => {}); // seen as its end
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_STDERR_LENGTH);
    });
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#hear(line));
    this.ended = this.#watch();
    const uidBase = FIRST_USER + (process.pid % USER_RANGES) * USERS_PER_DRIVER;
    this.#order({ parent: process.pid, isolation, folder, socket: arrivals.path, uidBase, preload: PRELOAD });
  }

  async begin(): Promise<void> {
    try {
      const early = this.ended.then((error) => Promise.reject(error));
      await within(SANDBOX_START_MS, Promise.race([this.#ready.promise, early]));
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async make(slot: number, limits: SandboxLimits): Promise<RunnerProcess> {
    if (this.#isGone) throw await this.ended;
    const id = (this.#lastId += 1);
    const { token, arrival, forget } = this.#arrivals.expect();
    const ended = new Promise<Loss>((resolve) => this.#losses.set(id, resolve));
    const tell = (what: string) => () => void this.#order({ do: what, id });
    this.#order({ do: "create", id, token, slot, limits });
    try {
      const early = ended.then((loss) => Promise.reject(toStartError(loss)));
      const { socket, lines } = await within(SANDBOX_SESSION_START_MS, Promise.race([arrival, early]));
      void ended.then(() => socket.destroy());
      const { value } = await within(SANDBOX_SESSION_START_MS, lines.next());
      if (value === undefined) throw toStartError(await ended);
      const beginning = Beginning.parse(JSON.parse(value));
      if (beginning.type === "broken") throw new Error(`A session cannot be locked in: ${beginning.message}`);
      const orders = { go: tell("go"), rest: tell("rest"), interrupt: tell("interrupt"), kill: tell("kill") };
      return { lines, input: socket, ...orders, ended };
    } catch (error) {
      this.#order({ do: "kill", id });
      throw error;
    } finally {
      forget();
    }
  }

  removeAbandoned(): Promise<number> {
    if (this.#isGone) return Promise.resolve(0);
    const removed = new Promise<number>((resolve) => this.#removals.push(resolve));
    this.#order({ do: "tidy" });
    return removed;
  }

  async stop(): Promise<void> {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS);
    await this.ended;
    clearTimeout(timer);
  }

  #order(message: object): void {
    this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  #hear(line: string): void {
    const report = parseReport(line);
    if (report === undefined) this.#child.kill("SIGKILL");
    else if ("ready" in report) this.#ready.resolve();
    else if ("failed" in report) this.#failure = report.failed;
    else if ("removed" in report) this.#removals.shift()?.(report.removed);
    else {
      this.#losses.get(report.ended.id)?.(report.ended.reason);
      this.#losses.delete(report.ended.id);
    }
  }

  /** Never fails. */
  async #watch(): Promise<Error> {
    const reason = await new Promise<Error>((resolve) => {
      this.#child.once("error", (cause) => resolve(new Error(`Python cannot be started: ${cause.message}`, { cause })));
      this.#child.once("close", (code, signal) => {
        const how = `The process that forks sessions has ended (${signal ?? `exit code ${code}`})`;
        if (this.#failure === undefined && signal !== null) resolve(new SandboxCrashed(how));
        else resolve(new Error(this.#failure ?? `${how}: ${this.#stderr.trim()}`));
      });
    });
    this.#isGone = true;
    for (const lose of this.#losses.values()) lose("exited");
    for (const answer of this.#removals) answer(0);
    await this.#arrivals.close();
    await rm(this.folder, { recursive: true, force: true }).catch(() => {}); // the next one removes it
    return reason;
  }
}

function toStartError(loss: Loss): Error {
  return wasShot(loss) ? new SandboxCrashed(STARTED) : new Error(`${STARTED} (${loss})`);
}
const STARTED = "A session ended before it could begin";

function parseReport(line: string): ZygoteReport | undefined {
  try {
    return ZygoteReport.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
