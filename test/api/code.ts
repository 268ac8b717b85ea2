// What tests of Code Interpreter have in common: a model that calls it, and what came of that.
import assert from "node:assert/strict";
import type OpenAI from "openai";
import type { Run } from "openai/resources/beta/threads/runs/runs";
import type { CodeInterpreterToolCall } from "openai/resources/beta/threads/runs/steps";
import { script } from "./conversation.ts";
import type { Conversation, ScriptedTurn } from "./conversation.ts";
import { QUICK } from "./sdk.ts";

/** An assistant that may run code. */
export const CODE = { tools: [{ type: "code_interpreter" as const }] };

/** A turn that runs code, once for each piece. */
export function runs(...codes: string[]): ScriptedTurn {
  return { tool_calls: codes.map((code) => ({ name: "code_interpreter", arguments: { code } })) };
}

export async function finish(openai: OpenAI, { assistant_id, thread_id }: Conversation): Promise<Run> {
  return openai.beta.threads.runs.createAndPoll(thread_id, { assistant_id }, QUICK);
}

/** One more run on the same thread. @param key by which requests of the model are found */
export async function goOn(
  openai: OpenAI,
  conversation: Conversation,
  turns: ScriptedTurn[],
  key?: string,
): Promise<Run> {
  await openai.beta.threads.messages.create(conversation.thread_id, { role: "user", content: script(turns, key) });
  return finish(openai, conversation);
}

/** The outputs of each call of a run, in order. */
export async function outputsOf(
  openai: OpenAI,
  run: Run,
): Promise<CodeInterpreterToolCall["code_interpreter"]["outputs"][]> {
  const { data } = await openai.beta.threads.runs.steps.list(run.id, { thread_id: run.thread_id, order: "asc" });
  return data.flatMap(({ step_details }) =>
    step_details.type === "tool_calls"
      ? step_details.tool_calls.map((call) => (call.type === "code_interpreter" ? call.code_interpreter.outputs : []))
      : [],
  );
}

/** What each call of a completed run has printed. */
export async function logsOf(openai: OpenAI, run: Run): Promise<string[]> {
  assert.equal(run.status, "completed", JSON.stringify(run.last_error));
  return (await outputsOf(openai, run)).map((outputs) =>
    outputs.map((output) => (output.type === "logs" ? output.logs : "[image]")).join(""),
  );
}

/** What the model was told in answer to its calls, in its newest request. */
export function toldTo({ requests }: Pick<Conversation, "requests">): string[] {
  const newest = requests().at(-1)?.body as { messages: { role: string; content: string }[] };
  return newest.messages.filter(({ role }) => role === "tool").map(({ content }) => content);
}
