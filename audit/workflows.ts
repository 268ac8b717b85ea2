// Runs and their workflows, from both sides. Neither store can be read at the moment of the other, so whatever looks
// wrong is looked at again: first at once, with the workflow's own state, and then after a while.
import { setTimeout as sleep } from "node:timers/promises";
import { isTerminal } from "../contract/run-state.ts";
import type { Pool } from "../db/pool.ts";
import { readActive, readNewlyEnded, readStandings } from "./run-standing.ts";
import type { RunStanding } from "./run-standing.ts";
import type { Tally } from "./tally.ts";
import { inSnapshot } from "./walk.ts";
import { judge } from "./workflow-judgement.ts";
import type { Problem } from "./workflow-judgement.ts";
import { describeWorkflow, findListed, listOpenIds } from "./workflow-view.ts";
import type { WorkflowAccess, WorkflowView } from "./workflow-view.ts";

/** Runs whose workflows are asked for in one query. */
const BATCH_RUNS = 100;
/** Ids that wait for their second look at the most. */
const MAX_SUSPECTS = 1000;

export interface WorkflowCheckOptions {
  access: WorkflowAccess;
  graceMs: number;
  /** How long something must look wrong to be wrong. */
  confirmAfterMs: number;
  /** How many of the runs that ended last are held against their workflows. */
  sample: number;
}

export async function checkWorkflows(db: Pool, tally: Tally, options: WorkflowCheckOptions): Promise<void> {
  await checkOpenWorkflows(db, tally, options);
  await checkActiveRuns(db, tally, options);
  await checkEndedRuns(db, tally, options);
}

/** Every open workflow has an active run. */
async function checkOpenWorkflows(db: Pool, tally: Tally, options: WorkflowCheckOptions): Promise<void> {
  const { access, graceMs } = options;
  const suspects = createSuspects(options, tally, async (id) => {
    // The run first: one that has ended is known to have when its workflow is still found open.
    const run = (await readStandings(db, [id], graceMs)).get(id);
    const problem = judgeOpen(id, run);
    const isWrong = problem !== undefined && (await describeWorkflow(access, id))?.isOpen === true;
    return { standing: toStanding(run), problems: isWrong ? [problem] : [] };
  });
  for await (const ids of listOpenIds(access)) {
    tally.checked("workflow-has-live-run", ids.length);
    const runs = await inSnapshot(db, (tx) => readStandings(tx, ids, graceMs));
    for (const id of ids) if (judgeOpen(id, runs.get(id)) !== undefined) await suspects.add(id);
  }
  await suspects.end();
}

function judgeOpen(id: string, run: RunStanding | undefined): Problem | undefined {
  const name = "workflow-has-live-run";
  if (run === undefined) return { name, id, reason: "is open, and there is no such run" };
  if (isTerminal(run.status) && run.is_long_over) return { name, id, reason: `is open, and its run is ${run.status}` };
  return undefined;
}

/** Every active run has an open workflow, which says the same. */
async function checkActiveRuns(db: Pool, tally: Tally, options: WorkflowCheckOptions): Promise<void> {
  const suspects = createPairSuspects(db, tally, options);
  let after = { thread_id: "", id: "" };
  for (;;) {
    const from = after;
    const runs = await inSnapshot(db, (tx) => readActive(tx, from, options.graceMs, BATCH_RUNS));
    const newest = runs.at(-1);
    if (newest === undefined) break;
    after = newest;
    tally.checked("live-run-has-workflow", runs.length);
    tally.checked("no-dead-lock", runs.length);
    await checkPairs(runs, tally, options, suspects);
  }
  await suspects.end();
}

/** The runs that ended last ended as their workflows did. */
async function checkEndedRuns(db: Pool, tally: Tally, options: WorkflowCheckOptions): Promise<void> {
  const suspects = createPairSuspects(db, tally, options);
  const ids = await inSnapshot(db, (tx) => readNewlyEnded(tx, options.sample));
  for (let first = 0; first < ids.length; first += BATCH_RUNS) {
    const batch = ids.slice(first, first + BATCH_RUNS);
    const runs = await inSnapshot(db, (tx) => readStandings(tx, batch, options.graceMs));
    await checkPairs([...runs.values()], tally, options, suspects);
  }
  await suspects.end();
}

async function checkPairs(
  runs: readonly RunStanding[],
  tally: Tally,
  { access }: WorkflowCheckOptions,
  suspects: Suspects,
): Promise<void> {
  const listed = await findListed(
    access,
    runs.map((run) => run.id),
  );
  for (const run of runs) {
    const workflow = listed.get(run.id);
    countPair(tally, run, workflow);
    if (judge(run, workflow).length > 0) await suspects.add(run.id);
  }
}

function countPair(tally: Tally, run: RunStanding, workflow: WorkflowView | undefined): void {
  if (workflow === undefined) return;
  tally.checked("search-attributes", 1);
  if (isTerminal(run.status) && !workflow.isOpen) tally.checked("workflow-status", 1);
}

function createPairSuspects(db: Pool, tally: Tally, { access, graceMs, ...options }: WorkflowCheckOptions): Suspects {
  return createSuspects(options, tally, async (id) => {
    // The workflow first: it closes behind its run's end, so a run that is read as active afterwards was left by it.
    const workflow = await describeWorkflow(access, id);
    const run = (await readStandings(db, [id], graceMs)).get(id);
    return { standing: toStanding(run), problems: run === undefined ? [] : judge(run, workflow) };
  });
}

function toStanding(run: RunStanding | undefined): string {
  return run === undefined ? "gone" : `${run.status} ${run.epoch}`;
}

interface Look {
  /** Where the run stood. One that has moved since was only seen on its way, twice. */
  standing: string;
  problems: readonly Problem[];
}

/** Those that looked wrong and are to be looked at again. */
interface Suspects {
  add(id: string): Promise<void>;
  end(): Promise<void>;
}

function createSuspects(
  { confirmAfterMs }: Pick<WorkflowCheckOptions, "confirmAfterMs">,
  tally: Tally,
  look: (id: string) => Promise<Look>,
): Suspects {
  let waiting = new Map<string, Look>();

  async function confirm(): Promise<void> {
    if (waiting.size === 0) return;
    const due = waiting;
    waiting = new Map();
    await sleep(confirmAfterMs);
    for (const [id, before] of due) {
      const { standing, problems } = await look(id);
      if (standing !== before.standing) continue;
      for (const { name, id: subject, reason } of problems) {
        if (before.problems.some((problem) => problem.name === name)) tally.violation(name, subject, reason);
      }
    }
  }

  return {
    async add(id) {
      const seen = await look(id);
      if (seen.problems.length > 0) waiting.set(id, seen);
      if (waiting.size >= MAX_SUSPECTS) await confirm();
    },
    end: confirm,
  };
}
