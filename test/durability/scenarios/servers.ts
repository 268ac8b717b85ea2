// Postgres and Temporal themselves: stopped, killed, full, without their data.
import { fullDisk } from "../blows/full-disk.ts";
import { noConnectionsLeft } from "../blows/no-connections.ts";
import { restart, temporalLoss } from "../blows/restarts.ts";
import { scenarioOf } from "./scenario-of-blows.ts";

/** Longer than any of the time-outs for a call to Temporal, and than a worker's patience with it. */
const TEMPORAL_AWAY_MS = [30_000, 30_000] as const;
/** Something is going on by then. */
const FIRST_MS = [1000, 3000] as const;
const betweenMs = FIRST_MS;

export const postgresRestarted = scenarioOf({
  name: "Postgres restarted",
  fault: "stopped in order and started again: Postgres",
  load: { taste: 15, bounded: 60, long: 200 },
  rhythms: (extent) => [
    {
      blow: restart("postgres", "stop", [0, 3000]),
      firstMs: FIRST_MS,
      betweenMs,
      times: { taste: 1, bounded: 2, long: 5 }[extent],
    },
  ],
});

export const postgresKilled = scenarioOf({
  name: "Postgres killed",
  fault: "kill -9, and a start that reads its log: Postgres. What it had not logged, the deltas, is gone",
  load: { taste: 15, bounded: 60, long: 200 },
  rhythms: (extent) => [
    {
      blow: restart("postgres", "kill", [0, 1000]),
      firstMs: FIRST_MS,
      betweenMs,
      times: { taste: 1, bounded: 2, long: 5 }[extent],
    },
  ],
});

export const noConnections = scenarioOf({
  name: "no connections left",
  fault: "all connections are cut, and for 3 to 6 s somebody else has every place of Postgres",
  load: { taste: 15, bounded: 60, long: 150 },
  rhythms: (extent) => [
    { blow: noConnectionsLeft, betweenMs: [500, 2000], times: { taste: 1, bounded: 2, long: 4 }[extent] },
  ],
});

export const diskFull = scenarioOf({
  name: "disk full",
  fault: "for 2 to 5 s every second insert fails because the disk is full (error 53100)",
  load: { taste: 15, bounded: 60, long: 200 },
  rhythms: (extent) => [{ blow: fullDisk, betweenMs: [500, 2000], times: { taste: 1, bounded: 3, long: 6 }[extent] }],
});

export const temporalStopped = scenarioOf({
  name: "Temporal stopped",
  fault: "stopped for 30 s and started again from its disk: Temporal",
  load: { taste: 15, bounded: 60, long: 150 },
  rhythms: (extent) => [
    {
      blow: restart("temporal", "stop", TEMPORAL_AWAY_MS),
      firstMs: FIRST_MS,
      betweenMs,
      times: extent === "long" ? 2 : 1,
    },
  ],
});

export const temporalKilled = scenarioOf({
  name: "Temporal killed",
  fault: "kill -9, and a start from its disk: Temporal",
  load: { taste: 15, bounded: 60, long: 150 },
  rhythms: (extent) => [
    {
      blow: restart("temporal", "kill", [0, 3000]),
      firstMs: FIRST_MS,
      betweenMs,
      times: { taste: 1, bounded: 2, long: 5 }[extent],
    },
  ],
});

export const temporalForgets = scenarioOf({
  name: "Temporal's data lost",
  fault: "killed, its disk emptied, and started again without any workflow: Temporal",
  load: { taste: 10, bounded: 50, long: 100 },
  rhythms: () => [{ blow: temporalLoss, firstMs: [2000, 4000], betweenMs, times: 1 }],
});
