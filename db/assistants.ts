// The rows of assistants.
import type { Assistant, CreateAssistant, ModifyAssistant } from "../contract/assistant.ts";
import { newId } from "../contract/ids.ts";
import type { Page, PageQuery } from "../contract/list.ts";
import { requireFunctionTools } from "../contract/response-format.ts";
import { resolveToolResources } from "../contract/tool-resources.ts";
import type { ToolResources } from "../contract/tool-resources.ts";
import { moveFiles } from "../contract/v1/files.ts";
import type { V1Change } from "../contract/v1/files.ts";
import type { V1Files } from "../contract/version.ts";
import { readPage } from "./page.ts";
import type { Queryable } from "./pool.ts";
import type { AssistantScope } from "./scope.ts";
import { requireStores, settleStores } from "./store-references.ts";
import { moveSearchableFiles } from "./v1-assistant-store.ts";
import { readV1FileIds, setV1Files } from "./v1-files.ts";

const ASSISTANT_COLUMNS = `
  id, 'assistant' as object, unix(created_at) as created_at, name, description, model, instructions, tools, top_p,
  temperature, reasoning_effort, tool_resources, metadata, response_format`;

/** What a client decides; the rest of an assistant is ours. */
type Settings = Omit<Assistant, "id" | "object" | "created_at">;

/** Inserts an assistant, inside a transaction. Throws (400) when the tools do not go with the response format. */
export async function insertAssistant(
  tx: Queryable,
  { project_id, file_ids, ...input }: CreateAssistant & V1Files & { project_id: string },
): Promise<Assistant> {
  const tools = input.tools ?? [];
  requireFunctionTools(tools, input.response_format ?? "auto");
  const settings: Settings = {
    name: input.name ?? null,
    description: input.description ?? null,
    model: input.model,
    instructions: input.instructions ?? null,
    tools,
    top_p: input.top_p ?? 1,
    temperature: input.temperature ?? 1,
    reasoning_effort: input.reasoning_effort ?? null,
    tool_resources: await giveFiles(
      tx,
      project_id,
      await settleStores(
        tx,
        { project_id, input: input.tool_resources, expiresAfterDays: null },
        resolveToolResources(input.tool_resources, tools),
      ),
      { files: { before: [], after: file_ids ?? [] }, tools: { before: [], after: tools } },
    ),
    metadata: input.metadata ?? {},
    response_format: input.response_format ?? "auto",
  };
  const { rows } = await tx.query<Assistant>(
    `insert into assistants (created_at, project_id, id, name, description, model, instructions, tools, top_p,
       temperature, reasoning_effort, tool_resources, metadata, response_format)
     values (clock_timestamp(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
     returning ${ASSISTANT_COLUMNS}`,
    [project_id, newId("asst_"), ...toValues(settings)],
  );
  const assistant = rows[0] as Assistant;
  if (file_ids?.length) await setV1Files(tx, "assistants", { project_id, id: assistant.id }, file_ids);
  return assistant;
}

export async function findAssistant(db: Queryable, scope: AssistantScope): Promise<Assistant | undefined> {
  const { rows } = await db.query<Assistant>(
    `select ${ASSISTANT_COLUMNS} from assistants where project_id = $1 and id = $2`,
    [scope.project_id, scope.assistant_id],
  );
  return rows[0];
}

/** Holds the assistant's row until the transaction ends. */
export async function lockAssistant(tx: Queryable, scope: AssistantScope): Promise<Assistant | undefined> {
  const { rows } = await tx.query<Assistant>(
    `select ${ASSISTANT_COLUMNS} from assistants where project_id = $1 and id = $2 for no key update`,
    [scope.project_id, scope.assistant_id],
  );
  return rows[0];
}

export async function listAssistants(db: Queryable, project_id: string, query: PageQuery): Promise<Page<Assistant>> {
  const source = { table: "assistants", columns: ASSISTANT_COLUMNS, where: "project_id = $1", values: [project_id] };
  return readPage<Assistant>(db, source, query);
}

