// The grammar of a stream of run events: which event may follow which, and of which step or message it may be.
// It knows the standard orders only; what a stream carries is for others to check.
import assert from "node:assert/strict";

/**
 * What opened the stream: creating a run, creating a thread with it, submitting outputs, or joining a run's events
 * from its beginning, which goes on behind `requires_action`.
 */
export type StreamKind = "create run" | "create thread and run" | "submit outputs" | "joined";

export interface GrammarOptions {
  kind: StreamKind;
  /** A turn may break off and be made again, which is an extension: its message and step end, and new ones begin. */
  retries?: boolean;
}

/** An event of the SDKs, or a frame of the raw stream with its data parsed; of `done`, the data is text. */
export interface StreamedEvent {
  event: string;
  data: unknown;
}

/** For each place in a stream: what may come, without "thread.", and which place that leads to. */
type Grammar = Record<string, Record<string, string>>;

const BETWEEN = {
  "run.step.created message_creation": "message step made",
  "run.step.created tool_calls": "tool step made",
  "run.cancelling": "nothing left to stop",
  "run.failed": "over",
  "run.incomplete": "over",
  "run.expired": "over",
};

const GRAMMAR: Grammar = {
  "create thread and run": { created: "create run" },
  "create run": { "run.created": "run made" },
  joined: { created: "create run", "run.created": "run made" },
  "submit outputs": { "run.step.completed tool_calls": "outputs taken" },
  "run made": { "run.queued": "queued" },
  "outputs taken": { "run.queued": "queued" },
  queued: {
    "run.in_progress": "between steps",
    "run.cancelling": "nothing left to stop",
    "run.failed": "over",
    "run.expired": "over",
  },
  "between steps": BETWEEN,
  // A run completes with a message: behind calls it goes on.
  "behind a message": { ...BETWEEN, "run.completed": "over" },

  "message step made": { "run.step.in_progress message_creation": "message step begun" },
  "message step begun": { "message.created": "message made" },
  "message made": { "message.in_progress": "speaking" },
  speaking: {
    "message.delta": "speaking",
    "message.completed": "said",
    "message.incomplete max_tokens": "cut",
    "message.incomplete run_failed": "broken",
    "message.incomplete content_filter": "broken",
    "message.incomplete run_expired": "late",
    "run.cancelling": "speech to stop",
  },
  said: { "run.step.completed message_creation": "behind a message" },
  // What was under way when the run was cancelled may still come.
  "speech to stop": {
    "message.delta": "speech to stop",
    "message.incomplete run_cancelled": "speech stopped",
  },
  "speech stopped": { "run.step.cancelled message_creation": "nothing left to stop" },

  "tool step made": { "run.step.in_progress tool_calls": "before the calls" },
  "before the calls": { "run.step.delta": "calling", ...endsOf("tool_calls") },
  calling: {
    "run.step.delta": "calling",
    "run.requires_action": "waiting",
    // A tool of the server's own is done; or the answer was cut in the middle of a call.
    "run.step.completed tool_calls": "between steps",
    ...endsOf("tool_calls"),
  },
  "calls to stop": {
    "run.step.delta": "calls to stop",
    "run.step.cancelled tool_calls": "nothing left to stop",
  },
  waiting: {},

  "nothing left to stop": { "run.cancelled": "over" },
  cut: { "run.step.completed message_creation": "step cut" },
  "step cut": { "run.incomplete": "over" },
  broken: { "run.step.failed message_creation": "step failed" },
  "step failed": { "run.failed": "over" },
  late: { "run.step.expired message_creation": "step expired" },
  "step expired": { "run.expired": "over" },
  over: {},
};

function endsOf(type: string): Record<string, string> {
  return {
    "run.cancelling": "calls to stop",
    [`run.step.failed ${type}`]: "step failed",
    [`run.step.expired ${type}`]: "step expired",
  };
}

/** Where a joined stream goes on after the calls of a run, and where a turn goes on that broke off. */
const JOINED_WAITING = {
  "run.step.completed tool_calls": "outputs taken",
  "run.cancelling": "calls to stop",
  "run.step.expired tool_calls": "step expired",
};
const RETRIED = BETWEEN;

/** Where a stream may end. */
const ENDS = new Set(["waiting", "over"]);

/**
 * Throws an AssertionError, with the events up to there, at the first event that may not come where it came, or that is
 * of another run, step or message than the open one; and when the stream stops where it may not. `done` may be missing,
 * since the SDKs keep it to themselves. An `error` event may come at any time and ends the stream.
 */
export function checkOrder(events: readonly StreamedEvent[], options: GrammarOptions): void {
  const stream = new StreamCheck(options);
  for (const event of events) stream.take(event);
  stream.end();
}

