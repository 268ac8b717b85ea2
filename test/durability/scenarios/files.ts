// Files on their way into vector stores, searches, and runs that search, while the server is damaged in every way.
import { bucketBusy, bucketCuts, bucketKill, bucketSilent, bucketSlow } from "../blows/bucket-trouble.ts";
import { badEmbeddings, noEmbeddings, silentEmbeddings, slowEmbeddings } from "../blows/embedding-trouble.ts";
import { apiFreeze, workerFreeze } from "../blows/freezes.ts";
import { fullDisk } from "../blows/full-disk.ts";
import { apiKill, killOfEverything, workerKill } from "../blows/kills.ts";
import { cutOff, slowness } from "../blows/network.ts";
import { restart, temporalLoss } from "../blows/restarts.ts";
import { rollOfEverything, workerRoll } from "../blows/rolls.ts";
import { brokenDisk, clockSteps, deadParsers, doubledNudges, lostNudges } from "../blows/troubles.ts";
import { FILE_KINDS } from "../faults/kinds.ts";
import type { Extent, Scenario } from "../faults/scenario.ts";
import type { Rhythm } from "./rhythms.ts";
import { ingestCrashPoints } from "./crash-points-of-ingestion.ts";
import { fileCrashPoints } from "./crash-points-of-taking-files.ts";
import { scenarioOf } from "./scenario-of-blows.ts";

const LOAD = { taste: 8, bounded: 40, long: 200 } as const;
/** Something is going on by then. */
const firstMs = [500, 2000] as const;
const allTheTime = { firstMs: [0, 0], betweenMs: [0, 0] } as const;

/** Files wait for each other: there are few places for them, and those that a worker may have died of go one by one. */
const mix = { kinds: FILE_KINDS, atATime: 8, restMs: 300_000 } as const;

interface Damage {
  name: string;
  fault: string;
  rhythms: (extent: Extent) => readonly Rhythm[];
  load?: Record<Extent, number>;
}

function filesUnder({ name, fault, rhythms, load = LOAD }: Damage): Scenario {
  return scenarioOf({ name: `files: ${name}`, fault, load, mix, rhythms });
}

/** Nothing is done to the server: what is found wrong here is wrong with the load, the clients or the audit. */
const quiet: Scenario = {
  name: "files: no fault",
  fault: "nothing",
  load: (extent) => ({ conversations: LOAD[extent], ...mix }),
  play: async () => undefined,
};

const filesKilled = filesUnder({
  name: "everything killed",
  fault: "kill -9 of all workers and all APIs at once, while files are stored, read, embedded and searched",
  rhythms: () => [{ blow: killOfEverything, firstMs, betweenMs: [6000, 12_000], times: 5 }],
});

export const filesEmbeddedBadly = filesUnder({
  name: "embedding endpoint in trouble",
  fault:
    "for some seconds the endpoint answers with 429s, 5xx, garbage, too few and too many vectors, half an answer, or late; or it refuses connections",
  // Each failure makes a file wait twice as long as the one before.
  rhythms: (extent) => [
    { blow: badEmbeddings, firstMs, betweenMs: [1000, 3000], ...(extent === "taste" ? { times: 1 } : {}) },
    { blow: noEmbeddings, firstMs: [2000, 4000], betweenMs: [3000, 8000], ...(extent === "taste" ? { times: 1 } : {}) },
  ],
});

