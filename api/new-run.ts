// Accepting a run: the assistant and the caller's overrides become one row, together with the messages that came along.
import type { FastifyRequest } from "fastify";
import type { Assistant } from "../contract/assistant.ts";
import { ApiError, assistantNotFound, threadHasActiveRun, threadNotFound } from "../contract/errors.ts";
import { newId } from "../contract/ids.ts";
import type { CreateRun, CreateThreadAndRun, Run } from "../contract/run.ts";
import { requireFunctionTools } from "../contract/response-format.ts";
import { resolveToolResources, storeToMake } from "../contract/tool-resources.ts";
import type { ApiVersion } from "../contract/version.ts";
import { findAssistant } from "../db/assistants.ts";
import { insertMessages } from "../db/messages.ts";
import type { Pool, Queryable } from "../db/pool.ts";
import { appendEvents } from "../db/run-events.ts";
import type { NewEvent } from "../db/run-events.ts";
import { findActiveRun, insertRun, runState } from "../db/runs.ts";
import type { NewRun } from "../db/runs.ts";
import type { ThreadScope } from "../db/scope.ts";
import { requireStores } from "../db/store-references.ts";
import { insertThread, lockThread } from "../db/threads.ts";
import { commit } from "./commit.ts";
import type { Deps } from "./deps.ts";
import { holdFiles } from "./hold-files.ts";
import { bringFiles, prepareMessages } from "./new-messages.ts";

type Overrides = Omit<CreateRun, "additional_messages"> & Pick<CreateThreadAndRun, "tool_resources">;

export interface RunSettings {
  /** Seconds after which a run expires that does not say so itself. */
  expiresAfterSeconds: number;
}

/** What a run is made from besides what the caller wants. */
interface Making {
  db: Pool;
  ingests: Deps["ingests"];
  request: FastifyRequest;
  settings: RunSettings;
  version: ApiVersion;
}

/** Accepts a run on a thread. Throws 404 for what is not there and 400 while another run is active. */
export async function createRun(making: Making, scope: ThreadScope, body: CreateRun): Promise<Run> {
  const { db, request, version } = making;
  const messages = await prepareMessages(body.additional_messages, version);
  try {
    const made = await commit(db, request, async (tx) => {
      const refuse = await holdFiles(tx, scope, { messages });
      const [thread, assistant] = await Promise.all([lockThread(tx, scope), readAssistant(tx, scope, body)]);
      if (thread === undefined) throw threadNotFound(scope.thread_id);
      const run = resolveRun(scope, body, assistant, making.settings);
      refuse();
      if (thread.active_run_id !== undefined) throw threadHasActiveRun(scope.thread_id, thread.active_run_id);
      await insertMessages(tx, scope, messages);
      return accept(tx, run, []);
    });
    if (bringFiles(messages)) making.ingests.look();
    return made;
  } catch (error) {
    throw await explainLock(db, scope, error);
  }
}

/** Makes a thread and accepts a run on it, in one transaction. */
export async function createThreadAndRun(making: Making, body: CreateThreadAndRun): Promise<Run> {
  const { db, request, version } = making;
  const messages = await prepareMessages(body.thread?.messages, version);
  const made = await commit(db, request, async (tx) => {
    const file_ids = body.tool_resources?.code_interpreter?.file_ids;
    const refuse = await holdFiles(tx, request.caller, { ...body.thread, messages, file_ids });
    const [thread, assistant] = await Promise.all([
      insertThread(tx, { ...body.thread, ...request.caller, messages }),
      readAssistant(tx, request.caller, body),
    ]);
    await requireStores(tx, request.caller.project_id, body.tool_resources?.file_search?.vector_store_ids ?? []);
    const run = resolveRun({ ...request.caller, thread_id: thread.id }, body, assistant, making.settings);
    refuse();
    return accept(tx, run, [{ event: "thread.created", data: thread }]);
  });
  if (storeToMake(body.thread?.tool_resources) !== undefined || bringFiles(messages)) making.ingests.look();
  return made;
}

async function accept(tx: Queryable, newRun: NewRun, before: readonly NewEvent[]): Promise<Run> {
  const run = await insertRun(tx, newRun);
  const state = runState(run);
  await appendEvents(tx, run.id, [
    ...before,
    { event: "thread.run.created", data: state },
    { event: "thread.run.queued", data: state },
  ]);
  return run;
}

const readAssistant = (tx: Queryable, { project_id }: Pick<ThreadScope, "project_id">, { assistant_id }: Overrides) =>
  findAssistant(tx, { project_id, assistant_id });

/** What the run will use, settled now: later changes of the assistant do not reach it. */
function resolveRun(
  scope: ThreadScope,
  body: Overrides,
  assistant: Assistant | undefined,
  settings: RunSettings,
): NewRun {
  if (assistant === undefined) throw assistantNotFound(body.assistant_id);
  const tools = body.tools ?? assistant.tools;
  const response_format = body.response_format ?? assistant.response_format;
  requireFunctionTools(tools, response_format);
  return {
    ...scope,
    id: newId("run_"),
    assistant_id: assistant.id,
    model: body.model ?? assistant.model,
    instructions: joinInstructions(assistant, body),
    tools,
    tool_resources: resolveToolResources(body.tool_resources, []),
    metadata: body.metadata ?? {},
    temperature: body.temperature ?? assistant.temperature,
    top_p: body.top_p ?? assistant.top_p,
    reasoning_effort: body.reasoning_effort ?? assistant.reasoning_effort,
    response_format,
    tool_choice: body.tool_choice ?? "auto",
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    truncation_strategy: {
      type: body.truncation_strategy?.type ?? "auto",
      last_messages: body.truncation_strategy?.last_messages ?? null,
    },
    max_prompt_tokens: body.max_prompt_tokens ?? null,
    max_completion_tokens: body.max_completion_tokens ?? null,
    expires_after_seconds: body.expires_after_seconds ?? settings.expiresAfterSeconds,
  };
}

function joinInstructions(assistant: Assistant, body: Overrides): string {
  const instructions = body.instructions ?? assistant.instructions;
  return [instructions, body.additional_instructions].filter((text) => text).join("\n");
}

/** The database decides who gets a thread: a run that lost against its index is told which one has it. */
async function explainLock(db: Pool, scope: ThreadScope, error: unknown): Promise<unknown> {
  if (error instanceof ApiError) return error;
  if ((error as { constraint?: string }).constraint !== "runs_one_active_per_thread") return error;
  const active = await findActiveRun(db, scope);
  return threadHasActiveRun(scope.thread_id, active ?? "unknown");
}
