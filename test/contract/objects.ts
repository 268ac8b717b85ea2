// What clients read: the fields of every object, which are there in every moment, as null when there is nothing to say.
import type { Life } from "./life.ts";
import type { Row } from "./row.ts";
import {
  boolean,
  constant,
  given,
  id,
  integer,
  list,
  map,
  metadata,
  number,
  object,
  oneOf,
  optional,
  orNull,
  responseRows,
  seconds,
  string,
  word,
  wordOr,
} from "./shapes.ts";
import type { Shape, Shapes } from "./shapes.ts";

const schema = (): Shape => map("a JSON Schema");

const tools = list(
  oneOf({
    code_interpreter: {},
    function: {
      function: object({
        name: string(),
        description: optional(string()),
        parameters: schema(),
        strict: boolean(),
      }),
    },
    file_search: {
      file_search: object({
        max_num_results: optional(integer()),
        ranking_options: object({
          ranker: word("auto", "default_2024_08_21"),
          score_threshold: number(),
          hybrid_search: orNull(object({ embedding_weight: number(), text_weight: number() })),
        }),
      }),
    },
  }),
);

/** Only the tools that something was configured for. */
const toolResources = object({
  code_interpreter: optional(object({ file_ids: list(given("file")) })),
  file_search: optional(object({ vector_store_ids: list(given("vs")) })),
});

const reasoningEffort = orNull(word("none", "minimal", "low", "medium", "high", "xhigh", "max"));

const responseFormat = wordOr(
  ["auto"],
  oneOf({
    text: {},
    json_object: {},
    json_schema: {
      json_schema: object({
        name: string(),
        description: optional(string()),
        schema: optional(schema()),
        strict: optional(boolean()),
      }),
    },
  }),
);

const assistant: Shapes = {
  id: id("asst_"),
  object: constant("assistant"),
  created_at: seconds(),
  name: orNull(string()),
  description: orNull(string()),
  model: string(),
  instructions: orNull(string()),
  tools,
  top_p: number(),
  temperature: number(),
  reasoning_effort: reasoningEffort,
  tool_resources: toolResources,
  metadata: metadata(),
  response_format: responseFormat,
};

const thread: Shapes = {
  id: id("thread_"),
  object: constant("thread"),
  created_at: seconds(),
  metadata: metadata(),
  tool_resources: toolResources,
};

const detail = optional(word("auto", "low", "high"));

const cited = object({ file_id: given("file") });

const message: Shapes = {
  id: id("msg_"),
  object: constant("thread.message"),
  created_at: seconds(),
  assistant_id: orNull(id("asst_")),
  thread_id: id("thread_"),
  run_id: orNull(id("run_")),
  status: word("in_progress", "incomplete", "completed"),
  incomplete_details: orNull(
    object({ reason: word("content_filter", "max_tokens", "run_cancelled", "run_expired", "run_failed") }),
  ),
  incomplete_at: orNull(seconds()),
  completed_at: orNull(seconds()),
  role: word("user", "assistant"),
  content: list(
    oneOf({
      text: {
        text: object({
          value: string(),
          annotations: list(
            oneOf(
              { file_citation: { file_citation: cited }, file_path: { file_path: cited } },
              { text: string(), start_index: integer(), end_index: integer() },
            ),
          ),
        }),
      },
      image_file: { image_file: object({ file_id: given("file"), detail }) },
      image_url: { image_url: object({ url: string(), detail }) },
      refusal: { refusal: string() },
    }),
  ),
  attachments: list(object({ file_id: given("file"), tools: list(oneOf({ code_interpreter: {}, file_search: {} })) })),
  metadata: metadata(),
};

const usage = orNull(
  object({
    prompt_tokens: integer(),
    completion_tokens: integer(),
    total_tokens: integer(),
    prompt_token_details: object({ cached_tokens: integer() }),
    completion_tokens_details: object({ reasoning_tokens: integer() }),
  }),
);

const run: Shapes = {
  id: id("run_"),
  object: constant("thread.run"),
  created_at: seconds(),
  assistant_id: id("asst_"),
  thread_id: id("thread_"),
  status: word(
    "queued",
    "in_progress",
    "requires_action",
    "cancelling",
    "cancelled",
    "failed",
    "completed",
    "incomplete",
    "expired",
  ),
  started_at: orNull(seconds()),
  expires_at: orNull(seconds()),
  cancelled_at: orNull(seconds()),
  failed_at: orNull(seconds()),
  completed_at: orNull(seconds()),
  required_action: orNull(
    object({
      type: constant("submit_tool_outputs"),
      submit_tool_outputs: object({
        tool_calls: list(
          object({
            id: id("call_"),
            type: constant("function"),
            function: object({ name: string(), arguments: string() }),
          }),
        ),
      }),
    }),
  ),
  last_error: orNull(
    object({ code: word("server_error", "rate_limit_exceeded", "invalid_prompt"), message: string() }),
  ),
  model: string(),
  instructions: string(),
  tools,
  tool_resources: toolResources,
  metadata: metadata(),
  temperature: number(),
  top_p: number(),
  reasoning_effort: reasoningEffort,
  max_completion_tokens: orNull(integer()),
  max_prompt_tokens: orNull(integer()),
  truncation_strategy: object({ type: word("auto", "last_messages"), last_messages: orNull(integer()) }),
  incomplete_details: orNull(object({ reason: word("max_completion_tokens", "max_prompt_tokens") })),
  usage,
  response_format: responseFormat,
  tool_choice: wordOr(
    ["none", "auto", "required"],
    oneOf({ function: { function: object({ name: string() }) }, code_interpreter: {}, file_search: {} }),
  ),
  parallel_tool_calls: boolean(),
};

