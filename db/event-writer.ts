// The one way by which a worker process writes deltas: every stream appends to a buffer, and one connection flushes all
// of them together, so that two hundred streams cost Postgres twenty transactions a second and not ten thousand.
import pg from "pg";
import { DELTA_FLUSH_MS, MAX_JOINED_DELTA_LENGTH, MAX_NOTICE_BYTES, STATUS_POLL_MS } from "../contract/limits.ts";
import type { RunStatus } from "../contract/run-state.ts";
import { EVENTS_CHANNEL } from "./run-events.ts";
import type { Appended } from "./run-events.ts";

/** Room for the framing of one event inside a notice: brackets, run id, position and name. */
const NOTICE_FRAME_BYTES = 120;
const RETRY_MS = 500;
/** How long a flush may be awaited before the stream counts as broken. */
const FLUSH_DEADLINE_MS = 15_000;

/** Why a stream must stop: the run left `in_progress` (or is deleted), or another try of the turn has taken over. */
export type StopReason = { kind: "status"; status: RunStatus | "deleted" } | { kind: "superseded" };

interface Pending {
  event: string;
  /** Deltas with the same key that wait together are joined into one. */
  key: string | undefined;
  text: string;
  render: (text: string) => unknown;
}

/** The deltas of one turn of one run. */
export class EventChannel {
  readonly runId: string;
  readonly epoch: number;
  readonly onStop: (reason: StopReason) => void;
  /** Appended and not yet written, in order. */
  pending: Pending[] = [];
  /** How many of `pending` have been sent. They stay as they are until it is known that they were written. */
  taken = 0;
  /** Deltas of this channel that are known to be written. */
  written = 0;
  stopped = false;
  lastSeenAt = Date.now();
  readonly #writer: EventWriter;
  #waiters: PromiseWithResolvers<void>[] = [];

  constructor(writer: EventWriter, runId: string, epoch: number, onStop: (reason: StopReason) => void) {
    this.#writer = writer;
    this.runId = runId;
    this.epoch = epoch;
    this.onStop = onStop;
  }

  /** Appends a delta. `render` makes its payload from the text that was gathered under `key` until the flush. */
  append(event: string, text: string, render: (text: string) => unknown, key?: string): void {
    if (this.stopped) return;
    const last = this.pending.at(-1);
    const canJoin = key !== undefined && last?.key === key && this.pending.length > this.taken;
    if (canJoin && last.text.length + text.length <= MAX_JOINED_DELTA_LENGTH) last.text += text;
    else this.pending.push({ event, key, text, render });
    this.#writer.schedule(this.written === 0 ? "now" : "soon");
  }

