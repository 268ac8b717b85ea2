// What processes cost, from /proc: CPU time and memory. Linux only, like the published figures.
import { existsSync, readdirSync, readFileSync } from "node:fs";

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
  return { parts, machine: machineMs() };
}

/** CPU milliseconds by part between two readings; `others` is what the rest of the machine used. */
export function cpuBetween(before: CpuTimes, after: CpuTimes): Record<string, number> {
  const parts = Object.entries(after.parts).map(([part, ms]) => [part, ms - (before.parts[part] ?? 0)] as const);
  const ours = parts.reduce((total, [, ms]) => total + ms, 0);
  return { ...Object.fromEntries(parts), others: Math.max(0, after.machine - before.machine - ours) };
}

/** Resident memory of one process, in MiB. */
export function rssMiB(pid: number): number {
  const pages = Number(readText(`/proc/${pid}/statm`).split(" ")[1]);
  return (pages * PAGE_BYTES) / 2 ** 20;
}

/** Memory of a process and all below it, in MiB; each has its part of what they share. */
export function familyMiB(pid: number): number {
  const kib = Number(/^Pss: +(\d+) kB$/m.exec(readIfThere(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
  return childrenOf(pid).reduce((total, child) => total + familyMiB(child), kib / 1024);
}

/** Of all its threads: each may have some. */
function childrenOf(pid: number): number[] {
  const threads = existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`) : [];
  const texts = threads.map((thread) => readIfThere(`/proc/${pid}/task/${thread}/children`));
  return texts.flatMap((text) => text.split(" ").filter((child) => child !== "")).map(Number);
}

/** Processes and threads come and go. */
function readIfThere(file: string): string {
  try {
    return readText(file);
  } catch {
    return "";
  }
}

/** Of the process, of its children, and of those that have ended. Of this process only its own: its children are the parts. */
function cpuMs(pid: number): number {
  if (pid === process.pid) {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  }
  try {
    // The name, in parentheses, may hold anything; what follows are numbers.
    const fields = readText(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ").map(Number) ?? [];
    const ticks = fields.slice(11, 15).reduce((total, each) => total + each, 0);
    const children = readText(`/proc/${pid}/task/${pid}/children`)
      .split(" ")
      .filter((child) => child !== "");
    return (ticks * 1000) / TICKS + children.reduce((total, child) => total + cpuMs(Number(child)), 0);
  } catch {
    return 0; // it has ended meanwhile, and its parent has its time
  }
}

/** CPU milliseconds that the machine has worked. */
function machineMs(): number {
  const [line = ""] = readText("/proc/stat").split("\n", 1);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.split(/\s+/).slice(1).map(Number);
  return ((user + nice + system + irq + softirq) * 1000) / TICKS;
}

function readText(file: string): string {
  return readFileSync(file, "utf8");
}
