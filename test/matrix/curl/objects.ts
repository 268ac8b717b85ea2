// The objects that the checks make, and what of their answers the checks read.
import { lookup, scripted } from "../../support/scripts.ts";
import type { ScriptedTurn } from "../../support/scripts.ts";
import { readEvents } from "../../support/sse.ts";
import type { SentEvent } from "../../support/sse.ts";
import { waitUntil } from "../../support/wait-until.ts";
import { PATIENCE_MS } from "../program.ts";
import type { Server } from "../program.ts";
import { curl, curlJson } from "./curl.ts";

export interface Message {
  id: string;
  role: string;
  status: string;
  content: { type: string; text: { value: string } }[];
}

export interface Run {
  id: string;
  thread_id: string;
  status: string;
  required_action: { submit_tool_outputs: { tool_calls: { id: string; function: { arguments: string } }[] } } | null;
}

export interface List<Item> {
  data: Item[];
  last_id: string;
  has_more: boolean;
}

export const post = (body: object) => ({ method: "POST", body });

/** Makes an assistant with one function, and a thread whose message tells the model what to say. */
export async function startConversation(server: Server, turns: ScriptedTurn[]) {
  const assistant = { model: "gpt-4o", tools: [lookup] };
  const thread = { messages: [{ role: "user", content: scripted(turns) }] };
  const { id: assistant_id } = await curlJson<{ id: string }>(server, "/assistants", post(assistant));
  const { id: thread_id } = await curlJson<{ id: string }>(server, "/threads", post(thread));
  return { assistant_id, thread_id };
}

/** Starts a run and waits until it rests. */
export async function createAndPoll(server: Server, thread_id: string, body: object): Promise<Run> {
  return poll(server, await curlJson<Run>(server, `/threads/${thread_id}/runs`, post(body)));
}

/** Waits until a run rests: until it has ended, or needs outputs. */
export async function poll(server: Server, { thread_id, id }: Run): Promise<Run> {
  const look = async () => {
    const run = await curlJson<Run>(server, `/threads/${thread_id}/runs/${id}`);
    return !["queued", "in_progress", "cancelling"].includes(run.status) && run;
  };
  return waitUntil("the run rests", look, PATIENCE_MS);
}

/** The events of a stream that such a request begins. */
export async function streamOf(server: Server, path: string, body: object): Promise<SentEvent[]> {
  const events: SentEvent[] = [];
  for await (const event of readEvents(await curl(server, path, post(body)))) events.push(event);
  return events;
}

export function outputsOf(run: Run): { tool_call_id: string; output: string }[] {
  const found = run.required_action?.submit_tool_outputs.tool_calls ?? [];
  return found.map(({ id, function: call }) => ({ tool_call_id: id, output: `found ${call.arguments}` }));
}

export function textOf(message: Message | undefined): string {
  return message?.content.map((part) => part.text.value).join("") ?? "";
}