const shownRanking = object({ ranker: word("auto", "default_2024_08_21"), score_threshold: number() });

const calls = oneOf(
  {
    function: { function: object({ name: string(), arguments: string(), output: orNull(string()) }) },
    code_interpreter: {
      code_interpreter: object({
        input: string(),
        outputs: list(oneOf({ logs: { logs: string() }, image: { image: object({ file_id: given("file") }) } })),
      }),
    },
    file_search: {
      file_search: object({
        ranking_options: shownRanking,
        results: list(
          object({
            file_id: given("file"),
            file_name: string(),
            score: number(),
            attributes: map("a map of texts, numbers and booleans"),
            content: optional(list(object({ type: constant("text"), text: string() }))),
          }),
        ),
      }),
    },
  },
  { id: id("call_") },
);

const runStep: Shapes = {
  id: id("step_"),
  object: constant("thread.run.step"),
  created_at: seconds(),
  run_id: id("run_"),
  assistant_id: id("asst_"),
  thread_id: id("thread_"),
  type: word("message_creation", "tool_calls"),
  status: word("in_progress", "cancelled", "failed", "completed", "expired"),
  cancelled_at: orNull(seconds()),
  completed_at: orNull(seconds()),
  expired_at: orNull(seconds()),
  failed_at: orNull(seconds()),
  expires_at: orNull(seconds()),
  last_error: orNull(object({ code: word("server_error", "rate_limit_exceeded"), message: string() })),
  step_details: oneOf({
    message_creation: { message_creation: object({ message_id: id("msg_") }) },
    tool_calls: {
      tool_calls: list(calls),
    },
  }),
  usage,
  metadata: metadata(),
};

const model: Shapes = { id: string(), object: constant("model"), created: integer(), owned_by: string() };

const annotationDelta = oneOf(
  {
    file_citation: { file_citation: object({ file_id: given("file"), quote: constant("") }) },
    file_path: { file_path: cited },
  },
  { index: integer(), text: string(), start_index: integer(), end_index: integer() },
);

const messageDelta: Shapes = {
  id: id("msg_"),
  object: constant("thread.message.delta"),
  delta: object({
    content: list(
      oneOf(
        {
          text: { text: object({ value: string(), annotations: optional(list(annotationDelta)) }) },
          refusal: { refusal: string() },
          image_file: { image_file: cited },
        },
        { index: integer() },
      ),
    ),
  }),
};

const stepDelta: Shapes = {
  id: id("step_"),
  object: constant("thread.run.step.delta"),
  delta: object({
    step_details: object({
      type: constant("tool_calls"),
      tool_calls: list(
        oneOf(
          {
            function: {
              function: object({
                name: optional(string()),
                arguments: string(),
                output: optional(constant(null)),
              }),
            },
            file_search: { file_search: object({ ranking_options: shownRanking, results: list(map("a result")) }) },
            code_interpreter: {
              code_interpreter: object({
                input: optional(string()),
                outputs: optional(
                  list(
                    oneOf(
                      { logs: { logs: string() }, image: { image: object({ file_id: given("file") }) } },
                      { index: integer() },
                    ),
                  ),
                ),
              }),
            },
          },
          { index: integer(), id: optional(id("call_")) },
        ),
      ),
    }),
  }),
};

export const objectRows: Row<Life>[] = [
  ...responseRows({ id: "assistants.object", source: "1.1", schema: "Assistant", name: "assistant" }, assistant),
  ...responseRows({ id: "threads.object", source: "1.2", schema: "Thread", name: "thread" }, thread),
  ...responseRows({ id: "messages.object", source: "1.3", schema: "Message", name: "message" }, message),
  ...responseRows({ id: "runs.object", source: "1.4", schema: "Run", name: "run" }, run),
  ...responseRows({ id: "run-steps.object", source: "1.5", schema: "RunStep", name: "step" }, runStep),
  ...responseRows({ id: "models.object", source: "1.9", schema: "Model", name: "model" }, model),
  ...responseRows({ id: "messages.delta", source: "4.3", schema: "MessageDelta", name: "message delta" }, messageDelta),
  ...responseRows({ id: "run-steps.delta", source: "4.3", schema: "RunStepDelta", name: "step delta" }, stepDelta),
];
