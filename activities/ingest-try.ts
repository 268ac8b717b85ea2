// One try of a step of ingestion: take the file in hand, work on it, and say what becomes of a try that did not get
// through. Temporal may begin a step more than once, also side by side: the lease decides which try may write.
import { setTimeout as sleep } from "node:timers/promises";
import { ApplicationFailure, Context, log } from "@temporalio/activity";
import { BlobNotFound } from "../blobs/blobs.ts";
import {
  FORGIVE_RETRY_MS,
  INGEST_RETRY_MAX_MS,
  INGEST_RETRY_MIN_MS,
  MAX_INGEST_FAILURES,
  MAX_INGEST_TRIES,
  MAX_RETRY_AFTER_MS,
  SUSPECT_WAIT_MS,
} from "../contract/limits.ts";
import type { IngestError } from "../contract/vector-store-file.ts";
import { beginStep, endFile, forgiveTry, IngestLost, noteFailure } from "../db/ingests.ts";
import type { FileInWork, IngestEnd, StepStart } from "../db/ingests.ts";
import type { Pool } from "../db/pool.ts";
import { isUnavailable } from "../db/unavailable.ts";
import { DocumentRefused } from "../documents/refusal.ts";
import { ModelBusy, ModelFailed, ModelRefused } from "../model/model.ts";
import { backoff } from "./backoff.ts";
import { IngestWatch } from "./ingest-watch.ts";
import type { Suspects } from "./suspects.ts";

const RETRY = { min: INGEST_RETRY_MIN_MS, max: INGEST_RETRY_MAX_MS };

/** Which file in which store; nothing else travels through Temporal. */
export interface IngestInput {
  /** Number of the file's entry in the store. */
  entry: number;
  projectId: string;
}

export interface IngestEnded {
  kind: "ended";
  status: IngestEnd;
  /** Of the error with which the file has failed. */
  code?: IngestError["code"];
}

export interface TryDeps {
  pool: Pool;
  /** Files that workers may have died of. */
  suspectFiles: Suspects;
}

type Work<Outcome> = (file: FileInWork, watch: IngestWatch) => Promise<Outcome>;

/** Fails, to be retried, when something cannot be had that may come back; every other end is an outcome. */
export async function tryStep<Outcome>(
  deps: TryDeps,
  input: IngestInput,
  work: Work<Outcome>,
): Promise<Outcome | IngestEnded> {
  const key = { id: input.entry, project_id: input.projectId };
  let start: StepStart = await beginStep(deps.pool, key, false);
  const leave = start.kind === "suspect" ? deps.suspectFiles.enter() : undefined;
  try {
    if (leave !== undefined) start = await beginStep(deps.pool, key, true);
    switch (start.kind) {
      case "ended":
        return { kind: "ended", status: start.status };
      case "suspect":
        throw suspectWaits();
      case "work":
        break;
    }
    return await workOn(deps.pool, start.file, work);
  } finally {
    leave?.();
  }
}

async function workOn<Outcome>(pool: Pool, file: FileInWork, work: Work<Outcome>): Promise<Outcome | IngestEnded> {
  if (file.tries > MAX_INGEST_TRIES) {
    const step = file.chunks === null ? "its text was read" : "it was embedded";
    return fail(
      pool,
      file,
      "server_error",
      `The file was given up: ${file.tries - 1} times a worker died while ${step}.`,
    );
  }
  const watch = new IngestWatch();
  try {
    return await work(file, watch);
  } catch (error) {
    return await recover(pool, file, watch, error).catch(async (failure: unknown) => {
      if (isUnavailable(failure)) await forgiveWhenPossible(pool, file, watch);
      throw failure;
    });
  } finally {
    watch.close();
  }
}

/** Ends a file for good. */
export async function fail(
  pool: Pool,
  file: FileInWork,
  code: IngestError["code"],
  message: string,
): Promise<IngestEnded> {
  const status = await endFile(pool, file, { to: "failed", error: { code, message } });
  if (status === undefined) throw overtaken();
  return status === "failed" ? { kind: "ended", status, code } : { kind: "ended", status };
}

/** What became of a try that did not reach its end. Throws what Temporal is to retry. */
async function recover(pool: Pool, file: FileInWork, watch: IngestWatch, error: unknown): Promise<IngestEnded> {
  if (error instanceof IngestLost) {
    if (error.end === undefined) throw overtaken();
    return { kind: "ended", status: error.end };
  }
  const stop = watch.stopped;
  if (stop?.kind === "cancelled") {
    const status = await endFile(pool, file, { to: "cancelled" });
    return { kind: "ended", status: status ?? "cancelled" };
  }
  if (stop?.kind === "released") {
    await forgiveTry(pool, file);
    throw stop.failure;
  }
  if (error instanceof DocumentRefused) return fail(pool, file, error.code, error.message);
  if (error instanceof ModelRefused) return fail(pool, file, "server_error", error.message);
  if (error instanceof ModelBusy) {
    await forgiveTry(pool, file);
    const delayMs = Math.min(error.retryAfterMs ?? backoff(Context.current().info.attempt, RETRY), MAX_RETRY_AFTER_MS);
    throw retry("ModelBusy", error, delayMs);
  }
  if (isUnavailable(error)) throw error;
  return failLater(pool, file, error);
}

/** Something else went wrong: worth some tries, and then the end of the file. */
async function failLater(pool: Pool, file: FileInWork, error: unknown): Promise<IngestEnded> {
  const failure = error instanceof Error ? error : new Error("unknown", { cause: error });
  if (file.failures + 1 < MAX_INGEST_FAILURES) {
    await noteFailure(pool, file);
    throw retry(failure.name, failure, backoff(file.failures + 1, RETRY));
  }
  log.warn("a file was given up", { error: failure.name });
  if (failure instanceof ModelFailed) {
    return fail(pool, file, "server_error", `The embedding endpoint failed again and again: ${failure.message}`);
  }
  if (failure instanceof BlobNotFound) return fail(pool, file, "server_error", "The content of the file is lost.");
  return fail(pool, file, "server_error", "The file could not be processed because of an internal error.");
}

/** Waits for the database, since it alone knows how often a file was tried: its absence must not count. */
async function forgiveWhenPossible(pool: Pool, file: FileInWork, watch: IngestWatch): Promise<void> {
  while (watch.stopped === undefined) {
    try {
      await forgiveTry(pool, file);
      return;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
    }
    await sleep(FORGIVE_RETRY_MS, undefined, { signal: watch.signal }).catch(() => undefined);
  }
}

/** Asks Temporal to try again after a while. */
function retry(type: string, error: Error, nextRetryDelay: number): ApplicationFailure {
  // What was said may quote the document: it is neither for the history nor for ordinary logs.
  log.warn("a step of ingestion will be tried again", { type, nextRetryDelay });
  log.debug("what went wrong", { reason: error.message });
  return ApplicationFailure.create({ type, message: `${type}: tried again in ${nextRetryDelay} ms`, nextRetryDelay });
}

/** The newer try has the outcome; or it is about to. */
function overtaken(): ApplicationFailure {
  return ApplicationFailure.create({ type: "IngestLost", message: "another try has this file", nextRetryDelay: 1000 });
}

function suspectWaits(): ApplicationFailure {
  const message =
    "workers have died of this file, or beside it; it waits until this one has no other such file in hand";
  return ApplicationFailure.create({ type: "SuspectWaits", message, nextRetryDelay: SUSPECT_WAIT_MS });
}
