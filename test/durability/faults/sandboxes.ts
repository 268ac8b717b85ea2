// The sandboxes of a world's workers, as the machine sees them: who forks sessions, who is a session, and what is left of
// either on disk. A process is told by a setting that it was started with, whoever its parent is by now.
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { waitUntil } from "../../support/wait-until.ts";

/** In how many seconds the processes of a worker that has ended are gone. */
const GONE_MS = 10_000;

/** Of the files of sessions, and of the socket at which they call. */
const LEFT = /(^|\/)(driver|sandbox)-[^/]*$/;

export interface SandboxProcess {
  pid: number;
  /** A session, or a process that forks them. */
  kind: "session" | "zygote";
  /** As code may have named its own, up to 15 characters. */
  name: string;
  /** A session at rest is stopped. */
  isRunning: boolean;
}

export class Sandboxes {
  readonly #temporary: string;
  readonly #folder: string;

  /** @param temporary the folder for temporary files of the workers */
  constructor(temporary: string) {
    this.#temporary = temporary;
    this.#folder = join(temporary, `durable-assistants-sandbox-${process.getuid?.()}`);
  }

  /** All that are alive now. */
  list(): SandboxProcess[] {
    const mark = `MPLCONFIGDIR=${this.#folder}/`;
    return readdirSync("/proc").flatMap((name) => {
      if (!/^\d+$/.test(name)) return [];
      try {
        if (!readFileSync(`/proc/${name}/environ`, "latin1").includes(mark)) return [];
        return [describe(Number(name))];
      } catch {
        return []; // gone meanwhile, or not ours to look at
      }
    });
  }

  /** Sessions in which a cell runs, or a file is put or read; those that try the lock before there is any code included. */
  busySessions(): SandboxProcess[] {
    return this.list().filter(({ kind, isRunning }) => kind === "session" && isRunning);
  }

  /** Kills all of them at once with -9. */
  killAll(): void {
    for (const { pid } of this.list()) killNow(pid);
  }

  /** Complains of processes that are there although no worker is. */
  async outlived(): Promise<string[]> {
    await waitUntil("no sandbox is left", () => this.list().length === 0, GONE_MS).catch(() => undefined);
    return this.list().map(({ pid, kind, name }) => `the ${kind} ${pid} (${name}) has outlived its worker`);
  }

  /** Complains of folders that are there although a worker has run code since whoever had them was killed. */
  leftFolders(): string[] {
    const names = existsSync(this.#temporary) ? readdirSync(this.#temporary, { recursive: true }).map(String) : [];
    return names
      .filter((name) => LEFT.test(name))
      .map((name) => {
        const inside = readdirSync(join(this.#temporary, name)).join(", ");
        return `the folder ${name} of a sandbox is left, with ${inside === "" ? "nothing" : inside} in it`;
      });
  }
}

/** A process that is gone already is as good. */
export function killNow(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as { code?: string }).code !== "ESRCH") throw error;
  }
}

function describe(pid: number): SandboxProcess {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const end = stat.lastIndexOf(")");
  const isSession = readlinkSync(`/proc/${pid}/cwd`).endsWith("/data");
  return {
    pid,
    kind: isSession ? "session" : "zygote",
    name: stat.slice(stat.indexOf("(") + 1, end),
    isRunning: !"TtZX".includes(stat[end + 2] ?? "X"),
  };
}
