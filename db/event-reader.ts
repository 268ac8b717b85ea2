// The readers' side of the events: one LISTEN connection per API process, fanned out in memory. A notice only makes
// things fast: whatever is missing or too much for memory is read from the tables, by (run id, position).
import pg from "pg";
import { EVENT_BATCH, EVENT_POLL_MS, MAX_QUEUED_EVENTS } from "../contract/limits.ts";
import type { Pool } from "./pool.ts";
import { EVENTS_CHANNEL, readEvents, readPositions } from "./run-events.ts";
import type { Notice, StoredEvent } from "./run-events.ts";

const RECONNECT_MS = 500;

/** The events of one run from a position on: each exactly once, in order. Ends when the run is deleted or on `close()`. */
export class EventSubscription implements AsyncIterable<StoredEvent> {
  readonly runId: string;
  readonly #reader: EventReader;
  /** Position of the last event handed out. */
  #cursor: number;
  #queue: StoredEvent[] = [];
  /** The tables may hold more than the queue. */
  #stale = true;
  #reading = false;
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(reader: EventReader, runId: string, after: number) {
    this.#reader = reader;
    this.runId = runId;
    this.#cursor = after;
  }

  get tail(): number {
    return this.#queue.at(-1)?.seq ?? this.#cursor;
  }

  /** Takes a notice: its event if it is the next one and there is room, else only the news that there is something. */
  offer(seq: number, event?: StoredEvent): void {
    if (seq <= this.tail) return;
    const live = !this.#stale && !this.#reading;
    const fits = event !== undefined && live && seq === this.tail + 1 && this.#queue.length < MAX_QUEUED_EVENTS;
    if (fits) this.#queue.push(event);
    else this.#stale = true;
    this.#wake?.();
  }

  close(): void {
    this.#closed = true;
    this.#reader.forget(this);
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StoredEvent, void, void> {
    try {
      while (!this.#closed) {
        const next = this.#queue.shift();
        if (next !== undefined) {
          this.#cursor = next.seq;
          yield next;
        } else if (this.#stale) {
          await this.#catchUp();
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
          this.#wake = undefined;
        }
      }
    } finally {
      this.close();
    }
  }

  async #catchUp(): Promise<void> {
    this.#stale = false;
    this.#reading = true;
    try {
      const events = await this.#reader.read(this.runId, this.#cursor);
      this.#queue = events;
      if (events.length === EVENT_BATCH) this.#stale = true;
    } finally {
      this.#reading = false;
    }
  }
}

export interface EventReaderOptions {
  url: string;
  pool: Pool;
  onError: (error: Error) => void;
}

/** One per API process. `start()` opens the LISTEN connection and keeps it open; `stop()` ends every subscription. */
export class EventReader {
  readonly #options: EventReaderOptions;
  readonly #subscriptions = new Map<string, Set<EventSubscription>>();
  #client: pg.Client | undefined;
  #poll: NodeJS.Timeout | undefined;
  #polling = false;
  #stopped = false;

  constructor(options: EventReaderOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#listen();
    this.#poll = setInterval(() => void this.#checkPositions(), EVENT_POLL_MS);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#poll);
    this.endSubscriptions();
    await this.#client?.end();
  }

  /** Ends every subscription; their readers can come back to another process. */
  endSubscriptions(): void {
    for (const subscription of this.#all()) subscription.close();
  }

  /** Follows a run behind a position; 0 is from its beginning. */
  subscribe(runId: string, after: number): EventSubscription {
    const subscription = new EventSubscription(this, runId, after);
    const others = this.#subscriptions.get(runId);
    if (others === undefined) this.#subscriptions.set(runId, new Set([subscription]));
    else others.add(subscription);
    return subscription;
  }

  forget(subscription: EventSubscription): void {
    const others = this.#subscriptions.get(subscription.runId);
    others?.delete(subscription);
    if (others?.size === 0) this.#subscriptions.delete(subscription.runId);
  }

  read(runId: string, after: number): Promise<StoredEvent[]> {
    return readEvents(this.#options.pool, runId, after, EVENT_BATCH);
  }

  *#all(): Iterable<EventSubscription> {
    for (const subscriptions of this.#subscriptions.values()) yield* subscriptions;
  }

  async #listen(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#options.url,
      application_name: "event reader",
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
    });
    client.on("notification", ({ payload }) => this.#take(payload ?? "[]"));
    client.on("error", this.#options.onError);
    // A client that never got as far as listening also ends; only the one in use is replaced.
    client.on("end", () => void this.#replace(client));
    try {
      await client.connect();
      await client.query(`listen ${EVENTS_CHANNEL}`);
      if (this.#stopped) throw new Error("stopped while connecting");
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    this.#client = client;
    // What was said while nobody listened is in the tables.
    for (const subscription of this.#all()) subscription.offer(Number.MAX_SAFE_INTEGER);
  }

  async #replace(lost: pg.Client): Promise<void> {
    if (this.#client !== lost) return;
    this.#client = undefined;
    while (!this.#stopped && this.#client === undefined) {
      await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
      if (!this.#stopped) await this.#listen().catch(this.#options.onError);
    }
  }

  #take(payload: string): void {
    for (const [runId, seq, event, data] of JSON.parse(payload) as Notice[]) {
      const subscriptions = this.#subscriptions.get(runId);
      if (subscriptions === undefined) continue;
      const stored = event === undefined ? undefined : { seq, event, data: JSON.stringify(data) };
      for (const subscription of subscriptions) subscription.offer(seq, stored);
    }
  }

  /** Repairs lost notices, and ends the subscriptions of runs that are gone. One query, however many readers. */
  async #checkPositions(): Promise<void> {
    if (this.#polling || this.#subscriptions.size === 0) return;
    this.#polling = true;
    try {
      // Runs that are followed from now on are not in the answer, and yet not gone.
      const runIds = [...this.#subscriptions.keys()];
      const positions = await readPositions(this.#options.pool, runIds);
      for (const runId of runIds) {
        const position = positions.get(runId);
        for (const subscription of this.#subscriptions.get(runId) ?? []) {
          if (position === undefined) subscription.close();
          else subscription.offer(position ?? Number.MAX_SAFE_INTEGER);
        }
      }
    } catch (error) {
      this.#options.onError(error as Error);
    } finally {
      this.#polling = false;
    }
  }
}
