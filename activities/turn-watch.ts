// Everything that can stop a turn from outside, as one abort signal with one reason.
import { CancelledFailure, Context } from "@temporalio/activity";
import { HEARTBEAT_INTERVAL_MS } from "../contract/limits.ts";
import type { StopReason } from "../db/event-writer.ts";

/** Why a turn was stopped. The first reason counts. */
export type TurnStop =
  /** The run's time is over. */
  | { kind: "expired" }
  /** The workflow was cancelled, from the API or by an operator. */
  | { kind: "cancelled" }
  /** This worker goes away, has lost Temporal, or was told to begin again: the turn is made by another try. */
  | { kind: "released"; failure: unknown }
  | StopReason;

export class TurnWatch {
  readonly #controller = new AbortController();
  readonly #expiry: NodeJS.Timeout;
  readonly #heartbeat: NodeJS.Timeout;
  /** By `performance.now()`, which nobody sets: the clock of this machine need not be that of Postgres. */
  readonly #expiresAt: number;
  #stop: TurnStop | undefined;

  /** @param expiresInMs milliseconds until the run expires */
  constructor(expiresInMs: number) {
    const context = Context.current();
    this.#expiresAt = performance.now() + expiresInMs;
    // Timers hold at most 2^31 ms; the workflow watches over longer lives.
    this.#expiry = setTimeout(() => this.stop({ kind: "expired" }), Math.min(this.leftMs, 2 ** 31 - 1));
    this.#heartbeat = setInterval(() => context.heartbeat(), HEARTBEAT_INTERVAL_MS);
    context.cancelled.catch((failure: unknown) => this.stop(toStop(failure)));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Milliseconds until the run expires; 0 when its time is over. */
  get leftMs(): number {
    return Math.max(this.#expiresAt - performance.now(), 0);
  }

  get stopped(): TurnStop | undefined {
    return this.#stop;
  }

  stop(reason: TurnStop): void {
    this.#stop ??= reason;
    this.#controller.abort();
  }

  close(): void {
    clearTimeout(this.#expiry);
    clearInterval(this.#heartbeat);
  }
}

/** Temporal takes a turn back for many reasons. Only one of them is that somebody wants the run to end. */
function toStop(failure: unknown): TurnStop {
  const wasAsked = failure instanceof CancelledFailure && failure.message === "CANCELLED";
  return wasAsked ? { kind: "cancelled" } : { kind: "released", failure };
}
