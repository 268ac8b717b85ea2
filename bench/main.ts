// npm run bench: all benchmarks, or those that are named.
import { measureOverhead } from "./b1-overhead.ts";
import { measureFirstToken } from "./b2-first-token.ts";
import { measureStreams } from "./b3-streams.ts";
import { measureParked } from "./b4-parked.ts";
import { measureLongThread } from "./b5-long-thread.ts";
import { measureTurnAround } from "./b6-turn-around.ts";
import { measureSoak } from "./b7-soak.ts";
import { measureGrowth } from "./b8-growth.ts";
import { measureWaysToRun } from "./b9-ways-to-run.ts";
import { measureSandbox } from "./c1-sandbox.ts";
import { measureSessions } from "./c3-sessions.ts";
import { measureTables } from "./c4-csv.ts";
import { measureIngestion } from "./s1-ingestion.ts";
import { measureParse } from "./s1-parse.ts";
import { measureSearchLatency } from "./s2-search-latency.ts";
import { measureSearchQuality } from "./s3-search-quality.ts";
import { measureMemory } from "./s4-memory.ts";
import { publish, writeSummary } from "./report.ts";
import type { Report } from "./report.ts";
import { measureValidation } from "./validation.ts";

const benchmarks: Record<string, () => Promise<Report>> = {
  b1: measureOverhead,
  b2: measureFirstToken,
  b3: measureStreams,
  b4: measureParked,
  b5: measureLongThread,
  b6: measureTurnAround,
  b7: measureSoak,
  b8: measureGrowth,
  b9: measureWaysToRun,
  c1: measureSandbox,
  c3: measureSessions,
  c4: measureTables,
  s1: measureIngestion,
  "s1-parse": measureParse,
  s2: measureSearchLatency,
  s3: measureSearchQuality,
  s4: measureMemory,
  validation: measureValidation,
};

const names = process.argv.slice(2);
const unknown = names.filter((name) => benchmarks[name] === undefined);
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(", ")}. There are: ${Object.keys(benchmarks).join(", ")}`);
  process.exit(2);
}
const sections = new Map<string, string>();
for (const [name, measure] of Object.entries(benchmarks)) {
  if (names.length === 0 || names.includes(name)) sections.set(name, publish(await measure()));
}
writeSummary(Object.keys(benchmarks), sections);
process.exit();
