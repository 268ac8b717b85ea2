// Reads streams of run events, and holds them against what is true of every stream.
import assert from "node:assert/strict";
import type { AssistantStreamEvent } from "openai/resources/beta/assistants";
import { collect } from "./sdk.ts";

/** Reads a stream to its end, and checks what every stream has to keep. */
export async function readAll(stream: AsyncIterable<AssistantStreamEvent>): Promise<AssistantStreamEvent[]> {
  const events = await collect(stream);
  checkStream(events);
  return events;
}

/** What `outline` shows of a message that is said from its beginning to its end. */
export const MESSAGE = [
  "run.step.created",
  "run.step.in_progress",
  "message.created",
  "message.in_progress",
  "message.delta",
  "message.completed",
  "run.step.completed",
];

/** The names of the events without "thread.", with a row of deltas written as one. */
export function outline(events: readonly { event: string }[]): string[] {
  return events
    .map(({ event }) => event.replace(/^thread\./, ""))
    .filter((name, index, names) => !name.endsWith(".delta") || name !== names[index - 1]);
}

/** The first event of a name. */
export function find<Name extends AssistantStreamEvent["event"]>(
  events: readonly AssistantStreamEvent[],
  name: Name,
): DataOf<Name> {
  const found = events.find((event) => event.event === name);
  assert.ok(found, `no ${name} among ${outline(events).join(", ")}`);
  return found.data as DataOf<Name>;
}
type DataOf<Name> = (AssistantStreamEvent & { event: Name })["data"];

/** All text that the deltas of a message bring. */
export function textOf(events: readonly AssistantStreamEvent[], messageId?: string): string {
  return events
    .flatMap((event) => (event.event === "thread.message.delta" ? [event.data] : []))
    .filter(({ id }) => messageId === undefined || id === messageId)
    .flatMap(({ delta }) => delta.content ?? [])
    .map((part) => (part.type === "text" ? part.text?.value : part.type === "refusal" ? part.refusal : "") ?? "")
    .join("");
}

/**
 * What holds for every stream: one step and one message open at a time, each id created once, deltas only of what is
 * open, and deltas that add up to exactly the final text and arguments.
 */
export function checkStream(events: readonly AssistantStreamEvent[]): void {
  const created = new Set<string>();
  const open = { step: "", message: "" };
  for (const { event, data } of events) {
    const [, kind, change] = /^thread\.(?:run\.)?(step|message)\.(\w+)$/.exec(event) ?? [];
    if (kind === undefined || change === undefined) continue;
    const { id } = data as { id: string };
    const what = kind as keyof typeof open;
    if (change === "created") {
      assert.equal(open[what], "", `${what} ${id} begins while another is open`);
      assert.ok(!created.has(id), `${what} ${id} is created twice`);
      created.add(id);
      open[what] = id;
    } else if (change === "in_progress" || change === "delta") {
      assert.equal(open[what], id, `${event} of a ${what} that is not open`);
    } else {
      // The stream of submitted outputs begins with the end of a step that an earlier stream created.
      if (created.has(id)) assert.equal(open[what], id, `${event} of a ${what} that is not open`);
      open[what] = "";
    }
  }
  for (const event of events) {
    if (event.event === "thread.message.completed" || event.event === "thread.message.incomplete") {
      const text = event.data.content
        .map((part) => (part.type === "text" ? part.text.value : part.type === "refusal" ? part.refusal : ""))
        .join("");
      assert.equal(textOf(events, event.data.id), text, "the deltas add up to the text");
    }
    if (event.event === "thread.run.requires_action") checkArguments(events, event.data.required_action);
  }
}

type RequiredAction = Extract<AssistantStreamEvent, { event: "thread.run.requires_action" }>["data"]["required_action"];

function checkArguments(events: readonly AssistantStreamEvent[], action: RequiredAction): void {
  const calls = new Map<number, { id: string; name: string; arguments: string }>();
  for (const event of events) {
    // A try of the turn that broke off has shown calls of its own.
    if (event.event === "thread.run.step.failed") calls.clear();
    if (event.event !== "thread.run.step.delta") continue;
    const details = event.data.delta.step_details;
    for (const piece of details?.type === "tool_calls" ? (details.tool_calls ?? []) : []) {
      if (piece.type !== "function") continue;
      const call = calls.get(piece.index) ?? { id: "", name: "", arguments: "" };
      call.id += piece.id ?? "";
      call.name += piece.function?.name ?? "";
      call.arguments += piece.function?.arguments ?? "";
      calls.set(piece.index, call);
    }
  }
  const asked = action?.submit_tool_outputs.tool_calls.map(({ id, function: call }) => ({ id, ...call }));
  assert.deepEqual([...calls.values()], asked, "the deltas add up to the calls");
}
