// Ways in which what clients were told can be untrue: their records are tampered with, and the database is right.
import type { SentEvent } from "../support/sse.ts";
import type { MixedRuns, RunRef, Told } from "./mixed-runs.ts";

export interface ReceivedBreakage {
  invariant: string;
  how: string;
  /** Changes what was told, and returns the id that is to be reported. */
  tamper(told: Told, made: MixedRuns): string;
  /** Other invariants that cannot hold either. */
  also?: readonly string[];
}

export const RECEIVED_BREAKAGES: readonly ReceivedBreakage[] = [
  {
    invariant: "accepted-runs-kept",
    how: "a run that is not there",
    tamper: ({ runs }, made) => push(runs, { id: "run_gone", thread_id: made.runs.plain.thread_id }),
  },
  {
    invariant: "accepted-runs-kept",
    how: "a run on another thread",
    tamper: ({ runs }, made) => push(runs, { ...made.runs.plain, thread_id: made.runs.failed.thread_id }),
  },
  {
    invariant: "accepted-runs-kept",
    how: "a run of a thread that nobody deleted",
    tamper(told, made) {
      told.deleted = told.deleted.filter((id) => id !== made.runs.deleted.thread_id);
      return made.runs.deleted.id;
    },
    also: ["accepted-messages-kept", "shown-ends-stand"],
  },
  {
    invariant: "accepted-messages-kept",
    how: "a message that is not there",
    tamper: ({ messages }, made) => push(messages, { id: "msg_gone", thread_id: made.runs.plain.thread_id }),
  },
  {
    invariant: "accepted-outputs-kept",
    how: "another output",
    tamper({ outputs }) {
      const [first] = outputs;
      if (first !== undefined) first.output = "other";
      return first?.run_id ?? "";
    },
  },
  {
    invariant: "accepted-outputs-kept",
    how: "the output of a call that is not there",
    tamper({ outputs }, { runs: { plain } }) {
      outputs.push({ run_id: plain.id, thread_id: plain.thread_id, tool_call_id: "call_gone", output: "" });
      return plain.id;
    },
  },
  {
    invariant: "shown-ends-stand",
    how: "failed, and has completed",
    tamper: ({ statuses }, { runs: { plain } }) => {
      statuses.push({ run_id: plain.id, thread_id: plain.thread_id, status: "failed" });
      return plain.id;
    },
  },
  {
    invariant: "streams-as-stored",
    how: "one event is missing",
    tamper: (told, { runs: { streamed } }) =>
      change(told, streamed, (events) => events.filter(({ event }) => event !== "thread.message.in_progress")),
  },
  {
    invariant: "streams-as-stored",
    how: "one event came twice",
    tamper: (told, { runs: { streamed } }) =>
      change(told, streamed, (events) =>
        events.flatMap((event) => (event.event === "thread.run.queued" ? [event, event] : [event])),
      ),
  },
  {
    invariant: "streams-as-stored",
    how: "two events changed places",
    tamper: (told, { runs: { streamed } }) =>
      change(told, streamed, ([first, second, ...rest]) =>
        [second, first, ...rest].filter((event) => event !== undefined),
      ),
  },
  {
    invariant: "streams-as-stored",
    how: "an event that is not stored",
    tamper: (told, { runs: { streamed } }) =>
      change(told, streamed, ([, ...rest]) => [{ id: 1, event: "thread.run.expired", data: {} }, ...rest]),
  },
  {
    invariant: "streams-as-stored",
    how: "an event behind the newest",
    tamper: (told, { runs: { streamed } }) =>
      change(told, streamed, (events) => [...events, { id: undefined, event: "thread.run.failed", data: {} }]),
  },
  {
    invariant: "streams-as-stored",
    how: "it is done before the run rests",
    tamper: (told, { runs: { streamed } }) =>
      change(told, streamed, (events) => events.filter(({ event }) => event !== "thread.run.completed")),
  },
  {
    invariant: "streamed-text",
    how: "a delta has another text",
    tamper: (told, { runs: { streamed } }) =>
      change(told, streamed, (events) =>
        events.map((sent) => (sent.event === "thread.message.delta" ? withText(sent, "delta") : sent)),
      ),
  },
  {
    invariant: "streamed-text",
    how: "a message ended with another text than is stored",
    tamper: (told, { runs: { streamed } }) =>
      change(told, streamed, (events) =>
        events
          .filter(({ event }) => event.startsWith("thread.message.completed"))
          .map((sent) => withText(sent, "whole")),
      ),
  },
  {
    invariant: "only-clients-delete",
    how: "nobody asked for it",
    tamper(told, made) {
      told.deleted = told.deleted.filter((id) => !id.startsWith("msg_"));
      return made.stepOfDeletedMessage;
    },
  },
];

function push(list: RunRef[], item: RunRef): string {
  list.push(item);
  return item.id;
}

function change({ streams }: Told, { id }: RunRef, edit: (events: SentEvent[]) => SentEvent[]): string {
  for (const stream of streams) if (stream.run_id === id) stream.events = edit(stream.events);
  return id;
}

function withText(sent: SentEvent, where: "delta" | "whole"): SentEvent {
  const content = [{ index: 0, type: "text", text: { value: "Other.", annotations: [] } }];
  const data = sent.data as object;
  return { ...sent, data: where === "delta" ? { ...data, delta: { content } } : { ...data, content } };
}
