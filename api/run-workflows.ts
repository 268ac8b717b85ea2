// How the API reaches the workflows of runs. Everything here is a nudge: what counts is in the database, and a nudge
// that gets lost is repaired by the sweep. So nothing waits for Temporal, and a Temporal that is down refuses no request.
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from "@temporalio/client";
import type { Client, WorkflowStartOptions } from "@temporalio/client";
import type { FastifyBaseLogger } from "fastify";
import { MAX_PENDING_NUDGES, NUDGE_TIMEOUT_MS } from "../contract/limits.ts";
import { searchAttributes, wake } from "../workflows/definitions.ts";
import type { runWorkflow } from "../workflows/run.ts";

/** What a workflow is started with. */
export interface RunIdentity {
  id: string;
  project_id: string;
  thread_id: string;
  assistant_id: string;
  model: string;
}

export interface RunWorkflowsOptions {
  client: Client;
  taskQueue: string;
  log: FastifyBaseLogger;
}

export class RunWorkflows {
  readonly #options: RunWorkflowsOptions;
  readonly #pending = new Set<Promise<void>>();

  constructor(options: RunWorkflowsOptions) {
    this.#options = options;
  }

  /** Starts a run's workflow in the background. Starting it twice does no harm. */
  start(run: RunIdentity): void {
    this.#inBackground(run.id, "start", () => this.startNow(run));
  }

  /** Tells a run's workflow to look again. A workflow that is not there is started: it reads the rest from the row. */
  wake(run: RunIdentity): void {
    this.#inBackground(run.id, "wake", () => this.wakeNow(run));
  }

  /** Cancels a run's workflow in the background. */
  cancel(runId: string): void {
    this.#inBackground(runId, "cancel", () => this.cancelNow(runId));
  }

  async startNow(run: RunIdentity): Promise<void> {
    await this.#client.workflow.start<typeof runWorkflow>("runWorkflow", this.#startOptions(run)).catch(ignoreStarted);
  }

  async wakeNow(run: RunIdentity): Promise<void> {
    try {
      await this.#client.workflow.getHandle(run.id).signal(wake); // a millisecond less than with a start
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      await this.#wakeOrStart(run);
    }
  }

  async #wakeOrStart(run: RunIdentity): Promise<void> {
    await this.#client.workflow
      .signalWithStart<typeof runWorkflow, []>("runWorkflow", {
        ...this.#startOptions(run),
        signal: wake,
        signalArgs: [],
      })
      .catch(ignoreStarted);
  }

  async cancelNow(runId: string): Promise<void> {
    await this.#client.workflow
      .getHandle(runId)
      .cancel()
      .catch((error: unknown) => {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      });
  }

  /** Whether a run's workflow is open; undefined when Temporal does not know it (any more). */
  async isOpen(runId: string): Promise<boolean | undefined> {
    try {
      const { status } = await this.#client.workflow.getHandle(runId).describe();
      return status.name === "RUNNING";
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  }

  /** Waits for the nudges that are under way. */
  async drain(): Promise<void> {
    await Promise.allSettled(this.#pending);
  }

  get #client(): Client {
    return this.#options.client;
  }

  #startOptions(run: RunIdentity): WorkflowStartOptions<typeof runWorkflow> {
    return {
      workflowId: run.id,
      taskQueue: this.#options.taskQueue,
      args: [{ runId: run.id, projectId: run.project_id }],
      workflowIdConflictPolicy: "USE_EXISTING",
      workflowIdReusePolicy: "REJECT_DUPLICATE",
      staticSummary: `${run.model} on ${run.thread_id}`,
      typedSearchAttributes: [
        { key: searchAttributes.thread, value: run.thread_id },
        { key: searchAttributes.assistant, value: run.assistant_id },
        { key: searchAttributes.project, value: run.project_id },
        { key: searchAttributes.model, value: run.model },
      ],
    };
  }

  #inBackground(runId: string, nudge: string, send: () => Promise<void>): void {
    // Too many under way: Temporal is slow or down, and the sweep will find the run.
    if (this.#pending.size >= MAX_PENDING_NUDGES) return;
    const sent = this.#client
      .withDeadline(Date.now() + NUDGE_TIMEOUT_MS, send)
      .catch((error: unknown) =>
        this.#options.log.warn({ err: error, runId, nudge }, "the workflow could not be reached"),
      )
      .finally(() => this.#pending.delete(sent));
    this.#pending.add(sent);
  }
}

/** The workflow has run and is closed: there is nothing left to start. */
function ignoreStarted(error: unknown): void {
  if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
}
