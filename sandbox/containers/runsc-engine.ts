// Containers of gVisor without a container engine: `runsc run` for each, which lives as long as its container and cleans up after it.
import { execFile, spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { promisify } from "node:util";
import { SANDBOX_STOP_MS } from "../../contract/limits.ts";
import type { SandboxLimits } from "../driver.ts";
import { describeBundle } from "./bundle.ts";
import type { Container, ContainerEnd, ContainerEngine } from "./container-engine.ts";
import { findAbandoned } from "../driver-folder.ts";
import { makeFileTree } from "./file-tree.ts";
import type { Shown } from "./file-tree.ts";

export interface RunscOptions {
  /** Path of the program. */
  runsc: string;
  python: string;
  /** That of the driver, beside those of others. */
  folder: string;
  /** Whether containers get a cgroup, which only root may make and not everywhere. */
  cgroups: boolean;
  /** Other libraries to load before a session begins. */
  preload?: readonly string[] | undefined;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const KILLED_EXIT_CODE = 128 + 9;
const run = promisify(execFile);

export async function openRunsc(options: RunscOptions): Promise<RunscEngine> {
  await run(options.runsc, ["--version"]).catch((cause: Error) => {
    throw new Error(`gVisor's runsc cannot be started: ${cause.message}`, { cause });
  });
  const root = join(options.folder, "root");
  await mkdir(root, { mode: 0o755 });
  for (const name of ["state", "bundles"]) await mkdir(join(options.folder, name), { mode: 0o700 });
  return new RunscEngine(options, root, await makeFileTree(root, options.python));
}

export class RunscEngine implements ContainerEngine {
  readonly kernel = "gvisor";
  readonly #options: RunscOptions;
  readonly #root: string;
  readonly #shown: readonly Shown[];
  readonly #running = new Set<Promise<unknown>>();
  #last = 0;

  constructor(options: RunscOptions, root: string, shown: readonly Shown[]) {
    this.#options = options;
    this.#root = root;
    this.#shown = shown;
  }

  async start(limits: SandboxLimits): Promise<Container> {
    const { folder, python, runsc, cgroups, preload } = this.#options;
    const id = `durable-assistants-${process.pid}-${(this.#last += 1)}`;
    const bundle = join(folder, "bundles", id);
    await mkdir(bundle, { mode: 0o700 });
    const cgroup = cgroups ? `/${id}` : undefined;
    const config = describeBundle({ root: this.#root, python, shown: this.#shown, limits, preload, cgroup });
    await writeFile(join(bundle, "config.json"), JSON.stringify(config));
    const pidFile = join(bundle, "pid");
    const child = spawn(runsc, [...this.#flags(folder), "run", "--bundle", bundle, "--pid-file", pidFile, id], {
      cwd: bundle,
      stdio: ["pipe", "pipe", "pipe"],
      env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
      detached: true, // a Ctrl+C is for us alone
    });
    const ended = this.#watch(child, folder, id, bundle);
    this.#running.add(ended);
    void ended.then(() => this.#running.delete(ended));
    const { stdin: input, stdout: output, stderr: reports } = child;
    return { input, output, reports, ended, kill: () => void kill(child, pidFile) };
  }

  /** Their containers end with them, unless what watches over them was killed, too. */
  async removeAbandoned(): Promise<number> {
    const abandoned = await findAbandoned(join(this.#options.folder, ".."));
    for (const folder of abandoned) {
      for (const id of await this.#list(folder)) await this.#delete(folder, id);
      await rm(folder, { recursive: true, force: true });
    }
    return abandoned.length;
  }

  async close(): Promise<void> {
    await Promise.all(this.#running);
  }

  #flags(folder: string): string[] {
    return [
      "--root",
      join(folder, "state"),
      "--platform=systrap",
      "--network=none",
      "--gofer-network-namespace=new",
      "--host-uds=none",
      "--host-fifo=none",
      // Nobody else changes what is mounted: nothing has to be asked twice. And nothing may be written over it.
      "--file-access-mounts=exclusive",
      "--overlay2=none",
      ...(this.#options.cgroups ? [] : ["--ignore-cgroups"]),
      ...(process.getuid?.() === 0 ? [] : ["--rootless"]),
    ];
  }

  async #watch(child: Child, folder: string, id: string, bundle: string): Promise<ContainerEnd> {
    const code = await new Promise<number | null>((resolve) => {
      child.once("error", () => resolve(null));
      child.once("exit", resolve); // what it has said may never be read
    });
    // Whoever kills `runsc run` keeps it from cleaning up.
    if (code === null) await this.#delete(folder, id);
    await rm(bundle, { recursive: true, force: true }).catch(() => {}); // goes with the folder of the driver
    return { wasKilled: code === KILLED_EXIT_CODE };
  }

  async #list(folder: string): Promise<string[]> {
    const { stdout } = await run(this.#options.runsc, [...this.#flags(folder), "list", "--quiet"]).catch(() => ({
      stdout: "",
    }));
    return stdout.split("\n").filter((id) => id !== "");
  }

  async #delete(folder: string, id: string): Promise<void> {
    await run(this.#options.runsc, [...this.#flags(folder), "delete", "--force", id]).catch(() => {}); // it is gone already
  }
}

/** Kills gVisor's kernel, with everything in it. Then `runsc run` cleans up and ends. */
async function kill(child: Child, pidFile: string): Promise<void> {
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const pid = Number(await readFile(pidFile, "utf8").catch(() => "0"));
  if (hasEnded()) return;
  if (pid > 0) signal(pid);
  else child.kill("SIGKILL"); // it has not come so far
  const timer = setTimeout(() => child.kill("SIGKILL"), SANDBOX_STOP_MS);
  await once(child, "exit");
  clearTimeout(timer);
}

function signal(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it has just ended
  }
}
