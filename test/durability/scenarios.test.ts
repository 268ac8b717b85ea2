// A taste of the scenarios of `npm run test:durability`: those that need no server of their own and no long waits.
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { playScenario } from "./faults/run-scenario.ts";
import type { Scenario } from "./faults/scenario.ts";
import { clockSteps } from "./scenarios/clocks.ts";
import { pythonsKilled } from "./scenarios/code.ts";
import { apiCrashPoints } from "./scenarios/crash-points-of-the-api.ts";
import { filesEmbeddedBadly } from "./scenarios/files.ts";
import { everythingKilled } from "./scenarios/kills.ts";
import { networkScenarios } from "./scenarios/network.ts";

const [postgresCutOff] = networkScenarios;
const TASTED = [
  everythingKilled,
  apiCrashPoints,
  postgresCutOff as Scenario,
  clockSteps,
  filesEmbeddedBadly,
  pythonsKilled,
];

/** FAULT_SEED makes the choices of an earlier time again. */
const seed = Number(process.env["FAULT_SEED"] ?? randomInt(1_000_000));

for (const scenario of TASTED) {
  test(`${scenario.name}: all ends as it should, and the audit finds nothing`, async () => {
    const { runs, files = 0, faults, violations } = await playScenario(scenario, { seed, extent: "taste" });
    assert.ok(runs + files > 0);
    assert.ok(faults > 0);
    assert.deepEqual(violations, [], `again: FAULT_SEED=${seed} npm test -- test/durability/scenarios.test.ts`);
  });
}
