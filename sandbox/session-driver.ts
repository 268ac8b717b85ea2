// What all drivers have in common that run code: walls that are tried out before the first session, and a table of sessions.
import type { Isolation, Probe, SandboxDriver, SandboxSession, SessionSpec } from "./driver.ts";
import { SandboxUnavailable } from "./sandbox-error.ts";
import type { SessionMaker } from "./session-maker.ts";
import { SessionTable } from "./session-table.ts";
import type { SessionTableOptions } from "./session-table.ts";

export interface Started {
  maker: SessionMaker;
  isolation: Isolation;
}

export class SessionDriver implements SandboxDriver {
  readonly name: "local" | "container";
  readonly #startFirst: () => Promise<Started>;
  readonly #table: SessionTable;
  #started: Promise<Started> | undefined;

  /** `start` makes sessions possible, out of which nothing gets. It throws `SandboxUnavailable`. */
  constructor(name: "local" | "container", start: () => Promise<Started>, options: SessionTableOptions) {
    this.name = name;
    this.#startFirst = start;
    this.#table = new SessionTable(options);
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
    const { maker } = await this.#start();
    return this.#table.add(sessionId, limits, (slot) => maker.make(slot, limits));
  }

  find(sessionId: string): SandboxSession | undefined {
    return this.#table.find(sessionId);
  }

  async reap(keep: ReadonlySet<string>): Promise<number> {
    const { maker } = await this.#start();
    return (await this.#table.endAllBut(keep)) + (await maker.removeAbandoned());
  }

  async close(): Promise<void> {
    const started = await this.#started?.catch(() => undefined);
    this.#started = undefined;
    this.#table.stopWatching();
    await started?.maker.stop();
  }

  /** One start for everybody who asks meanwhile. After an end, the next one who asks begins anew. */
  #start(): Promise<Started> {
    this.#started ??= this.#startFirst().then(
      (started) => {
        void started.maker.ended.then(() => (this.#started = undefined));
        return started;
      },
      (error: unknown) => {
        this.#started = undefined;
        throw error;
      },
    );
    return this.#started;
  }
}
