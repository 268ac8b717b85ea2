// What processes cost, from /proc: CPU time and memory. Linux only, like the published figures.
import { readFileSync } from "node:fs";

/** Ticks per second of the CPU times in /proc; 100 on every Linux that Node supports. */
const TICKS = 100;
const PAGE_BYTES = 4096;

/** Process ids by the name of the part that they are. */
export type Processes = Record<string, number>;

/** CPU milliseconds by part, and those of the whole machine, since it was started. */
export interface CpuTimes {
  parts: Record<string, number>;
  machine: number;
}

export function readCpuTimes(processes: Processes): CpuTimes {
  const parts = Object.fromEntries(Object.entries(processes).map(([part, pid]) => [part, cpuMs(pid)]));
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = readFileSync("/proc/stat", "utf8")
    .split("\n", 1)[0]!
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return { parts, machine: ((user + nice + system + irq + softirq) * 1000) / TICKS };
}

/** CPU milliseconds by part between two readings; `others` is what the rest of the machine used. */
export function cpuBetween(before: CpuTimes, after: CpuTimes): Record<string, number> {
  const parts = Object.entries(after.parts).map(([part, ms]) => [part, ms - (before.parts[part] ?? 0)] as const);
  const ours = parts.reduce((total, [, ms]) => total + ms, 0);
  return { ...Object.fromEntries(parts), others: Math.max(0, after.machine - before.machine - ours) };
}

/** Resident memory of one process, in MiB. */
export function rssMiB(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
  return (pages * PAGE_BYTES) / 2 ** 20;
}

/** Of the process, of its children, and of the children that have ended. Of this process, whose children are the parts, only its own. */
function cpuMs(pid: number): number {
  if (pid === process.pid) return (({ user, system }) => (user + system) / 1000)(process.cpuUsage());
  let ticks = 0;
  try {
    // The name, in parentheses, may hold anything; what follows are numbers.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ").map(Number);
    const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15);
    ticks = user + system + endedUser + endedSystem;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    for (const child of children === "" ? [] : children.split(" ")) ticks += (cpuMs(Number(child)) / 1000) * TICKS;
  } catch {
    // It has ended meanwhile; its parent has its time.
  }
  return (ticks * 1000) / TICKS;
}
