// Code Interpreter as a model uses it: the code that it writes, what came of it, and what it is told. Where code runs is
// elsewhere. Pure.
import { JSONParser } from "@streamparser/json";
import { MAX_CODE_FILES_TOLD, MAX_CODE_TOLD_LENGTH } from "../contract/limits.ts";
import type { CodeOutput } from "../contract/run-step.ts";
import type { ChatTool } from "../model/model.ts";
import { WORKSPACE } from "./sandbox-links.ts";

/**
 * Reads the code out of a call's arguments while they are written: JSON with the code under "code"; or, since models were
 * taught that once, the code alone.
 */
export class CodeReader {
  #code = "";
  #given = 0;
  #state: "unknown" | "json" | "plain" | "done" | "broken" = "unknown";
  #start = "";
  readonly #json = new JSONParser({ paths: ["$.code"], emitPartialTokens: true, emitPartialValues: true });

  constructor() {
    this.#json.onValue = ({ value, partial }) => {
      if (typeof value === "string") this.#code = value;
      if (partial !== true) this.#state = typeof value === "string" ? "done" : "broken";
    };
    this.#json.onError = () => {
      if (this.#state === "json") this.#state = "broken";
    };
  }

  /** Whether all of the code is there, as far as one can tell. */
  get isWhole(): boolean {
    return this.#state === "done" || (this.#state === "plain" && this.#code.trim() !== "");
  }

  /** The code that has become known by this piece. */
  take(text: string): string {
    const piece = this.#state === "unknown" ? this.#start + text : text;
    if (this.#state === "unknown") this.#choose(piece);
    if (this.#state === "plain") this.#code += piece;
    else if (this.#state === "json") this.#parse(piece);
    const fresh = this.#code.slice(this.#given);
    this.#given = this.#code.length;
    return fresh;
  }

  #choose(start: string): void {
    const first = start.trimStart()[0];
    if (first === undefined) this.#start = start;
    else this.#state = first === "{" ? "json" : "plain";
  }

  #parse(piece: string): void {
    try {
      this.#json.write(piece);
    } catch {
      this.#state = "broken";
    }
  }
}

/** The code of a call; undefined when its arguments hold none. */
export function readCode(args: string): string | undefined {
  const reader = new CodeReader();
  const code = reader.take(args);
  return reader.isWhole ? code : undefined;
}

export const NO_CODE =
  'Nothing was run: the arguments have to be JSON of the form {"code": "..."}, with the Python code as one string.';

/** What the model reads of a call. @param notes what the outputs do not say */
export function describeOutputs(outputs: readonly CodeOutput[], notes: readonly string[] = []): string {
  const told = outputs.map((output) =>
    output.type === "logs" ? shorten(output.logs) : `[an image, which the user is shown with your answer]`,
  );
  return [...notes, ...(told.length === 0 ? ["(nothing was printed)"] : told)].join("\n");
}

/** The beginning and the end of a text that is too long: what failed is said last. */
function shorten(text: string): string {
  const left = text.length - MAX_CODE_TOLD_LENGTH;
  if (left <= 0) return text;
  const head = Math.floor(MAX_CODE_TOLD_LENGTH / 2);
  const start = text.slice(0, head).toWellFormed();
  const end = text.slice(head + left).toWellFormed();
  return `${start}\n[… ${left} characters are left out …]\n${end}`;
}

/** The tool as it is offered. @param names of the files that are in the workspace */
export function offerCode(names: readonly string[]): ChatTool {
  const paths = names.slice(0, MAX_CODE_FILES_TOLD).map((name) => JSON.stringify(`${WORKSPACE}/${name}`));
  const more = names.length > paths.length ? " and more" : "";
  const there = paths.length === 0 ? [] : [`Files that are there now: ${paths.join(", ")}${more}.`];
  return {
    type: "function",
    function: {
      name: "code_interpreter",
      description: [...DESCRIPTION, ...there].join(" "),
      parameters: {
        type: "object",
        properties: { code: { type: "string", description: "Python source, without shell commands or magics." } },
        required: ["code"],
      },
    },
  };
}

const DESCRIPTION = [
  "Runs Python code and returns what it prints, the value of its last expression, and its traceback when it fails.",
  "Variables stay between calls. There is no network.",
  `Files are read from and written to ${WORKSPACE}.`,
  "Plots of matplotlib are shown to the user.",
  `To give the user a file that code has written, link it in the answer: [name](sandbox:${WORKSPACE}/name).`,
];
