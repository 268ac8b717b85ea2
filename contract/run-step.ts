// Run steps: what a run did, one message or one round of tool calls at a time.
import { z } from "zod";
import { Metadata } from "./metadata.ts";
import { Usage } from "./run.ts";

const FunctionStepCall = z.strictObject({
  id: z.string(),
  type: z.literal("function"),
  function: z.strictObject({ name: z.string(), arguments: z.string(), output: z.string().nullable() }),
});
const CodeLogs = z.strictObject({ type: z.literal("logs"), logs: z.string() });
const CodeImage = z.strictObject({ type: z.literal("image"), image: z.strictObject({ file_id: z.string() }) });
/** What code has printed, and what it has drawn. */
export const CodeOutput = z.discriminatedUnion("type", [CodeLogs, CodeImage]);
export type CodeOutput = z.infer<typeof CodeOutput>;
const CodeInterpreterStepCall = z.strictObject({
  id: z.string(),
  type: z.literal("code_interpreter"),
  code_interpreter: z.strictObject({ input: z.string(), outputs: z.array(CodeOutput) }),
});
const ShownRanking = z.strictObject({ ranker: z.enum(["auto", "default_2024_08_21"]), score_threshold: z.number() });
const FileSearchStepCall = z.strictObject({
  id: z.string(),
  type: z.literal("file_search"),
  file_search: z.strictObject({
    ranking_options: ShownRanking,
    results: z.array(
      z.strictObject({
        file_id: z.string(),
        file_name: z.string(),
        score: z.number(),
        attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
        content: z.array(z.strictObject({ type: z.literal("text"), text: z.string() })).optional(),
      }),
    ),
  }),
});
export const StepToolCall = z.discriminatedUnion("type", [
  FunctionStepCall,
  CodeInterpreterStepCall,
  FileSearchStepCall,
]);
export type StepToolCall = z.infer<typeof StepToolCall>;

/** A call of one of the server's own tools, as its step shows it. */
export type BuiltInStepCall = Exclude<StepToolCall, { type: "function" }>;
export type FileSearchDetails = z.infer<typeof FileSearchStepCall>["file_search"];

/** The first and only piece of a search: what it has found comes when its step is completed. */
export const FileSearchCallDelta = z.strictObject({
  index: z.int(),
  id: z.string(),
  type: z.literal("file_search"),
  file_search: z.strictObject({ ranking_options: ShownRanking, results: z.tuple([]) }),
});

/** An output, or what follows of its logs, with its place. */
const CodeOutputDelta = z.discriminatedUnion("type", [
  z.strictObject({ index: z.int(), ...CodeLogs.shape }),
  z.strictObject({ index: z.int(), ...CodeImage.shape }),
]);
export type CodeOutputDelta = z.infer<typeof CodeOutputDelta>;

/** The first piece carries the id and empty input; pieces of the input follow, and then of the outputs. */
export const CodeInterpreterCallDelta = z.strictObject({
  index: z.int(),
  id: z.string().optional(),
  type: z.literal("code_interpreter"),
  code_interpreter: z.strictObject({
    input: z.string().optional(),
    outputs: z.array(CodeOutputDelta).optional(),
  }),
});

export const StepDetails = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("message_creation"),
    message_creation: z.strictObject({ message_id: z.string() }),
  }),
  z.strictObject({ type: z.literal("tool_calls"), tool_calls: z.array(StepToolCall) }),
]);
export type StepDetails = z.infer<typeof StepDetails>;

export const StepError = z.strictObject({
  code: z.enum(["server_error", "rate_limit_exceeded"]),
  message: z.string(),
});
export type StepError = z.infer<typeof StepError>;

export const StepStatus = z.enum(["in_progress", "cancelled", "failed", "completed", "expired"]);
export type StepStatus = z.infer<typeof StepStatus>;

export const RunStep = z
  .strictObject({
    id: z.string(),
    object: z.literal("thread.run.step"),
    created_at: z.int(),
    run_id: z.string(),
    assistant_id: z.string(),
    thread_id: z.string(),
    type: z.enum(["message_creation", "tool_calls"]),
    status: StepStatus,
    cancelled_at: z.int().nullable(),
    completed_at: z.int().nullable(),
    expired_at: z.int().nullable(),
    failed_at: z.int().nullable(),
    expires_at: z.int().nullable(),
    last_error: StepError.nullable(),
    step_details: StepDetails,
    usage: Usage.nullable(),
    metadata: Metadata,
  })
  .meta({ id: "RunStep" });
export type RunStep = z.infer<typeof RunStep>;

/** `include[]` has one legal value: it asks for what file search has found, and not only where. */
const Include = z.enum(["step_details.tool_calls[*].file_search.results[*].content"]);
export const IncludeQuery = z.object({ "include[]": z.union([Include, z.array(Include)]).optional() });
export type IncludeQuery = z.infer<typeof IncludeQuery>;

export function asksForContent(query: IncludeQuery): boolean {
  return [query["include[]"] ?? []].flat().length > 0;
}

/** A step as it is shown to a request: the content of search results is left out unless it is asked for. */
export function showStep(step: RunStep, query: IncludeQuery): RunStep {
  if (asksForContent(query) || step.step_details.type !== "tool_calls") return step;
  const tool_calls = step.step_details.tool_calls.map((call) =>
    call.type === "file_search"
      ? { ...call, file_search: { ...call.file_search, results: call.file_search.results.map(withoutContent) } }
      : call,
  );
  return { ...step, step_details: { type: "tool_calls", tool_calls } };
}

type SearchResult = FileSearchDetails["results"][number];

function withoutContent({ file_id, file_name, score, attributes }: SearchResult): SearchResult {
  return { file_id, file_name, score, attributes };
}
