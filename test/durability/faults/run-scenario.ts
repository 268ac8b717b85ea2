// Plays one scenario: load and faults at the same time, then quiet, then the audit.
import { setTimeout as sleep } from "node:timers/promises";
import { audit } from "../../../audit/audit.ts";
import type { AuditReport } from "../../../audit/audit.ts";
import { lookup } from "../../support/scripts.ts";
import { judgeSandboxes } from "./code-verdict.ts";
import { untilAllRest, untilWorkflowsClose } from "./deadline.ts";
import { age, judgeFiles } from "./file-verdict.ts";
import { GoodClient } from "./good-client.ts";
import { lookInside } from "./inside.ts";
import { startLoad } from "./load.ts";
import { createRandomFor } from "./random.ts";
import type { Random } from "./random.ts";
import { watchRecovery } from "./recovery.ts";
import { talkOf } from "./scenario.ts";
import type { Extent, Scenario, ScenarioResult, Stage } from "./scenario.ts";
import { Told } from "./told.ts";
import { startWorld } from "./world.ts";
import type { World } from "./world.ts";

/** How long a client asks for one answer. Longer than every outage that is played. */
const PATIENCE_MS = 120_000;
/** Nothing is going on any more when the audit looks, so nothing may be late. */
const GRACE_MS = 2000;
const CONFIRM_AFTER_MS = 3000;
const PAUSE_STEP_MS = 50;

export interface PlayOptions {
  seed: number;
  extent: Extent;
  /** Where the logs of the processes go when something is wrong. */
  keepLogsIn?: string;
}

export async function playScenario(scenario: Scenario, options: PlayOptions): Promise<ScenarioResult> {
  const startedAt = performance.now();
  const random = createRandomFor(scenario.name, options.seed);
  const world = await startWorld(scenario.world ?? {}, random.fork());
  try {
    const result = await play(scenario, world, random, options);
    if (result.violations.length > 0 && options.keepLogsIn !== undefined) {
      world.keepLogs(`${options.keepLogsIn}/${scenario.name.replaceAll(/\W+/g, "-")}`);
    }
    return { ...result, seconds: Math.round((performance.now() - startedAt) / 1000) };
  } finally {
    await world.close();
  }
}

async function play(
  scenario: Scenario,
  world: World,
  random: Random,
  { seed, extent }: PlayOptions,
): Promise<ScenarioResult> {
  const told = new Told();
  const recovery = watchRecovery(world.stack.db);
  const client = new GoodClient({
    apis: () => world.apiUrls(),
    apiKey: world.stack.apiKey,
    told,
    random: random.fork(),
    patienceMs: PATIENCE_MS,
  });
  const { body } = await client.post<{ id: string }>("/assistants", { model: "gpt-4o", tools: [lookup] });
  const assistantId = body.id;
  const mix = scenario.load?.(extent);
  const inside = lookInside(world);
  const load = mix && startLoad(mix, { client, random: random.fork(), assistantId, inside });
  let faults = 0;
  const createStage = (choices: Random): Stage => ({
    world,
    random: choices,
    extent,
    told,
    client,
    assistantId,
    inside,
    isOver: () => load?.isOver ?? false,
    async pause(fromMs, toMs) {
      const endsAt = Date.now() + choices.int(fromMs, toMs);
      while (Date.now() < endsAt && !(load?.isOver ?? false)) await sleep(PAUSE_STEP_MS);
    },
    struck: () => void (faults += 1),
    healed: () => recovery.mark(),
    fork: () => createStage(choices.fork()),
  });
  await Promise.all([scenario.play(createStage(random.fork())), load?.over]);

  const restless = await untilAllRest(world.stack.db);
  const recoveryMs = await recovery.all();
  const ofSandboxes = await judgeSandboxes(world, talkOf(createStage(random.fork()), PATIENCE_MS));
  await untilWorkflowsClose(world.stack.db, world.client, world.stack.taskQueue);
  const verdict = await judgeFiles(world, told, faults);
  const report = await audit({
    db: world.stack.db,
    temporal: { client: world.client, taskQueue: world.stack.taskQueue },
    received: told.toReceived(),
    blobs: age(world.blobs),
    graceMs: GRACE_MS,
    confirmAfterMs: CONFIRM_AFTER_MS,
    sample: 1_000_000,
  });
  return {
    name: scenario.name,
    fault: scenario.fault,
    seed,
    faults,
    ...(await countRuns(world)),
    files: verdict.files,
    filesEnded: verdict.ended,
    troubles: Object.fromEntries(told.troubles),
    violations: [...told.complaints, ...restless, ...ofSandboxes, ...verdict.complaints, ...toViolations(report)],
    recoveryMs: recoveryMs.toSorted((a, b) => a - b),
    seconds: 0,
  };
}

async function countRuns({ stack }: World): Promise<Pick<ScenarioResult, "runs" | "ended">> {
  const { rows } = await stack.db.query<{ status: string; runs: number }>(
    "select status, count(*)::int as runs from runs group by status order by runs desc, status",
  );
  const ended = Object.fromEntries(rows.map(({ status, runs }) => [status, runs]));
  return { runs: rows.reduce((sum, { runs }) => sum + runs, 0), ended };
}

function toViolations({ temporal_problem, invariants }: AuditReport): string[] {
  const found = invariants.flatMap(({ name, violations, first }) => [
    ...first.map(({ id, reason }) => `${name}: ${id} ${reason}`),
    ...(violations > first.length ? [`${name}: ${violations - first.length} more`] : []),
  ]);
  return temporal_problem === null ? found : [...found, `Temporal could not be asked: ${temporal_problem}`];
}
