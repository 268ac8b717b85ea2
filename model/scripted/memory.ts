// All that the scripted model remembers from one request to the next, for tests to look at: the requests themselves,
// and how often each scripted fault has struck. Everything is bounded; the oldest is forgotten first.

export const MAX_REQUESTS = 1000;
const MAX_REQUEST_BYTES = 32 * 1024 * 1024;
const MAX_COUNTERS = 10_000;

/** One request to /chat/completions, /embeddings or /rerank. Times are unix milliseconds. */
export type RecordedRequest = {
  /** Key of the script, and the index of the turn that was answered; null without one. */
  key: string | null;
  turn: number | null;
  /** The request as sent; null when it was not JSON. */
  body: unknown;
  started_at: number;
  /** Null while the request is open. */
  ended_at: number | null;
  /** True when the client went away before the answer was complete, at `ended_at`. */
  aborted: boolean;
  /** HTTP status of the answer; null as long as no byte was sent. */
  status: number | null;
};

export type Memory = {
  /** Oldest first. The array is always the same one. */
  requests: RecordedRequest[];
  record(body: unknown, bytes: number): RecordedRequest;
  /** Whether the fault still strikes: always without `times`, otherwise that many times for this key, turn and kind. */
  claimFault(fault: { key: string | undefined; turn: number; kind: string; times: number | undefined }): boolean;
  /** Forgets the requests and counters of one key, or all. */
  clear(key?: string): void;
};

export function createMemory(): Memory {
  const requests: RecordedRequest[] = [];
  const sizes = new WeakMap<RecordedRequest, number>();
  const counters = new Map<string, number>();
  let bytesKept = 0;

  const forget = (index: number) => {
    const [forgotten] = requests.splice(index, 1);
    if (forgotten) bytesKept -= sizes.get(forgotten) ?? 0;
  };

  return {
    requests,
    record(body, bytes) {
      const request = {
        key: null,
        turn: null,
        body,
        started_at: Date.now(),
        ended_at: null,
        aborted: false,
        status: null,
      };
      requests.push(request);
      sizes.set(request, bytes);
      bytesKept += bytes;
      while (requests.length > MAX_REQUESTS || (bytesKept > MAX_REQUEST_BYTES && requests.length > 1)) forget(0);
      return request;
    },
    claimFault({ key = "", turn, kind, times }) {
      if (times === undefined) return true;
      const name = counterName(key, `${turn} ${kind}`);
      const struck = counters.get(name) ?? 0;
      if (struck >= times) return false;
      counters.set(name, struck + 1);
      if (counters.size > MAX_COUNTERS) counters.delete(counters.keys().next().value ?? name);
      return true;
    },
    clear(key) {
      for (let index = requests.length - 1; index >= 0; index--) {
        if (key === undefined || requests[index]?.key === key) forget(index);
      }
      for (const name of counters.keys()) {
        if (key === undefined || name.startsWith(counterName(key, ""))) counters.delete(name);
      }
    },
  };
}

function counterName(key: string, rest: string): string {
  return `${JSON.stringify(key)} ${rest}`;
}
