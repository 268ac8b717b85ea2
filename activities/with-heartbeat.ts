// Says every second that an activity is alive while it waits for something that says nothing: a slow disk, a far bucket.
import { Context } from "@temporalio/activity";
import { HEARTBEAT_INTERVAL_MS } from "../contract/limits.ts";

export async function withHeartbeat<T>(work: () => Promise<T>): Promise<T> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), HEARTBEAT_INTERVAL_MS);
  try {
    return await work();
  } finally {
    clearInterval(beat);
  }
}
