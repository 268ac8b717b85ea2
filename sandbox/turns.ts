// One after the other: who asks first is first.

export interface Turns {
  /** Resolves, when it is our turn, to what ends it. */
  take(): Promise<() => void>;
  /** Whether something is under way, or waits. */
  isTaken(): boolean;
}

export function createTurns(): Turns {
  let last: Promise<void> = Promise.resolve();
  let taken = 0;
  return {
    async take() {
      const before = last;
      const turn = Promise.withResolvers<void>();
      last = turn.promise;
      taken += 1;
      await before;
      return () => {
        taken -= 1;
        turn.resolve();
      };
    },
    isTaken: () => taken > 0,
  };
}