/**
 * Changes what `change` names, inside a transaction. Undefined when there is no such assistant.
 * Throws (400) when the tools would not go with the response format any more.
 */
export async function updateAssistant(
  tx: Queryable,
  scope: AssistantScope,
  { file_ids, ...change }: ModifyAssistant & V1Files,
): Promise<Assistant | undefined> {
  const current = await lockAssistant(tx, scope);
  if (current === undefined) return undefined;
  await requireStores(tx, scope.project_id, change.tool_resources?.file_search?.vector_store_ids ?? []);
  const settings = applyChange(current, change);
  requireFunctionTools(settings.tools, settings.response_format);
  if (file_ids !== undefined) settings.tool_resources = await changeV1Files(tx, current, settings, { scope, file_ids });
  const updated = await tx.query<Assistant>(
    `update assistants set name = $3, description = $4, model = $5, instructions = $6, tools = $7, top_p = $8,
       temperature = $9, reasoning_effort = $10, tool_resources = $11, metadata = $12, response_format = $13
     where project_id = $1 and id = $2 returning ${ASSISTANT_COLUMNS}`,
    [scope.project_id, scope.assistant_id, ...toValues(settings)],
  );
  return updated.rows[0];
}

/** Returns whether there was such an assistant. Its runs keep its id. */
export async function deleteAssistant(db: Queryable, scope: AssistantScope): Promise<boolean> {
  const { rowCount } = await db.query("delete from assistants where project_id = $1 and id = $2", [
    scope.project_id,
    scope.assistant_id,
  ]);
  return rowCount === 1;
}

/** A field that is absent stays; an explicit null goes back to what a new assistant would have. A model cannot go. */
function applyChange(current: Assistant, change: ModifyAssistant): Settings {
  const choose = <T>(given: T | null | undefined, kept: T, cleared: T): T =>
    given === undefined ? kept : (given ?? cleared);
  const tools = choose(change.tools, current.tools, []);
  return {
    name: choose(change.name, current.name, null),
    description: choose(change.description, current.description, null),
    model: change.model ?? current.model,
    instructions: choose(change.instructions, current.instructions, null),
    tools,
    top_p: choose(change.top_p, current.top_p, 1),
    temperature: choose(change.temperature, current.temperature, 1),
    reasoning_effort: choose(change.reasoning_effort, current.reasoning_effort, null),
    tool_resources: resolveToolResources(change.tool_resources, tools, current.tool_resources),
    metadata: choose(change.metadata, current.metadata, {}),
    response_format: choose(change.response_format, current.response_format, "auto"),
  };
}

/** Sets the list of version 1, unless it is null, and tells what the assistant's tools work with after that. */
async function changeV1Files(
  tx: Queryable,
  current: Assistant,
  { tools, tool_resources }: Settings,
  { scope, file_ids }: { scope: AssistantScope; file_ids: readonly string[] | null },
): Promise<ToolResources> {
  const owner = { project_id: scope.project_id, id: current.id };
  const before = (await readV1FileIds(tx, owner.project_id, [owner.id])).get(owner.id) ?? [];
  const after = file_ids ?? before;
  await setV1Files(tx, "assistants", owner, after);
  return giveFiles(tx, owner.project_id, tool_resources, {
    files: { before, after },
    tools: { before: current.tools, after: tools },
  });
}

/** What the tools of an assistant work with after a change of version 1. */
async function giveFiles(
  tx: Queryable,
  project_id: string,
  resources: ToolResources,
  change: V1Change,
): Promise<ToolResources> {
  return moveSearchableFiles(tx, project_id, moveFiles(resources, change), change);
}

/** In the order of the columns in the statements above. */
function toValues(settings: Settings): unknown[] {
  return [
    settings.name,
    settings.description,
    settings.model,
    settings.instructions,
    JSON.stringify(settings.tools),
    settings.top_p,
    settings.temperature,
    settings.reasoning_effort,
    JSON.stringify(settings.tool_resources),
    JSON.stringify(settings.metadata),
    JSON.stringify(settings.response_format),
  ];
}
