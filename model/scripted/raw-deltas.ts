// What deltas that a script gives one by one add up to, for the answer in one piece and for counting. Pure.
import type { ToolCall } from "./request.ts";
import type { Delta } from "./script.ts";

export type Assembled = { pieces: string[] | null; refusal: string | null; toolCalls: ToolCall[] };

/** A call begins with an index or an id that the piece before did not have. One without an id gets `callId`. */
export function assemble(deltas: readonly Delta[], callId: (index: number) => string): Assembled {
  const refusals = deltas.flatMap((delta) => delta.refusal ?? []);
  const toolCalls = assembleCalls(deltas, callId);
  const pieces = deltas.flatMap((delta) => delta.content ?? []);
  return {
    pieces: pieces.length > 0 ? pieces : null,
    refusal: refusals.length > 0 ? refusals.join("") : null,
    toolCalls,
  };
}

function assembleCalls(deltas: readonly Delta[], callId: (index: number) => string): ToolCall[] {
  const calls: ToolCall[] = [];
  let last: { index: number; id: string | undefined } | undefined;
  for (const { index = 0, id, function: called } of deltas.flatMap((delta) => delta.tool_calls ?? [])) {
    if (last === undefined || index !== last.index || (id !== undefined && id !== last.id)) {
      last = { index, id };
      calls.push({
        id: id ?? callId(calls.length),
        type: "function",
        function: { name: called.name ?? "", arguments: "" },
      });
    }
    (calls.at(-1) as ToolCall).function.arguments += called.arguments ?? "";
  }
  return calls;
}
