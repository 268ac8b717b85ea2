// Runs whose model runs code, while its Pythons, workers, servers and disk are damaged in every way.
import { workerFreeze } from "../blows/freezes.ts";
import { killOfEverything, workerKill } from "../blows/kills.ts";
import { restart } from "../blows/restarts.ts";
import { rollOfEverything } from "../blows/rolls.ts";
import { sessionKill, zygoteKill } from "../blows/sandbox-kills.ts";
import { brokenDisk } from "../blows/troubles.ts";
import { CODE_KINDS } from "../faults/kinds.ts";
import type { Extent, Scenario, Stage } from "../faults/scenario.ts";
import { codeCrashPoints } from "./crash-points-of-code.ts";
import type { Rhythm } from "./rhythms.ts";
import { scenarioOf } from "./scenario-of-blows.ts";

const LOAD = { taste: 5, bounded: 30, long: 150 } as const;
/** Something is going on by then: a worker's first Python takes seconds to begin. */
const firstMs = [4000, 8000] as const;

/** More than few cells at once would be slow for want of processors. */
const mix = { kinds: CODE_KINDS, atATime: 4, restMs: 300_000 } as const;
const world = { code: { sessions: 10 } } as const;
/** Code is told to stop at once, and killed a second later; this machine may be slow. */
const CALM_STOP_MS = 3000;

interface Damage {
  name: string;
  fault: string;
  rhythms: (extent: Extent) => readonly Rhythm[];
}

function codeUnder({ name, fault, rhythms }: Damage): Scenario {
  return scenarioOf({ name: `code: ${name}`, fault, load: LOAD, mix, world, rhythms });
}

/** Nothing is done to the server: every cell ends as it should, and its Python stays. */
const quiet: Scenario = {
  name: "code: no fault",
  fault: "nothing",
  world,
  load: (extent) => ({ conversations: LOAD[extent], ...mix, stopMs: CALM_STOP_MS }),
  play: expectWhole,
};

/** One worker with two places, and eight threads that want one: each waits for its turn. */
const crowded: Scenario = {
  name: "code: few places",
  fault: "one worker with two places for Pythons, for eight threads at once",
  world: { workers: 1, code: { sessions: 2 } },
  load: (extent) => ({ conversations: LOAD[extent], ...mix, atATime: 8 }),
  async play(stage) {
    stage.struck();
    await expectWhole(stage);
  },
};

async function expectWhole(stage: Stage): Promise<void> {
  while (!stage.isOver()) await stage.pause(500, 500);
  for (const end of ["cell cut off", "cell interrupted", "cell given up"]) {
    if (stage.told.ends.has(end)) stage.told.complain(`${stage.told.ends.get(end)} times there was a ${end}`);
  }
}

export const pythonsKilled = codeUnder({
  name: "Pythons killed",
  fault: "kill -9 of a Python in the middle of a cell, and of the process that Pythons are forked from",
  rhythms: (extent) => [
    { blow: sessionKill, firstMs: [2000, 6000], betweenMs: [500, 3000] },
    ...(extent === "taste" ? [] : [{ blow: zygoteKill, firstMs, betweenMs: [6000, 12_000] } as const]),
  ],
});

export const codeScenarios: readonly Scenario[] = [
  quiet,
  codeCrashPoints,
  pythonsKilled,
  codeUnder({
    name: "worker killed",
    fault: "kill -9 of one of two workers",
    rhythms: () => [{ blow: workerKill, firstMs, betweenMs: [7000, 12_000] }],
  }),
  codeUnder({
    name: "everything killed",
    fault: "kill -9 of all workers, all APIs and all Pythons at once",
    rhythms: () => [{ blow: killOfEverything, firstMs, betweenMs: [10_000, 20_000], times: 5 }],
  }),
  codeUnder({
    name: "workers frozen",
    fault: "a worker stands still for 7 to 11 s, and then goes on as if nothing had been",
    rhythms: () => [{ blow: workerFreeze, firstMs, betweenMs: [3000, 8000] }],
  }),
  codeUnder({
    name: "rolling restarts",
    fault: "SIGTERM to two workers and two APIs, one after the other, and a new process in the place of each",
    rhythms: () => [{ blow: rollOfEverything, firstMs, betweenMs: [5000, 10_000], times: 3 }],
  }),
  codeUnder({
    name: "Postgres restarted",
    fault: "Postgres is stopped in order and started again",
    rhythms: () => [{ blow: restart("postgres", "stop", [0, 3000]), firstMs, betweenMs: [5000, 9000], times: 5 }],
  }),
  codeUnder({
    name: "disk of the files fails",
    fault: "for 3 to 6 s a third of what is done to blobs fails: no space left (ENOSPC), or an error of the disk (EIO)",
    rhythms: () => [{ blow: brokenDisk, firstMs, betweenMs: [4000, 8000] }],
  }),
  crowded,
];
