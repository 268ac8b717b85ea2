// C1 and C2: Code Interpreter's sessions alone. How long one takes to begin, a cell to run, and what a resting one costs: in the
// jail of this machine, and in containers of gVisor.
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_LIMITS } from "../sandbox/default-limits.ts";
import { ContainerDriver } from "../sandbox/container-driver.ts";
import { openRunsc } from "../sandbox/containers/runsc-engine.ts";
import type { LocalIsolation, SandboxSession } from "../sandbox/driver.ts";
import { ENVIRONMENTS_FOLDER } from "../sandbox/environments-folder.ts";
import { LocalDriver } from "../sandbox/local-driver.ts";
import { makeEnvironment } from "../sandbox/python-environment.ts";
import type { SessionDriver } from "../sandbox/session-driver.ts";
import { findRunsc } from "../test/support/runsc.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import type { Report } from "./report.ts";
import { median, percentile, range } from "./stats.ts";

const ROUNDS = 3;
const SESSIONS = 20;
const CELLS = 20;
const FIRST_CELL = "import pandas as pd, matplotlib.pyplot as plt\npd.DataFrame({'a': [1, 2]}).plot();";
const MAX_SESSION_MS = 150;
const MAX_CELL_MS = 20;
const MAX_PRIVATE_MIB = 25;
const CONTAINER_SESSIONS = 5;
const READY_MS = 60_000;
const RESTED_LOOKS = 20;

interface Round {
  coldMs: number;
  sessionMs: number[];
  firstCellMs: number[];
  nextCellMs: number[];
  privateMiB: number[];
}

type Kind = LocalIsolation | "gvisor, cold" | "gvisor, warm";

export async function measureSandbox(): Promise<Report> {
  const python = await makeEnvironment({ folder: ENVIRONMENTS_FOLDER, say: console.error });
  const found: Record<Kind, Round[]> = { namespaces: [], landlock: [], "gvisor, cold": [], "gvisor, warm": [] };
  const gvisor = await findRunsc();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const isolation of ["namespaces", "landlock"] satisfies LocalIsolation[]) {
      found[isolation].push(await measureLocal(python, isolation));
    }
    if ("missing" in gvisor) continue;
    for (const warm of [false, true]) {
      found[warm ? "gvisor, warm" : "gvisor, cold"].push(await measureGvisor(python, gvisor.runsc, warm));
    }
  }
  return toReport(found, "missing" in gvisor ? gvisor.missing : undefined);
}

function measureLocal(python: string, isolation: LocalIsolation): Promise<Round> {
  return inFolder((folder) => {
    const options = { findPython: async () => python, folder, maxSessions: SESSIONS };
    return measure(new LocalDriver({ ...options, isolations: [isolation] }), SESSIONS);
  });
}

function measureGvisor(python: string, runsc: string, isWarm: boolean): Promise<Round> {
  return inFolder((parent) => {
    const engines = [true, false].map((cgroups) => (folder: string) => openRunsc({ runsc, python, folder, cgroups }));
    const warm = isWarm ? 1 : 0;
    const options = { engines, folder: parent, limits: DEFAULT_LIMITS, maxSessions: CONTAINER_SESSIONS };
    return measure(new ContainerDriver({ ...options, warm }), CONTAINER_SESSIONS, warm);
  });
}

