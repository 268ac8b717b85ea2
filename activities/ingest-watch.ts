// Everything that can stop a step of ingestion from outside, as one abort signal; and what it tells Temporal meanwhile.
import { CancelledFailure, Context } from "@temporalio/activity";
import { HEARTBEAT_INTERVAL_MS } from "../contract/limits.ts";

/** Why a step was stopped. */
export type IngestStop =
  /** The workflow was cancelled, from the API or by an operator. */
  | { kind: "cancelled" }
  /** This worker goes away, has lost Temporal, or was told to begin again: another try goes on. */
  | { kind: "released"; failure: unknown };

/** Shown in Temporal's UI while the step goes on. */
interface Heartbeat {
  chunks: number;
}

export class IngestWatch {
  readonly #controller = new AbortController();
  readonly #heartbeat: NodeJS.Timeout;
  readonly #progress: Heartbeat = { chunks: 0 };
  #stop: IngestStop | undefined;

  constructor() {
    const context = Context.current();
    this.#heartbeat = setInterval(() => context.heartbeat({ ...this.#progress }), HEARTBEAT_INTERVAL_MS);
    context.cancelled.catch((failure: unknown) => {
      const wasAsked = failure instanceof CancelledFailure && failure.message === "CANCELLED";
      this.#stop ??= wasAsked ? { kind: "cancelled" } : { kind: "released", failure };
      this.#controller.abort();
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get stopped(): IngestStop | undefined {
    return this.#stop;
  }

  /** So many chunks are done now. */
  done(chunks: number): void {
    this.#progress.chunks = chunks;
  }

  close(): void {
    clearInterval(this.#heartbeat);
  }
}
