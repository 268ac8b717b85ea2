// The parts of requests that several resources share: tools, their files, how they are chosen, the form of the answer.
import { ANY, invalid } from "./refusals.ts";
import {
  choice,
  decimal,
  flag,
  from,
  identifier,
  integer,
  jsonSchema,
  list,
  metadata,
  object,
  oneOf,
  references,
  required,
  text,
  unseen,
  unseenList,
  without,
  wordOr,
} from "./values.ts";
import type { Fields, Spec } from "./values.ts";
import { fileIds, storeIds } from "./world.ts";

const DEFAULT_RANKING = { ranker: "default_2024_08_21", score_threshold: 0, hybrid_search: null };

const functionTool: Fields = {
  function: required(
    object({
      name: required(identifier({ max: 64, sample: "lookup" })),
      description: without(ANY, text({ sample: "Looks something up." })),
      parameters: jsonSchema({ type: "object", properties: {} }),
      strict: flag(false),
    }),
  ),
};

const fileSearchTool: Fields = {
  file_search: {
    ...object(
      {
        max_num_results: { ...integer({ min: 1, max: 50 }), fallback: undefined },
        ranking_options: {
          ...object({
            ranker: choice(["auto", "default_2024_08_21"], ANY),
            score_threshold: required(decimal({ min: 0, max: 1, fallback: 0 })),
            hybrid_search: from(
              "8 #10",
              object(
                {
                  embedding_weight: required(weight()),
                  text_weight: required(weight()),
                },
                { fallback: null },
              ),
            ),
          }),
          fallback: DEFAULT_RANKING,
        },
      },
      { fallback: { ranking_options: DEFAULT_RANKING } },
    ),
  },
};

/** Answers show it as null; what it may be is not described. */
function weight(): Spec {
  const { refuses: _refuses, ...spec } = decimal({ min: 0, max: 1, fallback: null });
  return { ...spec, words: "a number", refuses: [] };
}

export const tool = oneOf(
  { code_interpreter: {}, function: functionTool, file_search: fileSearchTool },
  { ordered: true },
);

export const tools = list(tool, { max: 128 });

const interpreterFiles = object({ file_ids: { ...references("file", fileIds, 20), fallback: [], merges: true } });

const stores = { ...references("vs", storeIds, 1), fallback: [], merges: true };

export const chunking = from(
  "1.8",
  unseen(
    oneOf({
      auto: {},
      static: {
        static: required(
          object({
            max_chunk_size_tokens: required(unseen({ ...integer({ min: 100, max: 4096 }), sample: 800 })),
            chunk_overlap_tokens: required(unseen(overlap())),
          }),
        ),
      },
    }),
  ),
);

/** Up to half of a chunk, which has 800 tokens here. */
function overlap(): Spec {
  const spec = integer({ min: 0, max: 400 });
  return {
    ...spec,
    words: "an integer from 0 to half of max_chunk_size_tokens",
    accepts: [0, 1, 400].map((value) => ({ value, echo: ANY })),
    refuses: [-1, 401].map((value) => ({ value, refusal: invalid })),
  };
}

const STORE_ID = /^vs_[A-Za-z0-9]+$/;

/** Files and vector stores as they are given to an assistant or a thread that is there already. */
export const toolResources = merging(
  object(
    {
      code_interpreter: merging(interpreterFiles),
      file_search: merging(object({ vector_store_ids: stores })),
    },
    { fallback: {} },
  ),
);

/** On creation a vector store may be described, to be made. */
export const toolResourcesWithStores = object(
  {
    code_interpreter: interpreterFiles,
    file_search: object({
      vector_store_ids: stores,
      vector_stores: {
        ...unseen(
          list(
            object({
              file_ids: unseenList(references("file", fileIds, 10_000)),
              chunking_strategy: chunking,
              metadata: unseen(metadata()),
            }),
            { max: 1 },
          ),
        ),
      },
    }),
  },
  { fallback: {} },
);

/** Whether an answer names exactly one store, which was made. */
export function isMadeStore(tool_resources: unknown): boolean {
  const { file_search } = tool_resources as { file_search?: { vector_store_ids?: unknown[]; vector_stores?: unknown } };
  const [id, ...others] = file_search?.vector_store_ids ?? [];
  return file_search?.vector_stores === undefined && others.length === 0 && STORE_ID.test(String(id));
}

function merging(spec: Spec): Spec {
  return { ...spec, merges: true };
}

export const reasoningEffort = choice(["none", "minimal", "low", "medium", "high", "xhigh", "max"]);

/** What the answer shows of a `strict` that was not given is not described. */
export const responseFormat = from(
  "3.9",
  wordOr(
    ["auto"],
    oneOf({
      text: {},
      json_object: {},
      json_schema: {
        json_schema: required({
          ...object({
            name: required(identifier({ max: 64, sample: "answer" })),
            description: without(ANY, text({ sample: "An answer." })),
            schema: jsonSchema(ANY),
            strict: flag(ANY),
          }),
        }),
      },
    }),
    "auto",
  ),
);

export const toolChoice = from(
  "3.9",
  wordOr(
    ["auto", "none", "required"],
    oneOf({
      function: { function: required(object({ name: required(text({ sample: "lookup" })) })) },
      code_interpreter: {},
      file_search: {},
    }),
    "auto",
  ),
);

/** A stream would not end without a worker; that it begins is a row of its own. */
export const streamFlag: Spec = { ...flag(ANY), accepts: [{ value: false, echo: ANY }] };
