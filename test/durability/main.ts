// npm run test:durability: every scenario, or those whose names have one of the given words in them.
//   --long     more of everything     --seed N   the choices of an earlier time
// Writes docs/operations/fault-report.md, with the newest results of scenarios that are not played this time.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { PROJECT_FOLDER } from "../../embedded/node-child.ts";
import { globalSetup, globalTeardown } from "../support/global-setup.ts";
import { toLine, toPage } from "./faults/report.ts";
import { playScenario } from "./faults/run-scenario.ts";
import type { Scenario, ScenarioResult } from "./faults/scenario.ts";
import { scenarios } from "./scenarios/all.ts";

const PAGE = join(PROJECT_FOLDER, "docs/operations/fault-report.md");
/** Most of a scenario is waiting, and each has a world of its own. */
const AT_A_TIME = 2;
/** The newest result of each scenario. */
const NEWEST = join(PROJECT_FOLDER, ".cache/fault-results.json");
/** The logs of scenarios that went wrong. */
const LOGS = join(PROJECT_FOLDER, ".cache/fault-logs");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    long: { type: "boolean", default: false },
    taste: { type: "boolean", default: false },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
const extent = values.long ? "long" : values.taste ? "taste" : "bounded";
const seed = Number(values.seed);
const chosen = scenarios.filter(
  ({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
);
const startedAt = performance.now();
const results: ScenarioResult[] = [];

await globalSetup();
try {
  const waiting = [...chosen];
  await Promise.all(Array.from({ length: AT_A_TIME }, () => playAll(waiting)));
} finally {
  await globalTeardown();
}
const seconds = (performance.now() - startedAt) / 1000;
const runs = results.reduce((sum, result) => sum + result.runs, 0);
const violations = results.reduce((sum, result) => sum + result.violations.length, 0);
const files = results.reduce((sum, result) => sum + (result.files ?? 0), 0);
console.log(`${runs} runs, ${files} files, ${violations} violations, ${Math.round(seconds)} s, seed ${seed}`);
const newest = scenarios.map(({ name }) => readNewest()[name]);
if (newest.every((result) => result !== undefined)) {
  mkdirSync(dirname(PAGE), { recursive: true });
  writeFileSync(PAGE, toPage(availableParallelism(), newest));
}
process.exit(violations === 0 ? 0 : 1);

async function playAll(waiting: Scenario[]): Promise<void> {
  for (let scenario = waiting.shift(); scenario !== undefined; scenario = waiting.shift()) {
    const result = await playScenario(scenario, { seed, extent, keepLogsIn: LOGS }).catch((error: unknown) =>
      toUnplayed(scenario, error),
    );
    results.push(result);
    if (extent !== "taste") keepNewest(result);
    console.log(toLine(result));
    for (const violation of result.violations) console.log(`     ${violation}`);
  }
}

/** What is wrong with a scenario must not end the others. */
function toUnplayed({ name, fault }: Scenario, error: unknown): ScenarioResult {
  const violations = [`it could not be played to its end: ${String(error)}`];
  return { name, fault, seed, faults: 0, runs: 0, ended: {}, troubles: {}, violations, recoveryMs: [], seconds: 0 };
}

function readNewest(): Record<string, ScenarioResult> {
  return existsSync(NEWEST) ? (JSON.parse(readFileSync(NEWEST, "utf8")) as Record<string, ScenarioResult>) : {};
}

function keepNewest(result: ScenarioResult): void {
  mkdirSync(dirname(NEWEST), { recursive: true });
  writeFileSync(NEWEST, JSON.stringify({ ...readNewest(), [result.name]: result }));
}
