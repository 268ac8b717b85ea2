// What no client sees of a world, and its conversations hold against what clients are told.
import type { Sandboxes } from "./sandboxes.ts";
import type { World } from "./world.ts";

export interface Inside {
  /** The outputs of tools that the model was told last, by the id of their call, for the script with this key. */
  toldToModel(key: string): Map<string, string>;
  sandboxes: Sandboxes | undefined;
}

interface ModelMessage {
  role: string;
  content: string;
  tool_call_id?: string;
}

export function lookInside({ stack, sandboxes }: Pick<World, "stack" | "sandboxes">): Inside {
  return {
    toldToModel(key) {
      const newest = stack.model.requests.findLast((request) => request.key === key)?.body;
      const { messages } = (newest ?? { messages: [] }) as { messages: ModelMessage[] };
      return new Map(
        messages.flatMap(({ role, content, tool_call_id = "" }) => (role === "tool" ? [[tool_call_id, content]] : [])),
      );
    },
    sandboxes,
  };
}
