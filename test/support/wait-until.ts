// Waits for something to become true, which is what tests do instead of sleeping.
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 20;
const DEFAULT_DEADLINE_MS = 20_000;

/** Resolves to the first value of `condition` that is neither undefined nor false. Throws, naming `what`, at the deadline. */
export async function waitUntil<T>(
  what: string,
  condition: () => T | Promise<T>,
  deadlineMs = DEFAULT_DEADLINE_MS,
): Promise<Exclude<T, undefined | false>> {
  const endsAt = Date.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value as Exclude<T, undefined | false>;
    if (Date.now() > endsAt) throw new Error(`Not within ${deadlineMs / 1000} s: ${what}`);
    await sleep(POLL_MS);
  }
}
