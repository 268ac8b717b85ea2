// Sessions in containers, which another kernel than this machine's runs: gVisor's, unless somebody says otherwise.
import { rm } from "node:fs/promises";
import type { ContainerEngine } from "./containers/container-engine.ts";
import { ContainerSessions } from "./containers/container-sessions.ts";
import { makeDriverFolder } from "./driver-folder.ts";
import type { SandboxLimits } from "./driver.ts";
import { SandboxCrashed, SandboxUnavailable } from "./sandbox-error.ts";
import { findHoles } from "./self-test.ts";
import { SessionDriver } from "./session-driver.ts";
import type { Started } from "./session-driver.ts";
import type { SessionTableOptions } from "./session-table.ts";

export interface ContainerDriverOptions extends SessionTableOptions {
  /** Tried in this order, until one works. Each is given the driver's own folder. */
  engines: readonly ((folder: string) => Promise<ContainerEngine>)[];
  /** Folder in which every driver has one of its own. */
  folder: string;
  /** Containers that are kept ready. */
  warm: number;
  /** Of those. */
  limits: SandboxLimits;
}

export class ContainerDriver extends SessionDriver {
  constructor(options: ContainerDriverOptions) {
    super("container", () => startContained(options), options);
  }
}

/** With the first engine out of whose containers nothing gets. */
async function startContained({ engines, folder: parent, warm, limits }: ContainerDriverOptions): Promise<Started> {
  const missing: string[] = [];
  for (const open of engines) {
    const folder = await makeDriverFolder(parent);
    let sessions: ContainerSessions | undefined;
    let holds = false;
    try {
      const engine = await open(folder);
      sessions = new ContainerSessions({ engine, folder, warm, limits });
      await engine.removeAbandoned();
      const holes = await findHoles(sessions, limits);
      holds = holes.length === 0;
      if (holds) {
        sessions.warmUp();
        return { maker: sessions, isolation: sessions.kernel === "gvisor" ? "gvisor" : "container" };
      }
      missing.push(`code could get at what it should not: ${holes.join(", ")}`);
    } catch (error) {
      if (error instanceof SandboxCrashed) throw error;
      missing.push((error as Error).message);
    } finally {
      if (!holds) await (sessions?.stop() ?? rm(folder, { recursive: true, force: true }));
    }
  }
  throw new SandboxUnavailable(missing);
}
