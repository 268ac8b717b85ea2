// What can be wrong with a sandbox, apart from the code in it.
import type { Loss } from "./driver.ts";

/** Code cannot be locked in here, so none is run. */
export class SandboxUnavailable extends Error {
  override name = "SandboxUnavailable";
  readonly missing: readonly string[];

  constructor(missing: readonly string[], options?: ErrorOptions) {
    super(`Code cannot be run here: ${missing.join("; ")}`, options);
    this.missing = missing;
  }
}

/** A process of the sandbox was killed or does not answer. That is not for good: the next one may. */
export class SandboxCrashed extends Error {
  override name = "SandboxCrashed";
}

/** Whether a session has ended by no fault of its own, as far as one can tell. */
export function wasShot(loss: Loss | undefined): boolean {
  return loss === "memory" || loss === "killed";
}

/** As many sessions as there may be are all at work. */
export class SandboxBusy extends Error {
  override name = "SandboxBusy";
}

/** The session has ended, with its variables and files. */
export class SessionLost extends Error {
  override name = "SessionLost";
  readonly loss: Loss;

  constructor(loss: Loss) {
    super(`The session has ended: ${loss}`);
    this.loss = loss;
  }
}

export type FileRefusal = "bad_name" | "not_found" | "not_a_file" | "too_large" | "no_space" | "failed";

/** A file could not be written or read. */
export class FileRefused extends Error {
  override name = "FileRefused";
  readonly code: FileRefusal;

  constructor(code: FileRefusal, name: string) {
    super(`The file ${JSON.stringify(name)} is refused: ${code}`);
    this.code = code;
  }
}
