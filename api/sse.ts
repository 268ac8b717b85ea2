// Server-sent events: one run's events on one connection. A reader that is slow waits in the tables and not in memory.
import { once } from "node:events";
import type { FastifyReply } from "fastify";
import { endsStream, isRunStateEvent } from "../contract/events.ts";
import { KEEP_ALIVE_MS } from "../contract/limits.ts";
import type { Run } from "../contract/run.ts";
import type { EventSubscription } from "../db/event-reader.ts";
import type { StoredEvent } from "../db/run-events.ts";
import { setProcessingTime } from "./response-headers.ts";

/** How an event goes over the wire: its name, and its data as JSON. */
export type ShowEvent = (event: ShownEvent) => ShownEvent | Promise<ShownEvent>;
interface ShownEvent {
  event: string;
  data: string;
}

export interface StreamOptions {
  /** The run: its settings complete the events that carry only what changed. */
  run: Run;
  /** Changes what readers see of each event; without it they see what is stored. */
  show?: ShowEvent | undefined;
  /** Adds the position to each frame as its `id`, for clients that come back with `Last-Event-ID`. */
  withIds?: boolean;
  /** Whether an event that can end a stream ends this one. */
  isLast?: (event: StoredEvent) => Promise<boolean>;
  /** The reader has seen everything, and nothing more will come. */
  isOver?: boolean;
}

/**
 * Writes the events until one ends the stream, then `done`. When the client leaves, the run goes on without it.
 * When the server has to stop first, an `error` event says so and no `done` follows.
 */
export async function streamEvents(
  reply: FastifyReply,
  events: EventSubscription,
  options: StreamOptions,
): Promise<void> {
  const { raw } = reply;
  reply.hijack();
  setProcessingTime(reply);
  raw.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",
  });
  raw.flushHeaders();
  raw.once("close", () => events.close());
  if (raw.destroyed) events.close();
  const keepAlive = setInterval(() => {
    if (!raw.writableNeedDrain) raw.write(": keep-alive\n\n");
  }, KEEP_ALIVE_MS);
  try {
    const done = await writeEvents(raw, events, options);
    if (!raw.destroyed) raw.write(done ? "event: done\ndata: [DONE]\n\n" : INTERRUPTED);
  } catch (error) {
    reply.log.error({ err: error, runId: options.run.id }, "a stream broke off");
    if (!raw.destroyed) raw.write(INTERRUPTED);
  } finally {
    clearInterval(keepAlive);
    events.close();
    raw.end();
  }
}

async function writeEvents(
  raw: FastifyReply["raw"],
  events: EventSubscription,
  { run, show = (event) => event, withIds = false, isLast = async () => true, isOver = false }: StreamOptions,
): Promise<boolean> {
  if (isOver) return true;
  for await (const event of events) {
    const stored = isRunStateEvent(event.event) ? JSON.stringify({ ...run, ...JSON.parse(event.data) }) : event.data;
    const shown = await show({ event: event.event, data: stored });
    const id = withIds ? `id: ${event.seq}\n` : "";
    raw.write(`${id}event: ${shown.event}\ndata: ${shown.data}\n\n`);
    if (endsStream(event.event) && (await isLast(event))) return true;
    if (raw.writableNeedDrain && !raw.destroyed) await drained(raw);
    if (raw.destroyed) return true;
  }
  return false;
}

/** Resolves when the client has taken what was written, or has left. */
async function drained(raw: FastifyReply["raw"]): Promise<void> {
  const settled = new AbortController();
  const { signal } = settled;
  await Promise.race([once(raw, "drain", { signal }), once(raw, "close", { signal })]).finally(() => settled.abort());
}

/** The form that every official SDK understands: the error inside an object of its own. */
const INTERRUPTED = `event: error\ndata: ${JSON.stringify({
  error: {
    message:
      "The stream was interrupted. Unless its thread was deleted, the run goes on: retrieve it, or re-join its events.",
    type: "server_error",
    param: null,
    code: "stream_interrupted",
  },
})}\n\n`;
