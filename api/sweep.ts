// Reconciliation. Looks at runs that should have moved on and have not, and sets right what a crash, a lost nudge or an
// operator has left between Postgres and Temporal. Every API process runs it; the database gives each run to one.
import type { FastifyBaseLogger } from "fastify";
import { SWEEP_BATCH, SWEEP_INTERVAL_MS } from "../contract/limits.ts";
import type { Pool } from "../db/pool.ts";
import { takeRunsToCheck } from "../db/run-checks.ts";
import type { RunToCheck } from "../db/run-checks.ts";
import { endRun, expireOverdueRun } from "../db/run-ends.ts";
import type { Ended } from "../db/run-ends.ts";
import { notifyEvents } from "../db/run-events.ts";
import type { IngestWorkflows } from "./ingest-workflows.ts";
import type { RunWorkflows } from "./run-workflows.ts";

/** Looks at a run that is being cancelled after which its worker is given up and the run is ended without it. */
const CANCEL_CHECKS = 2;

export interface SweepDeps {
  db: Pool;
  workflows: RunWorkflows;
  /** Looks at the files that are on their way into vector stores, at its own pace. */
  ingests: Pick<IngestWorkflows, "look">;
  log: FastifyBaseLogger;
}

/** Sweeps again and again. Returns the function that stops it and waits for what it is doing. */
export function startSweep(deps: SweepDeps): () => Promise<void> {
  let sweeping: Promise<void> | undefined;
  const timer = setInterval(() => {
    deps.ingests.look();
    sweeping ??= sweep(deps)
      .then(() => undefined)
      .catch((error: unknown) => deps.log.warn({ err: error }, "the sweep failed"))
      .finally(() => {
        sweeping = undefined;
      });
  }, SWEEP_INTERVAL_MS);
  return async () => {
    clearInterval(timer);
    await sweeping;
  };
}

/** Looks at the runs that are due, and returns how many there were. */
export async function sweep(deps: SweepDeps): Promise<number> {
  const runs = await takeRunsToCheck(deps.db, SWEEP_BATCH);
  const results = await Promise.allSettled(runs.map((run) => checkRun(deps, run)));
  for (const [index, result] of results.entries()) {
    if (result.status === "rejected") {
      deps.log.warn({ err: result.reason as unknown, runId: runs[index]?.id }, "a run could not be checked");
    }
  }
  return runs.length;
}

async function checkRun({ db, workflows, log }: SweepDeps, run: RunToCheck): Promise<void> {
  if (run.overdue) {
    await announce(db, run, await expireOverdueRun(db, run));
    await workflows.cancelNow(run.id);
    return;
  }
  switch (run.status) {
    case "queued":
      // A first start repeated leaves no trace; a wake that was lost is sent again.
      await (run.turn === 0 ? workflows.startNow(run) : workflows.wakeNow(run));
      break;
    case "cancelling":
      await workflows.cancelNow(run.id);
      if (run.checks >= CANCEL_CHECKS) await announce(db, run, await endRun(db, run, { to: "cancelled" }));
      return;
    case "in_progress":
    case "requires_action":
      break;
    default:
      return;
  }
  const isOpen = await workflows.isOpen(run.id);
  if (isOpen === undefined) await workflows.startNow(run);
  if (isOpen !== false) return;
  log.warn({ runId: run.id, status: run.status }, "the run's workflow was closed from outside");
  const error = { code: "server_error", message: "The run's workflow was closed before the run had ended." } as const;
  await announce(db, run, await endRun(db, run, { to: "failed", error }));
}

async function announce(db: Pool, run: RunToCheck, ended: Ended | undefined): Promise<void> {
  if (ended?.added !== undefined) await notifyEvents(db, run.id, ended.added.seq);
}