async function inFolder(work: (folder: string) => Promise<Round>): Promise<Round> {
  const folder = await mkdtemp(join(tmpdir(), "bench-sandbox-"));
  try {
    return await work(join(folder, "sessions"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(driver: SessionDriver, sessions: number, warm = 0): Promise<Round> {
  const round: Round = { coldMs: 0, sessionMs: [], firstCellMs: [], nextCellMs: [], privateMiB: [] };
  try {
    round.coldMs = await timed(async () => {
      const probe = await driver.probe();
      if (!probe.ok) throw new Error(probe.missing.join("; "));
    });
    for (let n = 0; n < sessions; n += 1) {
      if (warm > 0) await untilOneIsReady(n + warm);
      await measureSession(driver, `${n}`, round, warm);
    }
    return round;
  } finally {
    await driver.close();
  }
}

/** When all processes of so many containers have rested for a while. */
async function untilOneIsReady(containers: number): Promise<void> {
  let last = 0;
  let rested = 0;
  await waitUntil(
    "a container is ready",
    () => {
      const pids = descendants();
      const used = pids.reduce((total, pid) => total + processorTicks(pid), 0);
      rested = used === last ? rested + 1 : 0;
      last = used;
      return rested >= RESTED_LOOKS && pids.filter(isGvisor).length === containers;
    },
    READY_MS,
  );
}

async function measureSession(driver: SessionDriver, sessionId: string, round: Round, warm: number): Promise<void> {
  const before = new Set(descendants());
  let session: SandboxSession | undefined;
  round.sessionMs.push(
    await timed(async () => {
      session = await driver.create({ sessionId, limits: DEFAULT_LIMITS });
    }),
  );
  if (session === undefined) return;
  const cell = (code: string) => timed(() => drain(session as SandboxSession, code));
  round.firstCellMs.push(await cell(FIRST_CELL));
  for (let n = 0; n < CELLS; n += 1) round.nextCellMs.push(await cell("1 + 1"));
  if (warm > 0) return; // which processes are its own cannot be seen from here
  const own = descendants().filter((each) => !before.has(each));
  if (own.length > 0) round.privateMiB.push(own.reduce((total, pid) => total + privateMiB(pid), 0));
}

async function drain(session: SandboxSession, code: string): Promise<void> {
  for await (const event of session.exec(code)) {
    if (event.type === "done" && event.status !== "ok") throw new Error(event.traceback ?? event.status);
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const since = performance.now();
  await work();
  return performance.now() - since;
}

/** Of this process: the only ones are the driver's. */
function descendants(pid = process.pid): number[] {
  try {
    // Each thread has children of its own.
    const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8")
        .split(" ")
        .filter((each) => each !== ""),
    );
    return children.flatMap((child) => [Number(child), ...descendants(Number(child))]);
  } catch {
    return []; // it has just ended
  }
}

/** Whether it is the kernel of a container. */
function isGvisor(pid: number): boolean {
  return fileOf(pid, "cmdline").startsWith("runsc-sandbox\0");
}

/** Of itself and what has ended under it, in hundredths of a second. */
function processorTicks(pid: number): number {
  const fields = fileOf(pid, "stat").split(") ").at(-1)?.split(" ").slice(11, 15) ?? [];
  return fields.reduce((total, each) => total + Number(each), 0);
}

function fileOf(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return ""; // it has just ended
  }
}

/** Memory that this process shares with nobody. */
function privateMiB(pid: number): number {
  const lines = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8").matchAll(/^Private_(?:Clean|Dirty): +(\d+) kB$/gm);
  return [...lines].reduce((total, [, kib]) => total + Number(kib) / 1024, 0);
}

function toReport(found: Record<Kind, Round[]>, noGvisor: string | undefined): Report {
  const p50 = (rounds: readonly Round[], of: (round: Round) => number[]) =>
    rounds.map((each) => percentile(of(each), 0.5));
  const goal = (
    what: string,
    unit: string,
    of: (round: Round) => number[],
    most: number,
    kind: Kind = "namespaces",
  ) => {
    const values = p50(found[kind], of);
    return { what, found: `${range(values)} ${unit}`, goal: `≤ ${most} ${unit}`, met: median(values) <= most };
  };
  const row = (kind: Kind) => {
    const rounds = found[kind];
    const memory = rounds.flatMap(({ privateMiB: each }) => (each.length > 0 ? [percentile(each, 0.5)] : []));
    return [
      kind,
      range(
        rounds.map(({ coldMs }) => coldMs),
        0,
      ),
      range(p50(rounds, ({ sessionMs }) => sessionMs)),
      range(rounds.map(({ sessionMs }) => percentile(sessionMs, 0.95))),
      range(p50(rounds, ({ firstCellMs }) => firstCellMs)),
      range(p50(rounds, ({ nextCellMs }) => nextCellMs)),
      memory.length > 0 ? range(memory) : "",
    ];
  };
  return {
    name: "c1",
    title: "Code Interpreter's sessions",
    method:
      `${ROUNDS} rounds with a new driver each: ${SESSIONS} sessions one after the other, none of which ends; each runs a ` +
      `cell that draws a data frame and ${CELLS} that add two numbers. Memory is what a session shares with nobody, after these. ` +
      (noGvisor === undefined
        ? `Of gVisor ${CONTAINER_SESSIONS} sessions, each in a container of its own: begun when it is asked for, or kept ready.`
        : `Without gVisor: ${noGvisor}.`),
    goals: [
      goal("a new session, p50, with namespaces", "ms", ({ sessionMs }) => sessionMs, MAX_SESSION_MS),
      ...(noGvisor === undefined
        ? [
            goal(
              "one in gVisor that was kept ready, p50",
              "ms",
              ({ sessionMs }) => sessionMs,
              MAX_SESSION_MS,
              "gvisor, warm",
            ),
          ]
        : []),
      goal("a further cell, p50", "ms", ({ nextCellMs }) => nextCellMs, MAX_CELL_MS),
      goal("private memory of a resting session, p50", "MiB", ({ privateMiB: each }) => each, MAX_PRIVATE_MIB),
    ],
    tables: [
      {
        title: "Milliseconds, and MiB",
        columns: [
          "",
          "first start",
          "new session p50",
          "p95",
          "first cell with a plot p50",
          "next cell p50",
          "private MiB",
        ],
        rows: [
          row("namespaces"),
          row("landlock"),
          ...(noGvisor === undefined ? [row("gvisor, cold"), row("gvisor, warm")] : []),
        ],
      },
    ],
  };
}
