// The sessions of a driver: how many there may be, which one has to end for another, and which have rested for too long.
import { MAX_SANDBOX_SESSIONS, SANDBOX_IDLE_MS } from "../contract/limits.ts";
import type { SandboxLimits } from "./driver.ts";
import { RunnerSession } from "./runner-session.ts";
import type { RunnerProcess } from "./runner-session.ts";
import { SandboxBusy } from "./sandbox-error.ts";

export interface SessionTableOptions {
  maxSessions: number;
  idleMs?: number | undefined;
}

interface Held {
  session: RunnerSession;
  slot: number;
  idle: NodeJS.Timeout;
}

export class SessionTable {
  readonly #maxSessions: number;
  readonly #idleMs: number;
  /** The one that was used least recently comes first. */
  readonly #held = new Map<string, Held>();
  readonly #freeSlots: number[];

  constructor({ maxSessions, idleMs = SANDBOX_IDLE_MS }: SessionTableOptions) {
    this.#maxSessions = Math.min(maxSessions, MAX_SANDBOX_SESSIONS);
    this.#idleMs = idleMs;
    this.#freeSlots = Array.from({ length: this.#maxSessions }, (_, slot) => slot);
  }

  /** A new session, for which another one may have to end. Throws `SandboxBusy` when all are at work. */
  async add(
    sessionId: string,
    limits: SandboxLimits,
    make: (slot: number) => Promise<RunnerProcess>,
  ): Promise<RunnerSession> {
    const slot = this.#freeSlots.pop() ?? (await this.#freeOne());
    try {
      const process = await make(slot);
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

  find(sessionId: string): RunnerSession | undefined {
    const session = this.#held.get(sessionId)?.session;
    return session?.loss === undefined ? session : undefined;
  }

  /** Returns how many have ended for it. */
  async endAllBut(keep: ReadonlySet<string>): Promise<number> {
    const unwanted = [...this.#held].filter(([id]) => !keep.has(id));
    await Promise.all(unwanted.map(([, { session }]) => session.destroy()));
    return unwanted.length;
  }

  /** Ends none any more. */
  stopWatching(): void {
    for (const { idle } of this.#held.values()) clearTimeout(idle);
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
    }, this.#idleMs);
    return idle.unref();
  }
}
