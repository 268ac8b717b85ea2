// The audit: everything that must hold between the rows, the events and the workflows of a system, checked while it
// runs and without changing it.
import { BlobsUnavailable } from "../blobs/blobs.ts";
import type { Pool } from "../db/pool.ts";
import { BELONGING_INVARIANTS } from "./belonging.ts";
import { BLOB_CATALOGUE, checkBlobs } from "./blobs.ts";
import type { AuditedBlobs } from "./blobs.ts";
import { CODE_INVARIANTS } from "./code-rows.ts";
import { checkEvents, EVENT_CATALOGUE, OLD_EVENT_INVARIANTS } from "./events.ts";
import { checkIngests, INGEST_CATALOGUE } from "./ingest-workflows.ts";
import { KEY_INVARIANTS } from "./keys.ts";
import { WORK_INVARIANTS } from "./open-work.ts";
import { checkReceived, RECEIVED_CATALOGUE } from "./received.ts";
import type { Received } from "./received.ts";
import { checkRows, toCatalogue } from "./row-check.ts";
import { RUN_INVARIANTS } from "./run-rows.ts";
import { createTally } from "./tally.ts";
import type { InvariantResult, Tally } from "./tally.ts";
import { THREAD_INVARIANTS } from "./thread-rows.ts";
import { CALL_INVARIANTS } from "./tool-calls.ts";
import { USAGE_INVARIANTS } from "./usage.ts";
import { V1_FILE_INVARIANTS } from "./v1-files.ts";
import { STORE_INVARIANTS } from "./vector-stores.ts";
import { WORKFLOW_CATALOGUE } from "./workflow-judgement.ts";
import { probeTemporal, whyUnreachable } from "./workflow-view.ts";
import type { WorkflowAccess } from "./workflow-view.ts";
import { checkWorkflows } from "./workflows.ts";

const ROW_INVARIANTS = [
  ...RUN_INVARIANTS,
  ...THREAD_INVARIANTS,
  ...WORK_INVARIANTS,
  ...BELONGING_INVARIANTS,
  ...CALL_INVARIANTS,
  ...CODE_INVARIANTS,
  ...USAGE_INVARIANTS,
  ...OLD_EVENT_INVARIANTS,
  ...KEY_INVARIANTS,
  ...V1_FILE_INVARIANTS,
  ...STORE_INVARIANTS,
];

export const DEFAULT_GRACE_MS = 60_000;
export const DEFAULT_CONFIRM_AFTER_MS = 10_000;
export const DEFAULT_FIRST = 10;
export const DEFAULT_SAMPLE = 1000;

export interface AuditOptions {
  /** One connection of it is used. */
  db: Pool;
  /** Without it, only the database is checked. */
  temporal?: WorkflowAccess;
  /** How late anything may be: a look of the sweep, an expiry, the start and the end of a workflow. */
  graceMs?: number;
  /** Between the two looks at whatever looks wrong between the database and Temporal. */
  confirmAfterMs?: number;
  /** How many violations of each invariant are named; all are counted. */
  first?: number;
  /** How many of the runs that ended last are held against their workflows. */
  sample?: number;
  /** What clients were told, where that is known. */
  received?: Received;
  /** The contents of files. Without them nothing is said about them. */
  blobs?: AuditedBlobs;
}

export interface AuditReport {
  /** Whether no invariant is broken. What could not be checked does not count. */
  ok: boolean;
  /** Why Temporal was not asked, or not to the end; null when it was. */
  temporal_problem: string | null;
  invariants: InvariantResult[];
}

/** Throws when the database cannot be read. */
export async function audit(options: AuditOptions): Promise<AuditReport> {
  const { db, graceMs = DEFAULT_GRACE_MS, received } = options;
  const catalogue = {
    ...toCatalogue(ROW_INVARIANTS),
    ...EVENT_CATALOGUE,
    ...WORKFLOW_CATALOGUE,
    ...INGEST_CATALOGUE,
    ...(received === undefined ? {} : RECEIVED_CATALOGUE),
    ...(options.blobs === undefined ? {} : BLOB_CATALOGUE),
  };
  const tally = createTally(catalogue, options.first ?? DEFAULT_FIRST);
  await checkRows(db, tally, ROW_INVARIANTS, graceMs);
  await checkEvents(db, tally);
  if (received !== undefined) await checkReceived(db, tally, received);
  if (options.blobs !== undefined) await checkStore(db, tally, options.blobs, graceMs);
  const problem = await checkTemporal(options, tally, graceMs);
  if (problem !== undefined) tally.skip(Object.keys({ ...WORKFLOW_CATALOGUE, ...INGEST_CATALOGUE }), problem);
  const invariants = tally.results();
  return { ok: invariants.every(({ violations }) => violations === 0), temporal_problem: problem ?? null, invariants };
}

/** A store that cannot be read is no reason to say nothing about the rest. */
async function checkStore(db: Pool, tally: Tally, blobs: AuditedBlobs, graceMs: number): Promise<void> {
  try {
    await checkBlobs(db, tally, blobs, graceMs);
  } catch (error) {
    if (!(error instanceof BlobsUnavailable)) throw error;
    tally.skip(Object.keys(BLOB_CATALOGUE), error.message);
  }
}

/** Returns why Temporal could not be asked, or not to the end. */
async function checkTemporal(options: AuditOptions, tally: Tally, graceMs: number): Promise<string | undefined> {
  const { db, temporal, confirmAfterMs = DEFAULT_CONFIRM_AFTER_MS, sample = DEFAULT_SAMPLE } = options;
  if (temporal === undefined) return "not asked";
  const problem = await probeTemporal(temporal);
  if (problem !== undefined) return problem;
  try {
    await checkWorkflows(db, tally, { access: temporal, graceMs, confirmAfterMs, sample });
    await checkIngests(db, tally, { access: temporal, graceMs, confirmAfterMs });
    return undefined;
  } catch (error) {
    return whyUnreachable(error);
  }
}
