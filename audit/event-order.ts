// The grammar of a run's events: section 4.4 of the contract, with what docs/extensions.md adds, a turn that is made
// again. Pure: it is fed the events of one run in their order, and complains of the first that may not stand there.
import { isTerminal, RUN_TRANSITIONS, RunStatus } from "../contract/run-state.ts";

/** An event without its content. */
export interface EventHead {
  event: string;
  /** Id of the step or message that it is about; null for the run. */
  id: string | null;
  /** Status that its data show; null for deltas. */
  status: string | null;
  /** Of a step: `message_creation` or `tool_calls`. */
  type: string | null;
  /** Of a step that writes a message: its id. */
  message_id: string | null;
  /** Of a step that ends: whether it has calls of the server's own tools. */
  has_built_in: boolean;
}

export interface OrderState {
  /** What the run's events have said so far; undefined before the first. */
  status: RunStatus | undefined;
  step: { id: string; type: string | null; message_id: string | null } | undefined;
  message: string | undefined;
  /** What the transaction that wrote the last event must have written next; undefined when that may be anything. */
  next: readonly string[] | undefined;
  /** Steps that have been created, with the status that they were shown with last. */
  steps: Map<string, string>;
  /** The same of messages; `deleted` when one ended without an event because it was gone. */
  messages: Map<string, string>;
}

export function startOrder(): OrderState {
  return {
    status: undefined,
    step: undefined,
    message: undefined,
    next: undefined,
    steps: new Map(),
    messages: new Map(),
  };
}

/** Whether deltas may come now: the only events that a crash of Postgres takes. */
export function mayHaveDeltas({ status, step, message, next }: OrderState): boolean {
  if (next !== undefined) return false;
  return (
    (status === "in_progress" || status === "cancelling") && (message !== undefined || step?.type === "tool_calls")
  );
}

/**
 * Takes the next event. Returns what is wrong with its place, or undefined when it may stand there.
 * `isGone` tells whether a message was deleted: then nobody could write that it ends.
 */
export function takeEvent(
  state: OrderState,
  head: EventHead,
  isGone: (message: string) => boolean,
): string | undefined {
  const { event } = head;
  const { status, next } = state;
  if (status === undefined) return takeFirst(state, head);
  if (isTerminal(status)) return `${event} behind the end`;
  if (next !== undefined && !next.includes(event)) return `${event} in place of ${next.join(" or ")}`;
  state.next = undefined;
  const [, kind = "", change = ""] = /^thread\.(run|run\.step|message)\.([a-z_]+)$/.exec(event) ?? [];
  if (kind === "run") return takeRunEvent(state, head, change, isGone);
  if (kind === "run.step") return takeStepEvent(state, head, change, isGone);
  if (kind === "message") return takeMessageEvent(state, head, change);
  return `${event} in the middle`;
}

function takeFirst(state: OrderState, { event, status }: EventHead): string | undefined {
  const expected = state.next ?? ["thread.created", "thread.run.created"];
  if (!expected.includes(event)) return `${event} in place of ${expected.join(" or ")}`;
  if (event === "thread.created") {
    state.next = ["thread.run.created"];
    return undefined;
  }
  state.next = ["thread.run.queued"];
  if (event === "thread.run.queued") {
    state.status = "queued";
    state.next = undefined;
  }
  return status === "queued" ? undefined : `${event} shows ${status}`;
}

function takeRunEvent(
  state: OrderState,
  { event, status }: EventHead,
  change: string,
  isGone: (message: string) => boolean,
): string | undefined {
  const parsed = RunStatus.safeParse(change);
  if (!parsed.success) return `${event} in the middle`;
  const to = parsed.data;
  if (status !== to) return `${event} shows ${status}`;
  if (!RUN_TRANSITIONS[state.status ?? "queued"].includes(to)) return `${event} after ${state.status}`;
  state.status = to;
  if (to === "cancelling") return undefined;
  closeIfGone(state, isGone);
  if (state.message !== undefined) return `${event} while ${state.message} is open`;
  if (to !== "requires_action") return state.step && `${event} while ${state.step.id} is open`;
  return state.step?.type === "tool_calls" ? undefined : `${event} without an open step of tool calls`;
}

function takeStepEvent(
  state: OrderState,
  head: EventHead,
  change: string,
  isGone: (message: string) => boolean,
): string | undefined {
  const { event, status, type, message_id } = head;
  const id = head.id ?? "";
  if (change === "created") {
    if (state.status !== "in_progress") return `${event} of ${id} in a run that is ${state.status}`;
    if (state.step !== undefined) return `${id} begins while ${state.step.id} is open`;
    if (state.steps.has(id)) return `${id} is created twice`;
    state.step = { id, type, message_id };
    state.steps.set(id, "in_progress");
    state.next = ["thread.run.step.in_progress"];
    return status === "in_progress" ? undefined : `${event} of ${id} shows ${status}`;
  }
  if (state.step?.id !== id) return `${event} of ${id}, which is not open`;
  if (change === "delta") {
    return mayHaveDeltas(state) && state.step.type === "tool_calls" ? undefined : `${event} of ${id} out of place`;
  }
  if (status !== change) return `${event} of ${id} shows ${status}`;
  if (change === "in_progress") {
    if (state.step.type === "message_creation") state.next = ["thread.message.created"];
    return undefined;
  }
  closeIfGone(state, isGone);
  if (state.message !== undefined) return `${event} of ${id} while ${state.message} is open`;
  state.steps.set(id, change);
  state.next = afterStep(state, change, head.has_built_in);
  state.step = undefined;
  return undefined;
}

/** What ends a step also ends the run or goes on with it, but for a try that was given up: its turn is made again. */
function afterStep({ status, step }: OrderState, change: string, hasBuiltIn: boolean): readonly string[] | undefined {
  if (change === "cancelled") return ["thread.run.cancelled"];
  if (change === "expired") return ["thread.run.expired"];
  if (change === "failed") return undefined;
  if (status === "requires_action") return ["thread.run.queued"];
  if (hasBuiltIn) return undefined; // the next turn has begun, and may end before it says anything
  if (step?.type === "tool_calls") return ["thread.run.incomplete"];
  return ["thread.run.completed", "thread.run.incomplete", "thread.run.step.created"];
}

function takeMessageEvent(state: OrderState, head: EventHead, change: string): string | undefined {
  const { event, status } = head;
  const id = head.id ?? "";
  if (change === "created") {
    if (state.step?.message_id !== id) return `${id} begins, and the open step does not name it`;
    if (state.messages.has(id)) return `${id} is created twice`;
    state.message = id;
    state.messages.set(id, "in_progress");
    state.next = ["thread.message.in_progress"];
    return status === "in_progress" ? undefined : `${event} of ${id} shows ${status}`;
  }
  if (state.message !== id) return `${event} of ${id}, which is not open`;
  if (change === "delta") return mayHaveDeltas(state) ? undefined : `${event} of ${id} out of place`;
  if (status !== change) return `${event} of ${id} shows ${status}`;
  if (change === "in_progress") return undefined;
  state.messages.set(id, change);
  state.message = undefined;
  state.next =
    change === "completed"
      ? ["thread.run.step.completed"]
      : ["completed", "failed", "cancelled", "expired"].map((end) => `thread.run.step.${end}`);
  return undefined;
}

/** A message that a client has deleted while it was written ends without an event. */
function closeIfGone(state: OrderState, isGone: (message: string) => boolean): void {
  if (state.message === undefined || !isGone(state.message)) return;
  state.messages.set(state.message, "deleted");
  state.message = undefined;
}
