// What is asked of the server in the benchmarks: runs with a scripted answer, watched through their stream.
import { call, stream } from "./http-client.ts";
import type { Target } from "./http-client.ts";

/** The moments of one run, in milliseconds since the request was sent. */
export interface RunTimes {
  /** The 2xx. */
  accepted: number;
  inProgress: number;
  firstDelta: number;
  completed: number;
}

/** A message that makes the scripted model answer with these turns. */
export function scripted(...turns: object[]): string {
  return `A question of ordinary length, as somebody might ask it.\n#script ${JSON.stringify({ turns })}`;
}

export async function createAssistant(api: Target, body: object = {}): Promise<string> {
  const { id } = await call<{ id: string }>(api, "POST", "/assistants", { model: "gpt-4o", ...body });
  return id;
}

/** Makes `count` threads that hold one message. */
export async function createThreads(api: Target, count: number, content: string): Promise<string[]> {
  const threads: string[] = [];
  await inParallel(8, count, async () => {
    const body = { messages: [{ role: "user", content }] };
    threads.push((await call<{ id: string }>(api, "POST", "/threads", body)).id);
  });
  return threads;
}

/** Makes one run and reads its stream to the end. Throws when it does not complete. */
export async function timeRun(api: Target, threadId: string, body: object): Promise<RunTimes> {
  const times: RunTimes = {
    accepted: Number.NaN,
    inProgress: Number.NaN,
    firstDelta: Number.NaN,
    completed: Number.NaN,
  };
  let last = "nothing";
  const sentAt = performance.now();
  const acceptedAt = await stream(api, `/threads/${threadId}/runs`, { stream: true, ...body }, (event, data) => {
    const ms = performance.now() - sentAt;
    if (event !== "done") last = `${event} ${data}`;
    if (event === "thread.run.in_progress") times.inProgress = ms;
    else if (event === "thread.message.delta" && Number.isNaN(times.firstDelta)) times.firstDelta = ms;
    else if (event === "thread.run.completed") times.completed = ms;
  });
  times.accepted = acceptedAt - sentAt;
  if (Number.isNaN(times.completed))
    throw new Error(`a run on ${threadId} did not complete; the last it said is ${last}`);
  return times;
}

/** Asks a model, or a proxy before it, and reads the stream. Returns the milliseconds until the first text. */
export async function timeChat(
  model: Target,
  content: string,
  onChunk: (data: string) => void = () => undefined,
): Promise<number> {
  const sentAt = performance.now();
  let firstAt = Number.NaN;
  const body = { model: "gpt-4o", stream: true, messages: [{ role: "user", content }] };
  await stream(model, "/chat/completions", body, (_event, data) => {
    // The first chunk names the role and has an empty text.
    if (Number.isNaN(firstAt) && /"content":"[^"]/.test(data)) firstAt = performance.now();
    onChunk(data);
  });
  return firstAt - sentAt;
}

/** Does `work` for 0 … count-1, `concurrency` at a time. Returns the milliseconds that it took. */
export async function inParallel(
  concurrency: number,
  count: number,
  work: (index: number) => Promise<unknown>,
): Promise<number> {
  const startedAt = performance.now();
  let next = 0;
  async function slot(): Promise<void> {
    for (let index = next++; index < count; index = next++) await work(index);
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, slot));
  return performance.now() - startedAt;
}
