// The port to whatever runs containers. A container runs runner/contained.py with one session in it; nothing else is asked of it
// but that it keeps to its bounds, has no network, and can be ended.
import type { Readable, Writable } from "node:stream";
import type { SandboxLimits } from "../driver.ts";

export interface ContainerEngine {
  /** What the kernel inside must be. */
  readonly kernel: "gvisor" | "any";
  /** Starts one, without waiting until its session is ready. Throws when it cannot be started. */
  start(limits: SandboxLimits): Promise<Container>;
  /** Ends and removes containers of drivers that are gone. Returns how many. */
  removeAbandoned(): Promise<number>;
  /** When all containers have ended. */
  close(): Promise<void>;
}

export interface Container {
  input: Writable;
  output: Readable;
  /** What the first process reports, between whatever else is written there. */
  reports: Readable;
  /** May be called more than once. */
  kill(): void;
  /** Resolves, when nothing of it is left, to how it has ended. Never fails. */
  ended: Promise<ContainerEnd>;
}

export interface ContainerEnd {
  /** Whether somebody else than us has killed it: a kernel that is short of memory. */
  wasKilled: boolean;
}