/** The same for a stream that is still being read. */
export class StreamCheck {
  readonly #grammar: Grammar;
  readonly #seen: string[] = [];
  readonly #created = new Set<string>();
  #place: string;
  #closed = false;
  #run: string | undefined;
  #thread: string | undefined;
  #step: { id: string; message: string | undefined } | undefined;
  #message: string | undefined;

  constructor({ kind, retries = false }: GrammarOptions) {
    this.#place = kind;
    this.#grammar = {
      ...GRAMMAR,
      ...(kind === "joined" ? { waiting: JOINED_WAITING } : {}),
      ...(retries ? { "step failed": RETRIED } : {}),
    };
  }

  take({ event, data }: StreamedEvent): void {
    this.#seen.push(event);
    if (this.#closed) this.#refuse("nothing comes behind the end");
    if (event === "error" || event === "done") this.#close(event, data);
    else this.#follow(event, data as EventData);
  }

  /** The stream has no more events. */
  end(): void {
    if (!this.#closed && !ENDS.has(this.#place)) this.#refuse(`the stream stops at "${this.#place}"`);
  }

  #close(event: "error" | "done", data: unknown): void {
    if (event === "done") {
      if (data !== "[DONE]") this.#refuse(`the data of done are ${JSON.stringify(data)}`);
      this.end();
    }
    this.#closed = true;
  }

  #follow(event: string, data: EventData): void {
    const allowed = this.#grammar[this.#place] ?? {};
    const next = allowed[symbolOf(event, data)];
    if (next === undefined) {
      const options = Object.keys(allowed).join(", ") || "nothing";
      this.#refuse(`${symbolOf(event, data)} at "${this.#place}", where may come: ${options}`);
    }
    this.#place = next;
    this.#checkStatus(event, data);
    this.#checkIds(event, data);
  }

  /** The object says the same as the name of its event. */
  #checkStatus(event: string, { status }: EventData): void {
    const said = event.slice(event.lastIndexOf(".") + 1);
    if (event === "thread.created" || said === "delta") return;
    const expected = said === "created" ? (event === "thread.run.created" ? "queued" : "in_progress") : said;
    if (status !== expected) this.#refuse(`the status is ${status}, not ${expected}`);
  }

  #checkIds(event: string, data: EventData): void {
    if (event === "thread.created") {
      this.#thread = data.id;
      return;
    }
    if (!event.endsWith(".delta")) {
      this.#thread ??= data.thread_id;
      if (data.thread_id !== this.#thread) this.#refuse(`of thread ${data.thread_id}, not ${this.#thread}`);
    }
    if (event.startsWith("thread.message.")) this.#checkMessage(event, data);
    else if (event.startsWith("thread.run.step.")) this.#checkStep(event, data);
    else this.#checkRun(data.id);
  }

  #checkRun(id: string | null | undefined): void {
    this.#run ??= id ?? undefined;
    if (id !== this.#run) this.#refuse(`of run ${id}, not ${this.#run}`);
  }

  #checkStep(event: string, { id, run_id, step_details }: EventData): void {
    if (event === "thread.run.step.created") {
      this.#create(id);
      this.#step = { id, message: step_details?.message_creation?.message_id };
    }
    // The step that a stream of submitted outputs begins with was created in an earlier one.
    if (this.#step !== undefined && id !== this.#step.id) this.#refuse(`of step ${id}, not ${this.#step.id}`);
    if (event !== "thread.run.step.delta") this.#checkRun(run_id);
    if (/\.(completed|failed|cancelled|expired)$/.test(event)) {
      this.#created.add(id);
      this.#step = undefined;
    }
  }

  #checkMessage(event: string, { id, run_id }: EventData): void {
    if (event === "thread.message.created") {
      this.#create(id);
      this.#message = id;
      if (id !== this.#step?.message) this.#refuse(`message ${id}, where the step names ${this.#step?.message}`);
    }
    if (id !== this.#message) this.#refuse(`of message ${id}, not ${this.#message}`);
    if (event !== "thread.message.delta") this.#checkRun(run_id);
    if (/\.(completed|incomplete)$/.test(event)) this.#message = undefined;
  }

  #create(id: string): void {
    if (this.#created.has(id)) this.#refuse(`${id} is created twice`);
    this.#created.add(id);
  }

  #refuse(problem: string): never {
    assert.fail(`${problem}\nevents: ${this.#seen.join(", ")}`);
  }
}

/** What the grammar looks at; which of it is there depends on the event. */
interface EventData {
  id: string;
  thread_id?: string;
  run_id?: string | null;
  status?: string;
  type?: string;
  step_details?: { type: string; message_creation?: { message_id: string } };
  incomplete_details?: { reason: string } | null;
}

/** The event's name, with what makes a difference for the order. */
function symbolOf(event: string, data: EventData): string {
  const name = event.replace(/^thread\./, "");
  if (name.startsWith("run.step.") && name !== "run.step.delta") return `${name} ${data.type}`;
  if (name === "message.incomplete") return `${name} ${data.incomplete_details?.reason}`;
  return name;
}
