// How the built-in tools are offered to a model: as functions under their own names.
import type { ChatTool } from "../model/model.ts";

export const builtInTools: Record<"code_interpreter" | "file_search", ChatTool> = {
  code_interpreter: {
    type: "function",
    function: {
      name: "code_interpreter",
      description: "Runs Python code in a sandbox and returns what it prints.",
      parameters: { type: "object", properties: { code: { type: "string" } }, required: ["code"] },
    },
  },
  file_search: {
    type: "function",
    function: {
      name: "file_search",
      description:
        "Searches the user's files and returns the passages that fit best. Ask for each thing that you want to know with " +
        "a query of its own. Cite the passages that you use by their markers.",
      parameters: {
        type: "object",
        properties: { queries: { type: "array", items: { type: "string" }, description: "What to look for." } },
        required: ["queries"],
      },
    },
  },
};
