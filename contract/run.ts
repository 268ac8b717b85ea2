// Runs: an assistant at work on a thread.
import { z } from "zod";
import {
  MAX_INSTRUCTIONS_LENGTH,
  MAX_INTEGER,
  MAX_MESSAGES_PER_REQUEST,
  MAX_RUN_LIFETIME_SECONDS,
  MAX_TOOL_OUTPUT_LENGTH,
  MIN_TOKEN_BUDGET,
} from "./limits.ts";
import { numeric } from "./list.ts";
import { CreateMessage } from "./message.ts";
import { Metadata } from "./metadata.ts";
import { ModelName, ReasoningEffort, Temperature, TopP } from "./model.ts";
import { AssistantId } from "./references.ts";
import { ResponseFormat, ResponseFormatInput } from "./response-format.ts";
import { RunStatus } from "./run-state.ts";
import { CreateThread } from "./thread.ts";
import { ToolResources, ToolResourcesUpdate } from "./tool-resources.ts";
import { Tool, ToolChoice, ToolChoiceInput, ToolsInput } from "./tool.ts";
import { text } from "./text.ts";

const LastMessages = z.int().min(1).max(MAX_INTEGER);

/** With `auto` a number of messages means nothing and is left out. */
const TruncationStrategyInput = z.discriminatedUnion("type", [
  z
    .strictObject({ type: z.literal("auto"), last_messages: LastMessages.nullish() })
    .transform(({ type }): TruncationStrategy => ({ type, last_messages: null })),
  z.strictObject({ type: z.literal("last_messages"), last_messages: LastMessages }),
]);

const overrides = {
  assistant_id: AssistantId,
  model: ModelName.nullish(),
  instructions: text({ max: MAX_INSTRUCTIONS_LENGTH }).nullish(),
  tools: ToolsInput.nullish(),
  metadata: Metadata.nullish(),
  temperature: Temperature.nullish(),
  top_p: TopP.nullish(),
  stream: z.boolean().nullish(),
  max_prompt_tokens: z.int().min(MIN_TOKEN_BUDGET).max(MAX_INTEGER).nullish(),
  max_completion_tokens: z.int().min(MIN_TOKEN_BUDGET).max(MAX_INTEGER).nullish(),
  truncation_strategy: TruncationStrategyInput.nullish(),
  tool_choice: ToolChoiceInput.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  response_format: ResponseFormatInput.nullish(),
  /** Extension: seconds until this run expires, up to 30 days. Without it, the server's setting. */
  expires_after_seconds: z.int().min(1).max(MAX_RUN_LIFETIME_SECONDS).nullish(),
};

export const CreateRun = z.strictObject({
  ...overrides,
  additional_instructions: text({ max: MAX_INSTRUCTIONS_LENGTH }).nullish(),
  additional_messages: z.array(CreateMessage).max(MAX_MESSAGES_PER_REQUEST).nullish(),
  reasoning_effort: ReasoningEffort.nullish(),
});
export type CreateRun = z.infer<typeof CreateRun>;

export const CreateThreadAndRun = z.strictObject({
  ...overrides,
  thread: CreateThread.nullish(),
  tool_resources: ToolResourcesUpdate.nullish(),
});
export type CreateThreadAndRun = z.infer<typeof CreateThreadAndRun>;

export const ModifyRun = z.strictObject({ metadata: Metadata.nullish() });
export type ModifyRun = z.infer<typeof ModifyRun>;

export const SubmitToolOutputs = z.strictObject({
  tool_outputs: z.array(
    z.strictObject({
      tool_call_id: z.string().nullish(),
      output: text({ max: MAX_TOOL_OUTPUT_LENGTH }).nullish(),
    }),
  ),
  stream: z.boolean().nullish(),
});
export type SubmitToolOutputs = z.infer<typeof SubmitToolOutputs>;

/** Extension: where to re-join a run's events. */
export const EventsQuery = z.object({
  after: z
    .preprocess(numeric, z.int().min(0).optional())
    .meta({ type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
});

export const FunctionCall = z.strictObject({
  id: z.string(),
  type: z.literal("function"),
  function: z.strictObject({ name: z.string(), arguments: z.string() }),
});
export type FunctionCall = z.infer<typeof FunctionCall>;

export const RequiredAction = z.strictObject({
  type: z.literal("submit_tool_outputs"),
  submit_tool_outputs: z.strictObject({ tool_calls: z.array(FunctionCall) }),
});
export type RequiredAction = z.infer<typeof RequiredAction>;

export const LastError = z.strictObject({
  code: z.enum(["server_error", "rate_limit_exceeded", "invalid_prompt"]),
  message: z.string(),
});
export type LastError = z.infer<typeof LastError>;

/** Tokens used. `prompt_token_details` is spelled as the original spells it. */
export const Usage = z.strictObject({
  prompt_tokens: z.int(),
  completion_tokens: z.int(),
  total_tokens: z.int(),
  prompt_token_details: z.strictObject({ cached_tokens: z.int() }),
  completion_tokens_details: z.strictObject({ reasoning_tokens: z.int() }),
});
export type Usage = z.infer<typeof Usage>;

export const RunIncompleteReason = z.enum(["max_completion_tokens", "max_prompt_tokens"]);
export type RunIncompleteReason = z.infer<typeof RunIncompleteReason>;

export const TruncationStrategy = z.strictObject({
  type: z.enum(["auto", "last_messages"]),
  last_messages: z.int().nullable(),
});
export type TruncationStrategy = z.infer<typeof TruncationStrategy>;

export const Run = z
  .strictObject({
    id: z.string(),
    object: z.literal("thread.run"),
    created_at: z.int(),
    assistant_id: z.string(),
    thread_id: z.string(),
    status: RunStatus,
    started_at: z.int().nullable(),
    expires_at: z.int().nullable(),
    cancelled_at: z.int().nullable(),
    failed_at: z.int().nullable(),
    completed_at: z.int().nullable(),
    required_action: RequiredAction.nullable(),
    last_error: LastError.nullable(),
    model: z.string(),
    instructions: z.string(),
    tools: z.array(Tool),
    tool_resources: ToolResources,
    metadata: Metadata,
    temperature: z.number(),
    top_p: z.number(),
    reasoning_effort: ReasoningEffort.nullable(),
    max_completion_tokens: z.int().nullable(),
    max_prompt_tokens: z.int().nullable(),
    truncation_strategy: TruncationStrategy,
    incomplete_details: z.strictObject({ reason: RunIncompleteReason }).nullable(),
    usage: Usage.nullable(),
    response_format: ResponseFormat,
    tool_choice: ToolChoice,
    parallel_tool_calls: z.boolean(),
  })
  .meta({ id: "Run" });
export type Run = z.infer<typeof Run>;
