// File Search as a model uses it: what it asks, how much it may find, and what it is told. The search itself is elsewhere.
import { z } from "zod";
import {
  MAX_PASSAGES,
  MAX_PASSAGES_SMALL,
  MAX_PASSAGE_TOKENS,
  MAX_PASSAGE_TOKENS_SMALL,
  PASSAGES_SHARE,
} from "../contract/limits.ts";
import type { FileSearchDetails } from "../contract/run-step.ts";
import type { Tool } from "../contract/tool.ts";
import type { FusionWeights } from "../db/fusion.ts";
import type { SearchHit } from "../db/search.ts";
import type { ChatTool } from "../model/model.ts";
import { markerOf } from "./citation-markers.ts";

const Arguments = z.object({ queries: z.array(z.string()) });
/** Models of which 7.2 of the contract says that they are given less. */
const SMALL_MODEL = /^gpt-3\.5/;

type FileSearchTool = Extract<Tool, { type: "file_search" }>["file_search"];

/** The queries of a call; a text that tells the model what is wrong with its arguments. */
export function readQueries(args: string): string[] | string {
  const parsed = Arguments.safeParse(parseJson(args));
  if (!parsed.success) {
    return 'The search was not made: the arguments have to be JSON of the form {"queries": ["what to look for", ...]}.';
  }
  const queries = parsed.data.queries.map((query) => query.trim()).filter((query) => query !== "");
  return queries.length > 0 ? queries : "The search was not made: there was no query.";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export interface SearchLimits {
  passages: number;
  /** Of all passages together. */
  tokens: number;
  score_threshold: number;
}

/** How much a call may find. @param window tokens that the model can take */
export function limitsOf(tool: FileSearchTool, model: string, window: number): SearchLimits {
  const isSmall = SMALL_MODEL.test(model);
  return {
    passages: tool.max_num_results ?? (isSmall ? MAX_PASSAGES_SMALL : MAX_PASSAGES),
    tokens: Math.min(isSmall ? MAX_PASSAGE_TOKENS_SMALL : MAX_PASSAGE_TOKENS, Math.floor(window * PASSAGES_SHARE)),
    score_threshold: tool.ranking_options.score_threshold,
  };
}

/** How much words and meaning count in its searches; undefined when it does not say. */
export function weightsOf({ ranking_options: { hybrid_search } }: FileSearchTool): FusionWeights | undefined {
  return hybrid_search === null
    ? undefined
    : { words: hybrid_search.text_weight, vectors: hybrid_search.embedding_weight };
}

/** What the step of a call shows, given what was found: the best passages that fit. */
export function toDetails(
  tool: FileSearchTool,
  found: readonly SearchHit[],
  limits: Pick<SearchLimits, "tokens">,
): FileSearchDetails {
  const { ranker, score_threshold } = tool.ranking_options;
  return {
    ranking_options: { ranker, score_threshold },
    results: fit(found, limits.tokens).map(({ file_id, filename, score, attributes, text }) => ({
      file_id,
      file_name: filename,
      score,
      attributes,
      content: [{ type: "text", text }],
    })),
  };
}

/** The best passages that fit together; one that is too long leaves its room to those behind it. */
function fit(found: readonly SearchHit[], tokens: number): SearchHit[] {
  let left = tokens;
  return found.filter((hit) => {
    if (hit.tokens > left) return false;
    left -= hit.tokens;
    return true;
  });
}

/** What the model reads of a call. @param call its number among the searches of the run */
export function describeResults(call: number, { results }: FileSearchDetails): string {
  if (results.length === 0) return "Nothing was found. Other words may find something.";
  const passages = results.map(
    ({ file_name, content = [] }, passage) =>
      `${markerOf({ call, passage }, file_name)}\n${content.map(({ text }) => text).join("\n")}`,
  );
  return [HOW_TO_CITE, ...passages].join("\n\n");
}

/** The tool as it is offered. */
export const fileSearchTool: ChatTool = {
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
};

const HOW_TO_CITE =
  "These passages were found, each behind its marker. When a statement of your answer rests on one, cite it: " +
  "put its marker right behind the statement, exactly as it is written here, brackets included.";
