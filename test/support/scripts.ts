// Messages that make the scripted model do what a test wants.

/** One turn of the model; see model/scripted/script.ts for everything that it can do. */
export type ScriptedTurn = Record<string, unknown>;

/** The text of a user message that makes the model answer with these turns, the last one again and again. */
export function scripted(turns: readonly ScriptedTurn[], key?: string): string {
  return `Please.\n#script ${JSON.stringify({ turns, ...(key === undefined ? {} : { key }) })}`;
}

/** A turn that calls `lookup` once for each argument. */
export function calls(...queries: string[]) {
  return { tool_calls: queries.map((q) => ({ name: "lookup", arguments: { q } })) };
}

/** The function that `calls` calls. */
export const lookup = {
  type: "function" as const,
  function: {
    name: "lookup",
    description: "Looks something up.",
    parameters: { type: "object", properties: { q: { type: "string" } }, required: ["q"] },
  },
};
