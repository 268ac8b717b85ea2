// The program of a container: Python with runner/contained.py, which is told its bounds.
import type { SandboxLimits } from "../driver.ts";
import { environment, PRELOAD } from "../python-process.ts";

/** Inside of a container. */
export const RUNNER = "/opt/runner";
export const DATA = "/mnt/data";
export const TEMPORARY = "/tmp";
/** A user that has nothing, by the number that images without a shell use for it. */
export const USER = 65_532;

export function contained(python: string, limits: SandboxLimits, preload = PRELOAD): { args: string[]; env: string[] } {
  const settings = JSON.stringify({ limits, preload });
  const env = Object.entries(environment(TEMPORARY)).map(([name, value]) => `${name}=${value}`);
  return { args: [python, "-I", "-B", "-X", "utf8", `${RUNNER}/contained.py`, settings], env };
}

/** Memory of a whole container, in bytes: what code may reserve, its files, and what Python and the container itself take. */
export function memoryOf(limits: SandboxLimits, overheadBytes: number): number {
  return limits.memoryBytes + limits.diskBytes + overheadBytes;
}
