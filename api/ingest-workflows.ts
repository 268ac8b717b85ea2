// How the API reaches the workflows that make files searchable. As with runs, everything here is a nudge: which files are
// on their way is in the database, and whoever looks there starts what is not under way yet.
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from "@temporalio/client";
import type { Client } from "@temporalio/client";
import type { FastifyBaseLogger } from "fastify";
import { MAX_INGEST_NUDGES, MAX_QUEUED_INGEST_CANCELS, NUDGE_TIMEOUT_MS, SWEEP_BATCH } from "../contract/limits.ts";
import { takeFilesToCheck } from "../db/ingest-checks.ts";
import type { FileToCheck } from "../db/ingest-checks.ts";
import { endFile } from "../db/ingests.ts";
import type { Pool } from "../db/pool.ts";
import type { IngestKey } from "../db/vector-store-files.ts";
import { ingestWorkflowId, searchAttributes } from "../workflows/definitions.ts";
import type { ingestWorkflow } from "../workflows/ingest.ts";

export interface IngestWorkflowsOptions {
  db: Pool;
  client: Client;
  taskQueue: string;
  log: FastifyBaseLogger;
}

export class IngestWorkflows {
  readonly #options: IngestWorkflowsOptions;
  readonly #cancels: IngestKey[] = [];
  #isDue = false;
  #looking: Promise<void> | undefined;
  #cancelling: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: IngestWorkflowsOptions) {
    this.#options = options;
  }

  /** Looks in the background for files that are due for a look: to be called when files were added, and by the sweep. */
  look(): void {
    if (this.#isStopped) return;
    this.#isDue = true;
    this.#looking ??= this.#lookUntilDone().finally(() => {
      this.#looking = undefined;
    });
  }

  /** Cancels in the background the workflows of files that have ended. A workflow that is not told finds out by itself. */
  cancel(files: readonly IngestKey[]): void {
    this.#cancels.push(...files.slice(0, MAX_QUEUED_INGEST_CANCELS - this.#cancels.length));
    this.#cancelling ??= this.#cancelAll().finally(() => {
      this.#cancelling = undefined;
    });
  }

  /** Waits for what is under way, and leaves the rest to others. */
  async drain(): Promise<void> {
    this.#isStopped = true;
    this.#cancels.length = 0;
    await Promise.allSettled([this.#looking, this.#cancelling]);
  }

  async #lookUntilDone(): Promise<void> {
    try {
      while (this.#isDue && !this.#isStopped) {
        this.#isDue = false;
        const files = await takeFilesToCheck(this.#options.db, SWEEP_BATCH);
        if (files.length === SWEEP_BATCH) this.#isDue = true;
        await eachOf(files, (file) => this.#attempt(file, () => this.#check(file)));
      }
    } catch (error) {
      this.#options.log.warn({ err: error }, "files could not be checked");
    }
  }

  async #cancelAll(): Promise<void> {
    while (this.#cancels.length > 0) {
      const files = this.#cancels.splice(0, SWEEP_BATCH);
      await eachOf(files, (file) => this.#attempt(file, () => this.#cancelNow(file)));
    }
  }

  async #attempt(file: IngestKey, send: () => Promise<void>): Promise<void> {
    try {
      await this.#options.client.withDeadline(Date.now() + NUDGE_TIMEOUT_MS, send);
    } catch (error) {
      this.#options.log.warn({ err: error, workflowId: ingestWorkflowId(file) }, "the workflow could not be reached");
    }
  }

  async #check(file: FileToCheck): Promise<void> {
    const isOpen = file.checks === 1 ? undefined : await this.#isOpen(file);
    if (isOpen === undefined) await this.#startNow(file);
    if (isOpen !== false) return;
    const error = {
      code: "server_error",
      message: "The file's workflow was closed before the file was ready.",
    } as const;
    const end = await endFile(this.#options.db, file, { to: "failed", error });
    if (end === "failed") {
      this.#options.log.warn({ workflowId: ingestWorkflowId(file) }, "the file's workflow was closed from outside");
    }
  }

  async #startNow(file: IngestKey): Promise<void> {
    await this.#options.client.workflow
      .start<typeof ingestWorkflow>("ingestWorkflow", {
        workflowId: ingestWorkflowId(file),
        taskQueue: this.#options.taskQueue,
        args: [{ entry: file.id, projectId: file.project_id }],
        workflowIdConflictPolicy: "USE_EXISTING",
        workflowIdReusePolicy: "REJECT_DUPLICATE",
        staticSummary: `${file.file_id} into ${file.vector_store_id}`,
        // Where the Temporal server has fairness, no project waits behind all the files of another one.
        priority: { fairnessKey: file.project_id },
        typedSearchAttributes: [
          { key: searchAttributes.project, value: file.project_id },
          { key: searchAttributes.vectorStore, value: file.vector_store_id },
          { key: searchAttributes.file, value: file.file_id },
        ],
      })
      .catch((error: unknown) => {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      });
  }

  /** Undefined when Temporal does not know the workflow. */
  async #isOpen(file: IngestKey): Promise<boolean | undefined> {
    try {
      const { status } = await this.#options.client.workflow.getHandle(ingestWorkflowId(file)).describe();
      return status.name === "RUNNING";
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  }

  async #cancelNow(file: IngestKey): Promise<void> {
    try {
      await this.#options.client.workflow.getHandle(ingestWorkflowId(file)).cancel();
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
}

/** A few at a time, so that a batch of thousands leaves room for the nudges of runs. */
async function eachOf<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: MAX_INGEST_NUDGES }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}