  /** Resolves when everything appended so far is written; rejects when that takes too long. */
  async flushed(): Promise<void> {
    if (this.pending.length === 0 || this.stopped) return;
    const waiter = Promise.withResolvers<void>();
    this.#waiters.push(waiter);
    const timer = setTimeout(() => waiter.reject(new Error("deltas could not be written in time")), FLUSH_DEADLINE_MS);
    this.#writer.schedule("now");
    try {
      await waiter.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Called by the writer when the taken deltas are in the table. */
  confirm(): void {
    this.pending.splice(0, this.taken);
    this.written += this.taken;
    this.taken = 0;
    if (this.pending.length === 0) this.settle();
  }

  /** Called by the writer when the run goes on without this stream. */
  stop(reason: StopReason): void {
    if (this.stopped) return;
    this.stopped = true;
    this.pending = [];
    this.taken = 0;
    this.settle();
    this.onStop(reason);
  }

  settle(): void {
    for (const waiter of this.#waiters.splice(0)) waiter.resolve();
  }

  close(): void {
    this.#writer.forget(this);
    this.settle();
  }
}

export interface EventWriterOptions {
  url: string;
  onError: (error: Error) => void;
}

/** One per worker process. Holds one connection of its own; `close()` releases it. */
export class EventWriter {
  readonly #options: EventWriterOptions;
  readonly #channels = new Set<EventChannel>();
  /** Durable events, by run, that readers have not been told of yet. */
  readonly #announced = new Map<string, Appended>();
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  readonly #poll: NodeJS.Timeout;
  #flushing = false;
  /** Settles when the flush under way is over. */
  #flushed: Promise<void> = Promise.resolve();
  /** Whether another flush is to follow the one under way. */
  #again: "no" | "soon" | "now" = "no";
  #lastFlush = 0;
  #closed = false;
  #pausing = false;

  constructor(options: EventWriterOptions) {
    this.#options = options;
    this.#poll = setInterval(() => this.schedule(), STATUS_POLL_MS);
  }

  /** Opens the stream of a turn that `beginTurn` has given to this process. */
  open(runId: string, epoch: number, onStop: (reason: StopReason) => void): EventChannel {
    const channel = new EventChannel(this, runId, epoch, onStop);
    this.#channels.add(channel);
    return channel;
  }

  forget(channel: EventChannel): void {
    this.#channels.delete(channel);
  }

  /** Tells readers at once what a transaction has added to a run. Call after its commit. */
  announce(runId: string, added: Appended): void {
    const before = this.#announced.get(runId);
    const goesOn = before !== undefined && before.seq + added.events.length === added.seq;
    this.#announced.set(runId, goesOn ? { seq: added.seq, events: [...before.events, ...added.events] } : added);
    this.schedule("now");
  }

  /** Flushes now when someone waits for it (a stream's first delta, a change of status), else after the usual pause. */
  schedule(urgency: "soon" | "now" = "soon"): void {
    if (this.#closed || this.#pausing) return;
    if (this.#flushing) {
      if (this.#again !== "now") this.#again = urgency;
      return;
    }
    if (urgency === "now") {
      this.#immediate ??= setImmediate(() => void this.#run()); // a timer would wait for a millisecond
    } else if (this.#immediate === undefined) {
      const wait = Math.max(0, this.#lastFlush + DELTA_FLUSH_MS - performance.now());
      this.#timer ??= setTimeout(() => void this.#run(), wait);
    }
  }

  /** Writes what is left and closes the connection. */
  async close(): Promise<void> {
    clearInterval(this.#poll);
    this.#unschedule();
    await this.#flushed;
    await this.#run();
    this.#closed = true;
    await this.#client?.end().catch(this.#options.onError);
  }

  #unschedule(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#timer = undefined;
    this.#immediate = undefined;
  }

  async #run(): Promise<void> {
    this.#unschedule();
    this.#flushing = true;
    this.#again = "no";
    this.#lastFlush = performance.now();
    let failed = false;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#flushed = promise;
    try {
      await this.#flush();
    } catch (error) {
      failed = true;
      this.#options.onError(error as Error);
      this.#client?.end().catch(() => undefined);
      this.#client = undefined;
    } finally {
      this.#flushing = false;
      resolve();
    }
    if (this.#closed) return;
    if (failed) this.#pause();
    else if (this.#again !== "no") this.schedule(this.#again);
  }

  /** After a failure everything waits a little, however much there is to say. */
  #pause(): void {
    this.#pausing = true;
    setTimeout(() => {
      this.#pausing = false;
      this.schedule("now");
    }, RETRY_MS);
  }

  async #flush(): Promise<void> {
    const now = Date.now();
    const channels = [...this.#channels].filter(
      (channel) => !channel.stopped && (channel.pending.length > 0 || now - channel.lastSeenAt >= STATUS_POLL_MS),
    );
    const announced = [...this.#announced];
    if (channels.length === 0 && announced.length === 0) return;
    const client = await this.#connect();
    const items = collectItems(channels);
    const { rows } = await client.query<FlushOutcome>({
      name: "flush",
      text: FLUSH,
      values: [
        channels.map((channel) => channel.runId),
        channels.map((channel) => channel.epoch),
        items.map((item) => item.runId),
        items.map((item) => item.position),
        items.map((item) => item.event),
        items.map((item) => item.data),
        items.map((item) => item.chunk),
        items.map((item) => item.inline),
        announcements(announced),
        EVENTS_CHANNEL,
        channels.map((channel) => channel.written),
      ],
    });
    for (const [runId, added] of announced) {
      if (this.#announced.get(runId) === added) this.#announced.delete(runId);
    }
    const outcome = new Map(rows.map((row) => [row.run_id, row]));
    for (const channel of channels) settleChannel(channel, outcome.get(channel.runId), now);
    // A row that another transaction held is written by the next flush.
    if (this.#again === "no" && channels.some((channel) => channel.pending.length > 0)) this.#again = "soon";
  }

  async #connect(): Promise<pg.Client> {
    if (this.#client !== undefined) return this.#client;
    const client = new pg.Client({
      connectionString: this.#options.url,
      application_name: "event writer",
      statement_timeout: 10_000,
      query_timeout: 12_000,
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
    });
    client.on("error", (error) => {
      if (this.#client === client) this.#client = undefined;
      this.#options.onError(error);
    });
    await client.connect();
    this.#client = client;
    return client;
  }
}

interface FlushOutcome {
  run_id: string | null;
  epoch: number | null;
  status: RunStatus | null;
  /** Deltas of this epoch that had been written before this flush. */
  before: number | null;
  /** Whether this flush has written the run's deltas. */
  done: boolean;
}

interface Item {
  runId: string;
  position: number;
  event: string;
  data: string;
  chunk: number;
  inline: boolean;
}

/** Spreads events over notices that Postgres accepts. What is too large for any goes as its position alone. */
class Notices {
  #chunk = 0;
  #room = MAX_NOTICE_BYTES;

  /** The number of the notice in which an event has its place, and whether its payload does, too. */
  place(data: string): { chunk: number; inline: boolean } {
    const bytes = Buffer.byteLength(data);
    const inline = bytes + NOTICE_FRAME_BYTES <= MAX_NOTICE_BYTES;
    const cost = NOTICE_FRAME_BYTES + (inline ? bytes : 0);
    if (cost > this.#room) {
      this.#chunk += 1;
      this.#room = MAX_NOTICE_BYTES;
    }
    this.#room -= cost;
    return { chunk: this.#chunk, inline };
  }
}

/** Takes what every channel has pending. */
function collectItems(channels: readonly EventChannel[]): Item[] {
  const items: Item[] = [];
  const notices = new Notices();
  for (const channel of channels) {
    if (channel.taken === 0) channel.taken = channel.pending.length;
    for (const [index, pending] of channel.pending.slice(0, channel.taken).entries()) {
      const data = JSON.stringify(pending.render(pending.text));
      const { runId } = channel;
      items.push({ runId, position: index + 1, event: pending.event, data, ...notices.place(data) });
    }
  }
  return items;
}

/** The notices of durable events. */
function announcements(announced: readonly [runId: string, added: Appended][]): string[] {
  const notices = new Notices();
  const chunks: string[][] = [];
  for (const [runId, { seq, events }] of announced) {
    for (const [index, { event, data }] of events.entries()) {
      const { chunk, inline } = notices.place(data);
      const position = seq - events.length + 1 + index;
      const notice = inline ? `["${runId}",${position},"${event}",${data}]` : `["${runId}",${position}]`;
      (chunks[chunk] ??= []).push(notice);
    }
  }
  return chunks.map((chunk) => `[${chunk.join(",")}]`);
}

function settleChannel(channel: EventChannel, outcome: FlushOutcome | undefined, now: number): void {
  channel.lastSeenAt = now;
  const wasWritten = outcome?.before === channel.written + channel.taken && channel.taken > 0;
  if (outcome?.done === true || wasWritten) channel.confirm();
  if (outcome === undefined || outcome.status === null) channel.stop({ kind: "status", status: "deleted" });
  else if (outcome.status !== "in_progress") channel.stop({ kind: "status", status: outcome.status });
  else if (outcome.epoch !== channel.epoch) channel.stop({ kind: "superseded" });
}

/**
 * One flush: takes positions for all runs whose cursor is free and whose epoch is ours, inserts their deltas, tells the
 * readers, and returns the status of every run, so that a cancel is seen without a query of its own.
 */
const FLUSH = `
  with channel as (
    select * from unnest($1::text[], $2::int[], $11::int[]) as c (run_id, epoch, written)
  ), item as (
    select * from unnest($3::text[], $4::int[], $5::text[], $6::text[], $7::int[], $8::boolean[])
      as i (run_id, position, event, data, chunk, inline)
  ), added as (
    select run_id, count(*) as events from item group by run_id
  ), held as (
    select k.run_id, k.last_seq, a.events
    from run_cursors k
    join channel c on c.run_id = k.run_id and c.epoch = k.epoch and c.written = k.written
    join added a on a.run_id = k.run_id
    for update of k skip locked
  ), moved as (
    update run_cursors k set last_seq = k.last_seq + h.events, written = k.written + h.events
    from held h where k.run_id = h.run_id
  ), written as (
    insert into run_deltas (run_id, seq, event, data)
    select i.run_id, h.last_seq + i.position, i.event, i.data::json from item i join held h on h.run_id = i.run_id
  ), notice as (
    -- what is announced is older than what this flush writes
    select pg_notify($10, payload) from unnest($9::text[]) as payload
    union all
    select pg_notify($10, '[' || string_agg(case when i.inline
        then format('["%s",%s,"%s",%s]', i.run_id, h.last_seq + i.position, i.event, i.data)
        else format('["%s",%s]', i.run_id, h.last_seq + i.position) end, ',' order by i.run_id, i.position) || ']')
    from item i join held h on h.run_id = i.run_id group by i.chunk
  )
  select c.run_id, k.epoch, r.status, k.written as before, h.run_id is not null as done, told.notices
  from (select count(*) as notices from notice) told -- first, or nobody is told while no stream is open
  left join channel c on true
  left join run_cursors k on k.run_id = c.run_id
  left join runs r on r.id = c.run_id
  left join held h on h.run_id = c.run_id`;
