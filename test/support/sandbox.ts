// A sandbox for tests, inside an outer bound: should the jail have a hole, the code of a test must not get at the whole machine.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { DEFAULT_LIMITS } from "../../sandbox/default-limits.ts";
import { ContainerDriver } from "../../sandbox/container-driver.ts";
import { openRunsc } from "../../sandbox/containers/runsc-engine.ts";
import type { CellDone, LocalIsolation, SandboxLimits, SandboxSession } from "../../sandbox/driver.ts";
import { ENVIRONMENTS_FOLDER } from "../../sandbox/environments-folder.ts";
import { LocalDriver } from "../../sandbox/local-driver.ts";
import { makeEnvironment } from "../../sandbox/python-environment.ts";
import type { SessionDriver } from "../../sandbox/session-driver.ts";
import type { SessionTableOptions } from "../../sandbox/session-table.ts";
import { findRunsc } from "./runsc.ts";
import { waitUntil } from "./wait-until.ts";

const MIB = 2 ** 20;
const CELL_TIMEOUT_MS = 60_000;

/** Small enough to be reached soon. */
export const SMALL: SandboxLimits = {
  ...DEFAULT_LIMITS,
  memoryBytes: 512 * MIB,
  diskBytes: 32 * MIB,
  maxFiles: 300,
  threads: 40,
  cpuSeconds: 60,
  outputBytes: 100_000,
};

/** Those that tests can have: of containers the ones that need no container engine. */
export type TestIsolation = LocalIsolation | "gvisor";
export const ISOLATIONS: readonly TestIsolation[] = ["namespaces", "landlock", "gvisor"];

export interface TestSandbox {
  isolation: TestIsolation;
  driver: SessionDriver;
  /** Of all drivers. */
  folder: string;
  /** A session with these limits. */
  create(limits?: Partial<SandboxLimits>): Promise<SandboxSession>;
  close(): Promise<void>;
}

export interface TestSandboxOptions extends Partial<SessionTableOptions> {
  /** Containers that are kept ready. */
  warm?: number;
  /** What is loaded in containers before a session begins, if not the usual. */
  preload?: readonly string[] | undefined;
}

const MAX_SESSIONS = 12;
let lastSession = 0;

