// No sandbox: no code is run, and whoever asks learns why.
import type { Probe, SandboxDriver, SandboxSession } from "./driver.ts";
import { SandboxUnavailable } from "./sandbox-error.ts";

export class NoneDriver implements SandboxDriver {
  readonly name = "none";
  readonly #missing: string[];

  constructor(missing: readonly string[]) {
    this.#missing = [...missing];
  }

  async probe(): Promise<Probe> {
    return { ok: false, missing: this.#missing };
  }

  async create(): Promise<SandboxSession> {
    throw new SandboxUnavailable(this.#missing);
  }

  find(): undefined {
    return undefined;
  }

  async reap(): Promise<number> {
    return 0;
  }

  async close(): Promise<void> {}
}
