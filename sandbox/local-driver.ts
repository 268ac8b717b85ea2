// Sessions on this machine: processes forked from a Python that has its libraries loaded, and locked in by the kernel. Where that
// cannot be done, no code is run.
import { MAX_SANDBOX_SESSIONS, SANDBOX_IDLE_MS } from "../contract/limits.ts";
import type { Isolation, Probe, SandboxDriver, SandboxSession, SessionSpec } from "./driver.ts";
import { RunnerSession } from "./runner-session.ts";
import { SandboxBusy, SandboxCrashed, SandboxUnavailable } from "./sandbox-error.ts";
import { findHoles } from "./self-test.ts";
import { startZygote } from "./zygote.ts";
import type { Zygote } from "./zygote.ts";

export interface LocalDriverOptions {
  /** Finds an interpreter. Throws `SandboxUnavailable`. */
  findPython: () => Promise<string>;
  /** For files of sessions where they have no file system of their own, and for what libraries keep. */
  folder: string;
  maxSessions: number;
  idleMs?: number;
  /** Tried in this order. */
  isolations?: readonly Isolation[];
}

interface Held {
  session: RunnerSession;
  slot: number;
  idle: NodeJS.Timeout;
}

interface Started {
  zygote: Zygote;
  isolation: Isolation;
}

const ISOLATIONS: readonly Isolation[] = ["namespaces", "landlock"];

export class LocalDriver implements SandboxDriver {
  readonly name = "local";
  readonly keepsProjectsApart = false;
  readonly #options: LocalDriverOptions;
  readonly #maxSessions: number;
  /** The one that was used least recently comes first. */
  readonly #held = new Map<string, Held>();
  readonly #freeSlots: number[];
  #started: Promise<Started> | undefined;

  constructor(options: LocalDriverOptions) {
    this.#options = options;
    this.#maxSessions = Math.min(options.maxSessions, MAX_SANDBOX_SESSIONS);
    this.#freeSlots = Array.from({ length: this.#maxSessions }, (_, slot) => slot);
  }

  async probe(): Promise<Probe> {
    try {
      const { isolation } = await this.#start();
      return { ok: true, isolation };
    } catch (error) {
      if (error instanceof SandboxUnavailable) return { ok: false, missing: [...error.missing] };
      throw error;
    }
  }

  async create({ sessionId, limits }: SessionSpec): Promise<SandboxSession> {
    if (this.find(sessionId) !== undefined) throw new Error(`There is a session ${sessionId}`);
    const { zygote } = await this.#start();
    const slot = this.#freeSlots.pop() ?? (await this.#freeOne());
    try {
      const process = await zygote.fork(slot, limits);
      const session = new RunnerSession(sessionId, limits, process, () => this.#noteUse(sessionId));
      const held: Held = { session, slot, idle: this.#endWhenIdle(session) };
      this.#held.set(sessionId, held);
      void process.ended.then(() => this.#letGo(sessionId, held));
      return session;
    } catch (error) {
      this.#freeSlots.push(slot);
      throw error;
    }
  }

  find(sessionId: string): SandboxSession | undefined {
    const session = this.#held.get(sessionId)?.session;
    return session?.loss === undefined ? session : undefined;
  }

  async reap(keep: ReadonlySet<string>): Promise<number> {
    const { zygote } = await this.#start();
    const unwanted = [...this.#held].filter(([id]) => !keep.has(id));
    await Promise.all(unwanted.map(([, { session }]) => session.destroy()));
    return unwanted.length + (await zygote.removeAbandoned());
  }

  async close(): Promise<void> {
    const started = await this.#started?.catch(() => undefined);
    this.#started = undefined;
    for (const { idle } of this.#held.values()) clearTimeout(idle);
    await started?.zygote.stop();
  }

  /** One start for everybody who asks meanwhile. After an end, the next one who asks begins anew. */
  #start(): Promise<Started> {
    this.#started ??= this.#startFirst().then(
      (started) => {
        void started.zygote.ended.then(() => (this.#started = undefined));
        return started;
      },
      (error: unknown) => {
        this.#started = undefined;
        throw error;
      },
    );
    return this.#started;
  }

  /** The first isolation out of which nothing gets. */
  async #startFirst(): Promise<Started> {
    const python = await this.#options.findPython();
    const missing: string[] = [];
    for (const isolation of this.#options.isolations ?? ISOLATIONS) {
      const { folder } = this.#options;
      let zygote: Zygote | undefined;
      let holds = false;
      try {
        zygote = await startZygote({ python, isolation, folder });
        const holes = await findHoles(zygote);
        holds = holes.length === 0;
        if (holds) return { zygote, isolation };
        missing.push(`${isolation}: code could get at what it should not: ${holes.join(", ")}`);
      } catch (error) {
        if (error instanceof SandboxCrashed) throw error;
        missing.push(`${isolation}: ${(error as Error).message}`);
      } finally {
        if (!holds) await zygote?.stop();
      }
    }
    throw new SandboxUnavailable(missing);
  }

  /** The slot of the session that was used least recently and is not at work. */
  async #freeOne(): Promise<number> {
    for (const [id, held] of this.#held) {
      if (held.session.isBusy) continue;
      await held.session.destroy();
      this.#letGo(id, held);
      const slot = this.#freeSlots.pop();
      if (slot !== undefined) return slot;
    }
    throw new SandboxBusy(`All ${this.#maxSessions} sessions are at work`);
  }

  #letGo(sessionId: string, held: Held): void {
    clearTimeout(held.idle);
    if (this.#held.get(sessionId) !== held) return;
    this.#held.delete(sessionId);
    this.#freeSlots.push(held.slot);
  }

  #noteUse(sessionId: string): void {
    const held = this.#held.get(sessionId);
    if (held === undefined) return;
    this.#held.delete(sessionId);
    this.#held.set(sessionId, held);
    held.idle.refresh();
  }

  #endWhenIdle(session: RunnerSession): NodeJS.Timeout {
    const idle = setTimeout(() => {
      if (session.isBusy) idle.refresh();
      else void session.destroy();
    }, this.#options.idleMs ?? SANDBOX_IDLE_MS);
    return idle.unref();
  }
}