export async function openTestSandbox(
  isolation: TestIsolation,
  { warm = 0, preload, ...options }: TestSandboxOptions = {},
): Promise<TestSandbox> {
  const folder = await mkdtemp(join(tmpdir(), "sandbox-test-"));
  await chmod(folder, 0o711);
  const shared = { folder: join(folder, "sessions"), maxSessions: MAX_SESSIONS, ...options };
  const driver =
    isolation === "gvisor"
      ? await gvisorDriver({ ...shared, warm }, preload)
      : await localDriver(isolation, shared, folder);
  return {
    isolation,
    driver,
    folder: shared.folder,
    create: (limits = {}) => driver.create({ sessionId: `s${++lastSession}`, limits: { ...SMALL, ...limits } }),
    async close() {
      await driver.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface DriverOptions extends SessionTableOptions {
  folder: string;
}

async function localDriver(isolation: LocalIsolation, options: DriverOptions, folder: string): Promise<LocalDriver> {
  const python = await boundedPython(folder);
  return new LocalDriver({ findPython: async () => python, isolations: [isolation], ...options });
}

/** With cgroups where they can be had. */
async function gvisorDriver(
  options: DriverOptions & { warm: number },
  preload: readonly string[] | undefined,
): Promise<ContainerDriver> {
  const found = await findRunsc();
  const { runsc } = "runsc" in found ? found : { runsc: "runsc" };
  const python = await testPython();
  const engines = [true, false].map(
    (cgroups) => (folder: string) => openRunsc({ runsc, python, folder, cgroups, preload }),
  );
  return new ContainerDriver({ engines, limits: SMALL, ...options });
}

/** An environment with all libraries. */
export function testPython(): Promise<string> {
  environment ??= makeEnvironment({ folder: ENVIRONMENTS_FOLDER, say: () => {} });
  return environment;
}

/** What a kernel or a container says that lacks one of the walls. */
const LACKING = /Operation not permitted|Function not implemented|No space left|no Landlock|no list of system calls/i;

/** Why there can be no such sandbox on this machine; undefined when there can. Throws when it is not the machine's fault. */
export async function whyNot(isolation: TestIsolation): Promise<string | undefined> {
  if (process.platform !== "linux") return "Linux only";
  const runsc = isolation === "gvisor" ? await findRunsc() : undefined;
  if (runsc !== undefined && "missing" in runsc) return runsc.missing;
  const sandbox = await openTestSandbox(isolation);
  const probe = await sandbox.driver.probe();
  await sandbox.close();
  if (probe.ok) return undefined;
  const missing = probe.missing.join("; ");
  assert.match(missing, LACKING);
  return missing;
}

export interface Ran {
  stdout: string;
  stderr: string;
  images: Uint8Array[];
  done: CellDone;
}

export async function run(session: SandboxSession, code: string, timeoutMs = CELL_TIMEOUT_MS): Promise<Ran> {
  const ran: Partial<Ran> & Omit<Ran, "done"> = { stdout: "", stderr: "", images: [] };
  for await (const event of session.exec(code, { timeoutMs })) {
    if (event.type === "logs") ran[event.stream] += event.text;
    else if (event.type === "image") ran.images.push(event.data);
    else ran.done = event;
  }
  assert.ok(ran.done, "the cell has no end");
  return { ...ran, done: ran.done };
}

/** What a cell prints that must succeed. */
export async function output(session: SandboxSession, code: string): Promise<string> {
  const { stdout, stderr, done } = await run(session, code);
  assert.equal(done.status, "ok", `${done.traceback ?? done.loss} ${stderr}`);
  return stdout;
}

const ATTEMPTS = `
import ctypes, errno, fcntl, json, mmap, os, resource, signal, socket, subprocess, sys
_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
def _check(result):
    if result < 0: raise OSError(ctypes.get_errno(), "")
    return result
def call(name, *arguments): return _check(getattr(_libc, name)(*arguments))
def sys_call(*arguments): return _check(_libc.syscall(*[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]))
def _attempt(work):
    try: result = work()
    except OSError as error: return errno.errorcode.get(error.errno, str(error))
    except BaseException as error: return type(error).__name__
    return "did it" if result is None else f"did it: {result!r:.200}"
`;

/** What each expression comes to: "did it", the name of the kernel's error, or that of an exception. */
export async function attempt<Name extends string>(
  session: SandboxSession,
  expressions: Record<Name, string>,
): Promise<Record<Name, string>> {
  const table = Object.entries<string>(expressions)
    .map(([name, expression]) => `${JSON.stringify(name)}: lambda: ${expression}`)
    .join(",\n");
  const code = `${ATTEMPTS}\nprint(json.dumps({name: _attempt(work) for name, work in {${table}}.items()}))`;
  return JSON.parse(await output(session, code)) as Record<Name, string>;
}

/** Ids of the processes of the driver of this folder: those that work in it, and all that descend from one that does. */
export async function processesOf(folder: string): Promise<number[]> {
  const found = new Set<number>();
  for (const { pid, parent, state } of await allProcesses()) {
    if (state === "Z") continue;
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
    if (cwd.startsWith(folder) || found.has(parent)) found.add(pid);
  }
  return [...found];
}

/** Processes that this one has started, directly or not, and that compute just now. */
export async function computingUnder(ancestor: number): Promise<number[]> {
  const family = new Set([ancestor]);
  const computing: number[] = [];
  for (const { pid, parent, state } of await allProcesses()) {
    if (!family.has(parent)) continue;
    family.add(pid);
    if (state === "R") computing.push(pid);
  }
  return computing;
}

/** Parents come before their children. */
async function allProcesses(): Promise<{ pid: number; parent: number; state: string }[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid=,stat=", "--sort=start_time"]);
  return stdout
    .trim()
    .split("\n")
    .map((line) => {
      const [pid, parent, state = ""] = line.trim().split(/\s+/);
      return { pid: Number(pid), parent: Number(parent), state: state.slice(0, 1) };
    });
}

/** Processes of a driver that there are as many of as there are sessions, and one or none besides. */
export async function sessionProcessesOf({ folder, isolation }: TestSandbox): Promise<number[]> {
  const pids = await processesOf(folder);
  if (isolation !== "gvisor") return pids;
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  return pids.filter((_, index) => commands[index]?.startsWith("runsc-sandbox\0") === true);
}

/** The same letter as `stateOf`. In gVisor the process inside is meant, which its own kernel stops, and not what is outside. */
export async function stateOfSession({ isolation }: TestSandbox, pid: number): Promise<string> {
  if (isolation !== "gvisor") return stateOf(pid);
  const command = (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0");
  const state = command.find((each) => each.startsWith("--root="))?.slice("--root=".length) ?? "";
  const found = await findRunsc();
  assert.ok("runsc" in found);
  const id = command.filter((each) => each !== "").at(-1) ?? "";
  // Process 1 is what starts the session, 2 is the session.
  const look = "print(open('/proc/2/stat').read().rpartition(') ')[2][0])";
  const { stdout } = await promisify(execFile)(found.runsc, [
    "--root",
    state,
    "exec",
    id,
    await testPython(),
    "-c",
    look,
  ]);
  return stdout.trim();
}

/** A letter, as `ps` has it: R, S, T …; nothing when the process is gone. */
export async function stateOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return /\) (\S)/.exec(stat)?.[1] ?? "";
}

export async function untilGone(pids: readonly number[]): Promise<void> {
  await waitUntil("all processes are gone", async () => {
    const states = await Promise.all(pids.map(stateOf));
    return states.every((state) => state === "" || state === "Z" || state === "X");
  });
}

let environment: Promise<string> | undefined;

/** Starts Python with bounds that hold for it and all its children, whatever the runner does. */
async function boundedPython(folder: string): Promise<string> {
  const script = join(folder, "python");
  const lines = [
    "#!/bin/sh",
    "ulimit -v 8000000; ulimit -f 4000000; ulimit -n 4096",
    // Only root may, and only where the folders of cgroups are there.
    "{ for kind in pids memory; do group=/sys/fs/cgroup/$kind/sandbox-tests; mkdir -p $group && echo $$ > $group/cgroup.procs; done",
    "echo 1500 > /sys/fs/cgroup/pids/sandbox-tests/pids.max; echo 6G > /sys/fs/cgroup/memory/sandbox-tests/memory.limit_in_bytes; } 2>/dev/null",
    `exec ${await testPython()} "$@"`,
  ];
  await writeFile(script, `${lines.join("\n")}\n`, { mode: 0o755 });
  return script;
}
