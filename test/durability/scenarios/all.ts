// Every scenario, in the order of the report.
import type { Scenario } from "../faults/scenario.ts";
import { clockSteps } from "./clocks.ts";
import { apiCrashPoints } from "./crash-points-of-the-api.ts";
import { workerCrashPoints } from "./crash-points-of-the-worker.ts";
import { apiKilled, everythingKilled, rollingRestarts, workerKilled } from "./kills.ts";
import { codeScenarios } from "./code.ts";
import { fileScenarios } from "./files.ts";
import { modelCut, modelHangs, modelTrouble } from "./model-trouble.ts";
import { networkScenarios } from "./network.ts";
import { nudgesDoubled, nudgesLost } from "./nudges.ts";
import { poison } from "./poison.ts";
import { quiet } from "./quiet.ts";
import { severalAtOnce } from "./several-at-once.ts";
import { storm } from "./storm.ts";

import {
  diskFull,
  noConnections,
  postgresKilled,
  postgresRestarted,
  temporalForgets,
  temporalKilled,
  temporalStopped,
} from "./servers.ts";

export const scenarios: readonly Scenario[] = [
  quiet,
  workerKilled,
  apiKilled,
  everythingKilled,
  rollingRestarts,
  apiCrashPoints,
  workerCrashPoints,
  poison,
  ...networkScenarios,
  postgresRestarted,
  postgresKilled,
  noConnections,
  diskFull,
  temporalStopped,
  temporalKilled,
  temporalForgets,
  modelTrouble,
  modelCut,
  modelHangs,
  nudgesLost,
  nudgesDoubled,
  clockSteps,
  ...severalAtOnce,
  storm,
  ...fileScenarios,
  ...codeScenarios,
];
