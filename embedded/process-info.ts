// Finds out whether a process id that was written down earlier still is the process that it was.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** True when process `pid` is running and its command line contains `text`. Process ids are reused, so the id alone proves nothing. */
export function isRunning(pid: number, text: string): boolean {
  return readCommandLine(pid).includes(text);
}

/** True when process `pid` has ended and its number is still taken, because its parent has not collected it. */
export function isDead(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false; // no such process, or one of somebody else's
  }
  return readCommandLine(pid) === "";
}

/** Empty for a process that has ended, also when nobody has collected it yet. */
function readCommandLine(pid: number): string {
  try {
    return process.platform === "linux"
      ? readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
      : execFileSync("ps", ["-ww", "-o", "args=", "-p", String(pid)], {
          encoding: "utf8",
          stdio: ["ignore", "pipe", "ignore"],
        });
  } catch {
    return ""; // no such process
  }
}