export const fileScenarios: readonly Scenario[] = [
  quiet,
  fileCrashPoints,
  ingestCrashPoints,
  filesUnder({
    name: "worker killed",
    fault: "kill -9 of one of two workers",
    rhythms: () => [{ blow: workerKill, firstMs, betweenMs: [1500, 5000] }],
  }),
  filesUnder({
    name: "API killed",
    fault: "kill -9 of one of two APIs",
    rhythms: () => [{ blow: apiKill, firstMs, betweenMs: [100, 1500] }],
  }),
  filesKilled,
  filesUnder({
    name: "processes frozen",
    fault: "a worker stands still for 7 to 11 s, an API for 2 to 6 s, and then they go on as if nothing had been",
    rhythms: () => [
      { blow: workerFreeze, firstMs, betweenMs: [1000, 4000] },
      { blow: apiFreeze, firstMs, betweenMs: [2000, 6000] },
    ],
  }),
  filesUnder({
    name: "rolling restarts",
    fault: "SIGTERM to two workers and two APIs, one after the other, and a new process in the place of each",
    rhythms: (extent) => [{ blow: rollOfEverything, betweenMs: [500, 2000], times: extent === "long" ? 6 : 3 }],
  }),
  filesUnder({
    name: "Postgres killed",
    fault: "kill -9, and a start that reads its log; and connections that are cut",
    rhythms: () => [
      { blow: restart("postgres", "kill", [0, 2000]), firstMs, betweenMs: [5000, 9000], times: 5 },
      { blow: cutOff("postgres"), firstMs, betweenMs: [1000, 4000] },
    ],
  }),
  filesUnder({
    name: "Postgres full",
    fault: "for 2 to 5 s every second insert fails because the disk is full (error 53100)",
    rhythms: () => [{ blow: fullDisk, firstMs, betweenMs: [1000, 4000], times: 4 }],
  }),
  filesUnder({
    name: "Temporal killed",
    fault: "kill -9, and a start from its disk, again and again",
    rhythms: () => [{ blow: restart("temporal", "kill", [0, 5000]), firstMs, betweenMs: [3000, 8000], times: 3 }],
  }),
  filesUnder({
    name: "Temporal's data lost",
    fault: "Temporal is killed, its disk emptied, and it is started again without any workflow",
    rhythms: () => [{ blow: temporalLoss, firstMs: [2000, 5000], betweenMs: [0, 0], times: 1 }],
  }),
  filesUnder({
    name: "signals lost",
    fault: "half of what the API tells Temporal never leaves it",
    rhythms: () => [{ blow: lostNudges, ...allTheTime }],
  }),
  filesUnder({
    name: "clock steps",
    fault: "the clock of each process jumps by up to an hour, back or forth, every half second",
    rhythms: () => [{ blow: clockSteps, ...allTheTime }],
  }),
  filesEmbeddedBadly,
  filesUnder({
    name: "embedding endpoint hangs",
    fault: "the endpoint answers nothing for 11 to 14 s; and connections to it fall silent for good",
    rhythms: () => [
      { blow: slowEmbeddings, firstMs, betweenMs: [4000, 8000], times: 3 },
      { blow: silentEmbeddings, firstMs: [1000, 3000], betweenMs: [0, 0], times: 1 },
    ],
  }),
  filesUnder({
    name: "bucket killed",
    fault: "the server of the bucket is killed with -9, and started again on its data",
    rhythms: () => [{ blow: bucketKill, firstMs, betweenMs: [3000, 8000], times: 4 }],
  }),
  filesUnder({
    name: "bucket in trouble",
    fault: "the bucket answers 503, comes 20 to 200 ms later, or breaks off in the middle of an answer",
    rhythms: () => [
      { blow: bucketBusy, firstMs, betweenMs: [1000, 3000], times: 3 },
      { blow: bucketCuts, firstMs: [6000, 8000], betweenMs: [1000, 3000], times: 3 },
      { blow: bucketSlow, firstMs: [12_000, 14_000], betweenMs: [1000, 3000], times: 2 },
    ],
  }),
  filesUnder({
    name: "bucket hangs",
    fault: "connections to the bucket fall silent for good and are not closed, and new ones pass",
    rhythms: () => [{ blow: bucketSilent, firstMs, betweenMs: [2000, 4000], times: 4 }],
  }),
  filesUnder({
    name: "disk of the files fails",
    fault: "for 3 to 6 s a third of what is done to blobs fails: no space left (ENOSPC), or an error of the disk (EIO)",
    rhythms: () => [{ blow: brokenDisk, firstMs, betweenMs: [2000, 4000] }],
  }),
  filesUnder({
    name: "parsers killed",
    fault: "for 3 to 6 s half of the processes that read documents are killed with -9, at once or somewhat later",
    rhythms: () => [{ blow: deadParsers, firstMs: [0, 500], betweenMs: [2000, 4000] }],
  }),
  filesUnder({
    name: "workers killed, endpoint and bucket in trouble",
    fault:
      "workers are killed with -9, while the embedding endpoint fails in every way and the bucket's server is killed",
    rhythms: () => [
      { blow: workerKill, firstMs, betweenMs: [4000, 8000], times: 6 },
      { blow: badEmbeddings, firstMs, betweenMs: [1000, 4000] },
      { blow: bucketKill, firstMs, betweenMs: [4000, 8000], times: 3 },
    ],
  }),
  filesUnder({
    name: "APIs killed, Postgres slow, disk fails, workers rolling",
    fault:
      "APIs are killed with -9 and workers replaced in order, while Postgres is slow and a third of what is done to blobs fails",
    rhythms: () => [
      { blow: apiKill, firstMs, betweenMs: [500, 3000] },
      { blow: workerRoll, firstMs, betweenMs: [2000, 5000] },
      { blow: slowness("postgres"), betweenMs: [1000, 3000] },
      { blow: brokenDisk, firstMs, betweenMs: [2000, 4000] },
    ],
  }),
  filesUnder({
    name: "frozen workers, Temporal killed, parsers killed, signals doubled",
    fault:
      "workers stand still for 7 to 11 s, Temporal and parsers are killed with -9, and what the API tells Temporal comes three times",
    rhythms: () => [
      { blow: workerFreeze, firstMs, betweenMs: [2000, 5000] },
      { blow: restart("temporal", "kill", [0, 3000]), firstMs, betweenMs: [6000, 10_000], times: 2 },
      { blow: deadParsers, firstMs: [0, 500], betweenMs: [2000, 4000] },
      { blow: doubledNudges, ...allTheTime },
    ],
  }),
];
