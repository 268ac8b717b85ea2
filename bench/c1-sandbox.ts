// C1 and C2: Code Interpreter's sessions alone. How long one takes to begin, a cell to run, and what a resting one costs.
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_LIMITS } from "../sandbox/default-limits.ts";
import type { Isolation, SandboxSession } from "../sandbox/driver.ts";
import { ENVIRONMENTS_FOLDER } from "../sandbox/environments-folder.ts";
import { LocalDriver } from "../sandbox/local-driver.ts";
import { makeEnvironment } from "../sandbox/python-environment.ts";
import type { Report } from "./report.ts";
import { median, percentile, range } from "./stats.ts";

const ROUNDS = 3;
const SESSIONS = 20;
const CELLS = 20;
const FIRST_CELL = "import pandas as pd, matplotlib.pyplot as plt\npd.DataFrame({'a': [1, 2]}).plot();";
const MAX_SESSION_MS = 150;
const MAX_CELL_MS = 20;
const MAX_PRIVATE_MIB = 25;

interface Round {
  coldMs: number;
  sessionMs: number[];
  firstCellMs: number[];
  nextCellMs: number[];
  privateMiB: number[];
}

export async function measureSandbox(): Promise<Report> {
  const python = await makeEnvironment({ folder: ENVIRONMENTS_FOLDER, say: console.error });
  const found: Record<Isolation, Round[]> = { namespaces: [], landlock: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const isolation of ["namespaces", "landlock"] satisfies Isolation[]) {
      found[isolation].push(await measure(python, isolation));
    }
  }
  return toReport(found);
}

async function measure(python: string, isolation: Isolation): Promise<Round> {
  const folder = await mkdtemp(join(tmpdir(), "bench-sandbox-"));
  const options = { findPython: async () => python, folder: join(folder, "sessions"), maxSessions: SESSIONS };
  const driver = new LocalDriver({ ...options, isolations: [isolation] });
  const round: Round = { coldMs: 0, sessionMs: [], firstCellMs: [], nextCellMs: [], privateMiB: [] };
  try {
    round.coldMs = await timed(async () => {
      const probe = await driver.probe();
      if (!probe.ok) throw new Error(probe.missing.join("; "));
    });
    for (let n = 0; n < SESSIONS; n += 1) await measureSession(driver, `${n}`, round);
    return round;
  } finally {
    await driver.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureSession(driver: LocalDriver, sessionId: string, round: Round): Promise<void> {
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
  const [pid] = descendants().filter((each) => !before.has(each));
  if (pid !== undefined) round.privateMiB.push(privateMiB(pid));
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
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
      .split(" ")
      .filter((each) => each !== "");
    return children.flatMap((child) => [Number(child), ...descendants(Number(child))]);
  } catch {
    return []; // it has just ended
  }
}

/** Memory that this process shares with nobody. */
function privateMiB(pid: number): number {
  const lines = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8").matchAll(/^Private_(?:Clean|Dirty): +(\d+) kB$/gm);
  return [...lines].reduce((total, [, kib]) => total + Number(kib) / 1024, 0);
}

function toReport(found: Record<Isolation, Round[]>): Report {
  const { namespaces } = found;
  const p50 = (rounds: readonly Round[], of: (round: Round) => number[]) =>
    rounds.map((each) => percentile(of(each), 0.5));
  const goal = (what: string, unit: string, of: (round: Round) => number[], most: number) => {
    const values = p50(namespaces, of);
    return { what, found: `${range(values)} ${unit}`, goal: `≤ ${most} ${unit}`, met: median(values) <= most };
  };
  const row = (isolation: Isolation) => {
    const rounds = found[isolation];
    return [
      isolation,
      range(
        rounds.map(({ coldMs }) => coldMs),
        0,
      ),
      range(p50(rounds, ({ sessionMs }) => sessionMs)),
      range(rounds.map(({ sessionMs }) => percentile(sessionMs, 0.95))),
      range(p50(rounds, ({ firstCellMs }) => firstCellMs)),
      range(p50(rounds, ({ nextCellMs }) => nextCellMs)),
      range(p50(rounds, ({ privateMiB: each }) => each)),
    ];
  };
  return {
    name: "c1",
    title: "Code Interpreter's sessions",
    method:
      `${ROUNDS} rounds with a new driver each: ${SESSIONS} sessions one after the other, none of which ends; each runs a ` +
      `cell that draws a data frame and ${CELLS} that add two numbers. Memory is what a session shares with nobody, after these.`,
    goals: [
      goal("a new session, p50, with namespaces", "ms", ({ sessionMs }) => sessionMs, MAX_SESSION_MS),
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
        rows: [row("namespaces"), row("landlock")],
      },
    ],
  };
}
