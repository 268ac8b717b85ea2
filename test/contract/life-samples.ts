// What the assistants and runs of the table are made with, so that every part of an answer appears somewhere.
import { newId } from "../../contract/ids.ts";
import { lookup } from "../support/scripts.ts";
import { fileIds, storeIds } from "./world.ts";

export const QUOTA = {
  error: {
    message: "You exceeded your current quota, please check your plan and billing details.",
    type: "insufficient_quota",
    param: null,
    code: "insufficient_quota",
  },
};

export const NAMED = {
  name: "Ada",
  description: "Helps.",
  instructions: "Be brief.",
  metadata: { team: "blue" },
  temperature: 0.5,
  top_p: 0.5,
  reasoning_effort: "low",
};

export const TOOLS = [
  { type: "code_interpreter" },
  { type: "file_search" },
  {
    type: "file_search",
    file_search: {
      max_num_results: 5,
      ranking_options: {
        ranker: "auto",
        score_threshold: 0.5,
        hybrid_search: { embedding_weight: 0.5, text_weight: 0.5 },
      },
    },
  },
  lookup,
  { type: "function", function: { name: "plain", strict: true } },
];

export const RESOURCES = {
  code_interpreter: { file_ids: fileIds(2) },
  file_search: { vector_store_ids: storeIds(1) },
};

export const FORMAT = {
  type: "json_schema",
  json_schema: { name: "answer", description: "An answer.", schema: { type: "object" }, strict: true },
};

const cited = { type: "file_citation", text: "【4:0†a.txt】", start_index: 4, end_index: 14 };
const made = { type: "file_path", text: "sandbox:/mnt/data/a.csv", start_index: 15, end_index: 38 };
export const ANNOTATED = [
  {
    type: "text",
    text: {
      value: "See 【4:0†a.txt】 sandbox:/mnt/data/a.csv",
      annotations: [
        { ...cited, file_citation: { file_id: fileIds(1)[0] } },
        { ...made, file_path: { file_id: fileIds(1)[0] } },
      ],
    },
  },
];

export const BUILT_IN_CALLS = {
  type: "tool_calls",
  tool_calls: [
    {
      id: newId("call_"),
      type: "code_interpreter",
      code_interpreter: {
        input: "print(1)",
        outputs: [
          { type: "logs", logs: "1\n" },
          { type: "image", image: { file_id: fileIds(1)[0] } },
        ],
      },
    },
    {
      id: newId("call_"),
      type: "file_search",
      file_search: {
        ranking_options: { ranker: "default_2024_08_21", score_threshold: 0 },
        results: [
          {
            file_id: fileIds(1)[0],
            file_name: "b.txt",
            score: 0.75,
            attributes: { year: 2024 },
            content: [{ type: "text", text: "chunk" }],
          },
        ],
      },
    },
  ],
};

export const NO_USAGE = {
  prompt_tokens: 0,
  completion_tokens: 0,
  total_tokens: 0,
  prompt_token_details: { cached_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0 },
};
