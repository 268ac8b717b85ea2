// The positions of a run's events: from 1, without gaps. A crash of Postgres may take deltas, and the cursor with them;
// then the next position jumps, so that none is used twice. Pure: it is fed the positions of one run in their order.

/** How far positions jump, by `append_run_events`. */
export const CRASH_GAP = 1_000_000;

export interface PositionState {
  last: number;
  /** Whether the event at `last` is durable. */
  lastIsDurable: boolean;
  /** A gap where deltas may have been, which only a crash explains. */
  gap: string | undefined;
  deltas: number;
  /** The first position behind the newest jump; 1 when there was none. */
  intactFrom: number;
}

export function startPositions(): PositionState {
  return { last: 0, lastIsDurable: true, gap: undefined, deltas: 0, intactFrom: 1 };
}

/**
 * Takes the position of the next event. Returns what is wrong with it, or undefined.
 * `mayHaveDeltas` tells whether deltas could have stood before it.
 */
export function takePosition(
  state: PositionState,
  { seq, durable }: { seq: number; durable: boolean },
  mayHaveDeltas: boolean,
): string | undefined {
  const { last } = state;
  const hasJumped = durable && state.lastIsDurable && last > 0 && seq === last + CRASH_GAP + 1;
  state.last = seq;
  state.lastIsDurable = durable;
  if (!durable) state.deltas += 1;
  if (seq === last) return `position ${seq} is given twice`;
  if (hasJumped) {
    if (state.deltas > 0) return `deltas before the jump to ${seq}, which a crash would have taken`;
    state.intactFrom = seq;
    state.gap = undefined;
    return undefined;
  }
  if (seq === last + 1) return undefined;
  const gap = `positions ${last + 1} to ${seq - 1} are missing`;
  if (!mayHaveDeltas) return gap;
  state.gap ??= gap;
  return undefined;
}

/** What is wrong once all positions were taken, or undefined. Without a cursor there was a crash behind the last event. */
export function endPositions(state: PositionState, hasCursor: boolean): string | undefined {
  if (!hasCursor && state.deltas > 0) return undefined; // the cursor is what is wrong
  return hasCursor ? state.gap : undefined;
}
