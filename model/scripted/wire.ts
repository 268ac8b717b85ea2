// The way to one client: writing at the client's speed, waiting, and breaking off. Every wait ends at once when the
// client goes away, so nobody is served who is no longer there.
import type { ServerResponse } from "node:http";

export type Wire = {
  isClosed(): boolean;
  /** Resolves when the client can take more. */
  write(text: string): Promise<void>;
  pause(ms: number): Promise<void>;
  /** Stays silent until the client gives up. */
  hang(): Promise<void>;
  /** Drops the connection once everything written has left. */
  cut(): void;
};

/** `onClose` is told once, and whether the client left before the answer was complete. */
export function createWire(response: ServerResponse, onClose: (aborted: boolean) => void): Wire {
  let closed = false;
  let cutByUs = false;
  let wake = () => {};
  response.once("close", () => {
    closed = true;
    wake();
    onClose(!response.writableFinished && !cutByUs);
  });

  const until = (arrange: (done: () => void) => void): Promise<void> =>
    closed
      ? Promise.resolve()
      : new Promise((resolve) => {
          wake = resolve;
          arrange(resolve);
        });

  return {
    isClosed: () => closed,
    async write(text) {
      if (!closed && !response.write(text)) await until((done) => response.once("drain", done));
    },
    pause(ms) {
      let timer: NodeJS.Timeout | undefined;
      return until((done) => (timer = setTimeout(done, ms))).finally(() => clearTimeout(timer));
    },
    hang: () => until(() => {}),
    cut() {
      cutByUs = true;
      response.socket?.destroySoon();
    },
  };
}
