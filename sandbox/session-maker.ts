// The port to whatever makes processes for sessions: a zygote, or containers.
import type { SandboxLimits } from "./driver.ts";
import type { RunnerProcess } from "./runner-session.ts";

export interface SessionMaker {
  /** A folder of ours that no session may see. */
  readonly folder: string;
  /** Resolves, when it is gone with all sessions, to the reason. */
  readonly ended: Promise<Error>;
  /** A new session, locked in. `slot` is a number that no other living session has. */
  make(slot: number, limits: SandboxLimits): Promise<RunnerProcess>;
  /** Removes what others have left that are gone. Returns how much. */
  removeAbandoned(): Promise<number>;
  /** Ends all. */
  stop(): Promise<void>;
}
