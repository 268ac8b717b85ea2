// How long something waits that is tried again.

/** Milliseconds; grows by doubling, with jitter of a fifth, so that many do not come back at once. @param tries from 1 */
export function backoff(tries: number, { min, max }: { min: number; max: number }): number {
  const full = Math.min(min * 2 ** Math.min(tries - 1, 20), max);
  return Math.round(full * (0.8 + Math.random() * 0.2));
}
