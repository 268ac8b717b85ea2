// Sessions on this machine: processes forked from a Python that has its libraries loaded, and locked in by the kernel. Where that
// cannot be done, no code is run.
import type { LocalIsolation } from "./driver.ts";
import { SandboxCrashed, SandboxUnavailable } from "./sandbox-error.ts";
import { findHoles } from "./self-test.ts";
import { SessionDriver } from "./session-driver.ts";
import type { Started } from "./session-driver.ts";
import type { SessionTableOptions } from "./session-table.ts";
import { startZygote } from "./zygote.ts";
import type { Zygote } from "./zygote.ts";

export interface LocalDriverOptions extends SessionTableOptions {
  /** Finds an interpreter. Throws `SandboxUnavailable`. */
  findPython: () => Promise<string>;
  /** For files of sessions where they have no file system of their own, and for what libraries keep. */
  folder: string;
  /** Tried in this order. */
  isolations?: readonly LocalIsolation[];
}

const ISOLATIONS: readonly LocalIsolation[] = ["namespaces", "landlock"];

export class LocalDriver extends SessionDriver {
  constructor(options: LocalDriverOptions) {
    super("local", () => startLocked(options), options);
  }
}

/** The first isolation out of which nothing gets. */
async function startLocked({ findPython, folder, isolations = ISOLATIONS }: LocalDriverOptions): Promise<Started> {
  const python = await findPython();
  const missing: string[] = [];
  for (const isolation of isolations) {
    let zygote: Zygote | undefined;
    let holds = false;
    try {
      zygote = await startZygote({ python, isolation, folder });
      const holes = await findHoles(zygote);
      holds = holes.length === 0;
      if (holds) return { maker: zygote, isolation };
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
